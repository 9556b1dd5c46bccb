"""The schema, as steps that are taken once each and never edited after they have been released.

Tables are STRICT and WITHOUT ROWID: keys are random, so there is no row number to tell in what order rows came.
(The order of cells within a page can still tell it until the count, which writes everything anew in shuffled
order.) Where a check repeats the values of an enum it does so on purpose: the step stays what it was when the enum
grows.
"""

import re

from sqlite_utils import Database, Migrations

from enkat.model.errors import StoreError
from enkat.storage.engine import APPLICATION_ID, rows, translated, write

migrations = Migrations("enkat")


@migrations()
def one_meeting(db: Database) -> None:
    """Staff, assignments, meetings, places and links, the ballot box, and counted responses."""
    for statement in _ONE_MEETING.split(";\n"):
        db.execute(statement)


# A meeting's places, links and ballots carry `meeting_state = 'open'` and refer to the meeting by id and state
# together. So the schema itself refuses to call a meeting counted while one of them is left, and refuses a new
# one once it is counted.
_ONE_MEETING = """
create table unit (
    id text primary key,
    name text not null check (trim(name) <> ''),
    parent text references unit (id) check (parent <> id)
) strict, without rowid;

create unique index unit_name on unit (lower(name));

create unique index unit_root on unit (coalesce(parent, '')) where parent is null;

create table staff (
    id text primary key,
    address text not null check (address like '_%@_%' and address = trim(address)),
    name text not null check (trim(name) <> ''),
    password_hash text not null check (password_hash like '$argon2id$%'),
    unit text not null references unit (id),
    enabled integer not null default 1 check (enabled in (0, 1))
) strict, without rowid;

create unique index staff_address on staff (lower(address));

create table staff_role (
    staff text not null references staff (id) on delete cascade,
    role text not null check (role in ('coordinator', 'evaluator', 'administrator')),
    primary key (staff, role)
) strict, without rowid;

create table staff_session (
    id text primary key check (length(id) = 64),
    staff text not null references staff (id) on delete cascade,
    started text not null,
    seen text not null check (seen >= started)
) strict, without rowid;

create index staff_session_staff on staff_session (staff);

create table assignment (
    id text primary key,
    reference text not null check (trim(reference) <> ''),
    unit text not null references unit (id),
    source text not null check (source in ('school', 'inquiry', 'health', 'self', 'other')),
    protected integer not null default 0 check (protected in (0, 1))
) strict, without rowid;

create unique index assignment_reference on assignment (unit, lower(reference));

create table meeting (
    id text primary key,
    assignment text not null references assignment (id),
    number integer not null check (number >= 1),
    kind text not null check (kind in ('network_meeting', 'pre_meeting', 'follow_up', 'sip',
        'family_group_conference', 'small_network', 'other')),
    held text not null check (held like '____-__-__'),
    closes text not null check (closes like '____-__-__'),
    leader text references staff (id),
    public_key blob check (length(public_key) = 32),
    state text not null default 'open' check (state in ('open', 'counted')),
    unique (assignment, number),
    unique (id, state),
    check ((state = 'open') = (public_key is not null))
) strict, without rowid;

create index meeting_state on meeting (state, closes);

create table invited (
    meeting text not null references meeting (id),
    role text not null check (role in ('family', 'kin', 'child', 'professional')),
    stage text not null check (stage in ('after')),
    places integer not null check (places between 0 and 1000),
    primary key (meeting, role, stage)
) strict, without rowid;

create table invitation (
    id text primary key,
    meeting text not null,
    meeting_state text not null default 'open' check (meeting_state = 'open'),
    role text not null,
    stage text not null,
    questionnaire text not null,
    state text not null default 'open' check (state in ('open', 'answered')),
    claim blob unique check (length(claim) = 32),
    unique (id, meeting, role, stage),
    check ((state = 'answered') = (claim is not null)),
    foreign key (meeting, meeting_state) references meeting (id, state),
    foreign key (meeting, role, stage) references invited (meeting, role, stage)
) strict, without rowid;

create index invitation_meeting on invitation (meeting, role, stage, state);

create table link (
    id text primary key,
    meeting text not null,
    meeting_state text not null default 'open' check (meeting_state = 'open'),
    role text not null,
    stage text not null,
    questionnaire text not null,
    invitation text,
    key_hash blob not null unique check (length(key_hash) = 32),
    sealed_key blob,
    state text not null default 'live' check (state in ('live', 'revoked')),
    check ((state = 'live') = (sealed_key is not null)),
    foreign key (meeting, meeting_state) references meeting (id, state),
    foreign key (meeting, role, stage) references invited (meeting, role, stage),
    foreign key (invitation, meeting, role, stage) references invitation (id, meeting, role, stage)
) strict, without rowid;

create unique index link_live_room on link (meeting, role, stage) where invitation is null and state = 'live';

create unique index link_live_place on link (invitation) where invitation is not null and state = 'live';

create table ballot (
    id text primary key check (length(id) = 32),
    meeting text not null,
    meeting_state text not null default 'open' check (meeting_state = 'open'),
    sealed blob not null check (length(sealed) = 9264),
    receipt_hash blob not null unique check (length(receipt_hash) = 32),
    repeat_check blob not null check (length(repeat_check) = 32),
    foreign key (meeting, meeting_state) references meeting (id, state)
) strict, without rowid;

create index ballot_meeting on ballot (meeting);

create table response (
    id text primary key check (length(id) = 32),
    meeting text not null references meeting (id),
    stage text not null check (stage in ('after')),
    role text not null check (role in ('family', 'kin', 'child', 'professional')),
    questionnaire text not null,
    version integer not null check (version >= 1),
    language text not null check (language in ('sv', 'other'))
) strict, without rowid;

create index response_meeting on response (meeting);

create table answer (
    response text not null references response (id),
    item text not null,
    value integer check (value between 0 and 10),
    text text check (trim(text) <> ''),
    missing text check (missing in ('unknown', 'declined', 'skipped')),
    primary key (response, item),
    check ((value is not null) + (text is not null) + (missing is not null) = 1)
) strict, without rowid"""


