-- Published documentation: versions, the files of each, and which version a site shows.

create table docs_versions (
    id text primary key, -- that of the run that published it
    organisation_id text not null references organisations on delete cascade,
    created_at timestamptz not null
);
create index docs_versions_of on docs_versions (organisation_id, created_at desc);

create table docs_files (
    version_id text not null references docs_versions on delete cascade,
    path text not null,
    content_type text not null,
    size bigint not null,
    sha256 text not null,
    primary key (version_id, path)
);

create table docs_sites (
    organisation_id text primary key references organisations on delete cascade,
    version_id text not null references docs_versions
);
