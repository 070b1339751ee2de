-- Files: descriptions here, bytes in the object store.

alter table organisations
    add column stored_bytes bigint not null default 0; -- of all its files, for its quota

create table files (
    id text primary key,
    organisation_id text not null references organisations on delete cascade,
    name text not null,
    content_type text not null,
    size bigint not null check (size >= 0),
    sha256 text not null,
    created_at timestamptz not null
);
create index files_listing on files (organisation_id, created_at desc, id desc);
