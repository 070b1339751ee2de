-- The assertions of identity providers that were used, each by a digest of issuer and id, until none as old is valid.

create table used_assertions (
    name bytea primary key,
    used_at timestamptz not null
);
create index used_assertions_age on used_assertions (used_at);
