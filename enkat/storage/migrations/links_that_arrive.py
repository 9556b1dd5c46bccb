"""The outbox: messages that carry a link to those who were not there, and how the services that take them are.

A message belongs to a contact, and goes with it: with a link that is taken back, and at the count. A contact of a
protected assignment cannot be, and so no message to one. What a message says lies sealed in it until it has come to
its end. `remind_on` is the day of the one reminder; that it was decided is noted for everybody, whether they got one or
not.
"""

SQL = """
alter table contact add column language text not null default 'sv' check (trim(language) <> '');

alter table contact add column remind_on text check (remind_on like '____-__-__');

alter table contact add column reminded integer not null default 0 check (reminded in (0, 1));

create index contact_remind_on on contact (remind_on) where reminded = 0;

alter table meeting add column reminds integer not null default 1 check (reminds in (0, 1));

create table message (
    id text primary key check (length(id) = 32),
    contact text not null references contact (id) on delete cascade,
    link text not null,
    purpose text not null check (purpose in ('link', 'reminder')),
    state text not null check (state in ('waiting', 'sending', 'sent', 'delivered', 'failed', 'expired')),
    due text not null check (due like '____-__-__T__:__:__Z'),
    attempts integer not null default 0 check (attempts >= 0),
    unsure integer not null default 0 check (unsure between 0 and 2),
    claim text check (length(claim) = 16),
    sealed blob,
    reason text check (reason in ('unreachable', 'credentials', 'credit', 'sender', 'busy', 'unsure', 'address',
        'refused', 'undelivered')),
    unique (contact, purpose),
    check ((state in ('waiting', 'sending')) = (sealed is not null)),
    check ((state = 'sending') = (claim is not null)),
    check ((state = 'failed') <= (reason is not null))
) strict, without rowid;

create index message_due on message (purpose, unsure, due, id) where state in ('waiting', 'sending');

create table channel (
    name text primary key check (name in ('sms', 'email')),
    reason text check (reason in ('unreachable', 'credentials', 'credit', 'sender', 'busy', 'unsure', 'address',
        'refused', 'undelivered')),
    checked text not null check (checked like '____-__-__T__:__:__Z')
) strict, without rowid"""
