-- Deleted files whose bytes are kept for a restore, as much as the quota of their organisation.

alter table organisations
    add column kept_bytes bigint not null default 0; -- of all its deleted files that are kept

create table kept_files (
    id text primary key,
    organisation_id text not null references organisations on delete cascade,
    size bigint not null
);
