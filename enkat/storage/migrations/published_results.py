"""Questionnaires as they were answered, what is published, and which meetings are in it.

`meeting.published` and `children_published` name the period in which a meeting's answers were published.
A snapshot is written after its cells, which refer to it (the reference is judged at the commit), and from then on
the triggers refuse to add, change or remove anything of it.
"""

SQL = """
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
