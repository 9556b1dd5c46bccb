"""The audit log, the room for contacts, free texts apart from the answers they came with, and what replaces a
response's meeting once its year is published.

A contact carries `protected = 0` and refers to its assignment by id and protection together: so the schema itself
refuses one of a protected assignment, and refuses to protect an assignment while it has one.
A text that came with an answer is kept apart from it from the count on; those that lie in `answer` are moved, in the
order of new random ids, and with them goes the note that an answer had none.
"""

SQL = """
create table audit_entry (
    number integer primary key check (number >= 1),
    at text not null check (at like '____-__-__T__:__:__Z'),
    actor text not null check (trim(actor) <> ''),
    act text not null check (act like '_%.%_'),
    record text not null,
    previous blob not null check (length(previous) = 32),
    hash blob not null unique check (length(hash) = 32)
) strict, without rowid;

create trigger audit_entry_stays before update on audit_entry
begin select raise(abort, 'the audit log is only added to'); end;

create trigger audit_entry_is_kept before delete on audit_entry
begin select raise(abort, 'the audit log is only added to'); end;

create trigger audit_entry_comes_next before insert on audit_entry
when new.number <> 1 + coalesce((select max(number) from audit_entry), 0)
    or new.previous <> coalesce((select hash from audit_entry order by number desc limit 1), zeroblob(32))
begin select raise(abort, 'the audit log is only added to'); end;

create unique index assignment_protection on assignment (id, protected);

create unique index meeting_of_assignment on meeting (id, assignment);

create unique index invitation_of_meeting on invitation (id, meeting);

create table contact (
    id text primary key check (length(id) = 32),
    invitation text not null,
    meeting text not null,
    assignment text not null,
    protected integer not null default 0 check (protected = 0),
    channel text not null check (channel in ('sms', 'email')),
    sealed_address blob not null,
    delete_on text not null check (delete_on like '____-__-__'),
    unique (invitation, channel),
    foreign key (invitation, meeting) references invitation (id, meeting) on delete cascade,
    foreign key (meeting, assignment) references meeting (id, assignment),
    foreign key (assignment, protected) references assignment (id, protected)
) strict, without rowid;

create index contact_delete_on on contact (delete_on);

create table free_text (
    id text primary key check (length(id) = 32),
    meeting text references meeting (id),
    is_child integer not null check (is_child in (0, 1)),
    retold integer not null default 0 check (retold in (0, is_child)),
    state text not null check (state in ('locked', 'gathering', 'readable', 'cleared', 'withheld', 'released')),
    wording text not null check (trim(wording) <> ''),
    batch integer check (batch >= 1),
    check ((meeting is not null) = (state = 'locked')),
    check ((batch is not null) = (state = 'released'))
) strict, without rowid;

create index free_text_state on free_text (state, batch desc, id);

create index free_text_meeting on free_text (meeting) where meeting is not null;

insert into free_text (id, meeting, is_child, state, wording)
    select lower(hex(randomblob(16))), response.meeting, response.role = 'child', 'locked', answer.text
    from answer join response on response.id = answer.response where answer.text is not null;

create table answer_apart (
    response text not null references response (id),
    item text not null,
    value integer check (value between 0 and 10),
    missing text check (missing in ('unknown', 'declined', 'skipped')),
    primary key (response, item),
    check ((value is not null) + (missing is not null) = 1)
) strict, without rowid;

insert into answer_apart (response, item, value, missing)
    select response, item, value, missing from answer where item <> 'words' and text is null;

drop table answer;

alter table answer_apart rename to answer;

create table response_apart (
    id text primary key check (length(id) = 32),
    meeting text references meeting (id),
    cluster text check (length(cluster) = 16),
    stage text not null check (stage in ('after')),
    role text not null check (role in ('family', 'kin', 'child', 'professional')),
    questionnaire text not null,
    version integer not null check (version >= 1),
    language text not null check (language in ('sv', 'other')),
    check ((meeting is null) = (cluster is not null))
) strict, without rowid;

insert into response_apart (id, meeting, stage, role, questionnaire, version, language)
    select id, meeting, stage, role, questionnaire, version, language from response;

drop table response;

alter table response_apart rename to response;

create index response_meeting on response (meeting) where meeting is not null;

create index response_cluster on response (cluster) where cluster is not null;

alter table meeting add column answers integer check (answers >= 0);

update meeting set answers = (select count(*) from response where response.meeting = meeting.id)
    where state = 'counted';

create index meeting_answers on meeting (published) where answers is not null;

pragma user_version = 1"""
