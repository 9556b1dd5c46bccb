"""Staff, assignments, meetings, places and links, the ballot box, and counted responses.

A meeting's places, links and ballots carry `meeting_state = 'open'` and refer to the meeting by id and state
together. So the schema itself refuses to call a meeting counted while one of them is left, and refuses a new
one once it is counted.
"""

SQL = """
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