@migrations()
def published_results(db: Database) -> None:
    """Questionnaires as they were answered, what is published, and which meetings are in it."""
    for statement in _PUBLISHED_RESULTS.split(";\n\n"):
        db.execute(statement)


# `meeting.published` and `children_published` name the period in which a meeting's answers were published.
# A snapshot is written after its cells, which refer to it (the reference is judged at the commit), and from then on
# the triggers refuse to add, change or remove anything of it.
_PUBLISHED_RESULTS = """
create table questionnaire (
    id text not null,
    version integer not null check (version >= 1),
    definition text not null,
    primary key (id, version)
) strict, without rowid;

alter table meeting add column published text;

alter table meeting add column children_published text;

create index meeting_unpublished on meeting (closes) where published is null;

create index meeting_children_unpublished on meeting (closes) where children_published is null;

create table snapshot (
    grain text not null check (grain in ('quarter', 'year', 'child_year')),
    period text not null,
    year integer not null,
    outcome text not null check (outcome in ('published', 'joined', 'empty')),
    published text not null check (published like '____-__-__'),
    n integer not null check (n >= 0),
    rate integer check (rate between 0 and 100 and rate % 5 = 0),
    forms text not null,
    primary key (grain, period)
) strict, without rowid;

create table cell (
    grain text not null,
    snapshot text not null,
    table_name text not null check (table_name in ('month', 'quarter_role', 'year_unit', 'year_source',
        'year_number', 'year_child')),
    period text not null,
    category text not null,
    index_name text not null,
    n integer not null check (n >= 5),
    meetings integer not null check (meetings >= 2),
    mean integer not null check (mean between 0 and 100),
    low integer check (low between 0 and mean),
    high integer check (high between mean and 100),
    primary key (grain, snapshot, table_name, period, category, index_name),
    foreign key (grain, snapshot) references snapshot (grain, period) deferrable initially deferred,
    check ((low is null) = (high is null))
) strict, without rowid;

create trigger snapshot_stays before update on snapshot
begin select raise(abort, 'what is published never changes'); end;

create trigger snapshot_is_kept before delete on snapshot
begin select raise(abort, 'what is published never changes'); end;

create trigger snapshot_comes_once before insert on snapshot
when exists (select 1 from snapshot where grain = new.grain and period = new.period)
begin select raise(abort, 'what is published never changes'); end;

create trigger cell_stays before update on cell
begin select raise(abort, 'what is published never changes'); end;

create trigger cell_is_kept before delete on cell
begin select raise(abort, 'what is published never changes'); end;

create trigger cell_comes_first before insert on cell
when exists (select 1 from snapshot where grain = new.grain and period = new.snapshot)
begin select raise(abort, 'what is published never changes'); end"""


@migrations()
def nobody_can_tell(db: Database) -> None:
    """The audit log, the room for contacts, free texts apart from the answers they came with, and what replaces a
    response's meeting once its year is published."""
    for statement in _NOBODY_CAN_TELL.split(";\n\n"):
        db.execute(statement)


# A contact carries `protected = 0` and refers to its assignment by id and protection together: so the schema itself
# refuses one of a protected assignment, and refuses to protect an assignment while it has one.
# A text that came with an answer is kept apart from it from the count on; those that lie in `answer` are moved, in the
# order of new random ids, and with them goes the note that an answer had none.
_NOBODY_CAN_TELL = """
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


#: The names of all steps there are, in their order.
STEPS = ("one_meeting", "published_results", "nobody_can_tell")


def migrate(db: Database) -> None:
    """Take every step that has not been taken, all of them or none; safe when several start at once."""
    if not pending(db):
        return
    db.conn.execute("pragma foreign_keys = off")  # a step may rebuild a table that others refer to
    try:
        with write(db):
            db.conn.execute(f"pragma application_id = {APPLICATION_ID}")
            migrations.apply(db)
            if broken := rows(db, "pragma foreign_key_check"):
                raise StoreError(f"the migration would leave {len(broken)} broken references; restore a backup")
    finally:
        db.conn.execute("pragma foreign_keys = on")


def is_new(db: Database) -> bool:
    """True where no step has been taken yet."""
    return not _taken(db)


def pending(db: Database) -> list[str]:
    """The steps that this database has not taken; StoreError where it has taken some that we do not know."""
    taken = _taken(db)
    if newer := sorted(taken.difference(STEPS)):
        raise StoreError(f"the database is of a newer enkat (it has '{newer[0]}'); upgrade the program")
    return [step for step in STEPS if step not in taken]


def _taken(db: Database) -> set[str]:
    with translated("read"):
        return {step.name for step in migrations.applied(db)}


#: What keeps published figures and the audit log from being changed.
_TRIGGERS = re.findall(r"create trigger (\w+)", _PUBLISHED_RESULTS + _NOBODY_CAN_TELL)


def faults(db: Database) -> list[str]:
    """What is wrong with the file and with what guards it, for `enkat check`."""
    try:
        found = [str(row["quick_check"]) for row in rows(db, "pragma quick_check") if row["quick_check"] != "ok"]
        found += [
            f"a row of {row['table']} refers to a {row['parent']} that is gone"
            for row in rows(db, "pragma foreign_key_check")
        ]
        there = {row["name"] for row in rows(db, "select name from sqlite_master where type = 'trigger'")}
        found += [f"the trigger {name} is gone" for name in _TRIGGERS if name not in there]
        found += [f"the trigger {name} is not enkat's" for name in sorted(there.difference(_TRIGGERS))]
    except StoreError as error:
        return [str(error)]
    return [f"database: {' '.join(fault.split())}; restore a backup" for fault in found]
