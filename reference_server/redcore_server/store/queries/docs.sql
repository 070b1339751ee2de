-- name: file
-- A file of the version that a site shows.
select docs_files.version_id, docs_files.content_type, docs_files.size, docs_files.sha256
from docs_sites
join docs_files using (version_id)
where docs_sites.organisation_id = %(organisation_id)s and docs_files.path = %(path)s

-- name: add_version
insert into docs_versions (id, organisation_id, created_at) values (%(id)s, %(organisation_id)s, %(now)s)

-- name: add_files
copy docs_files (version_id, path, content_type, size, sha256) from stdin

-- name: version
select id from docs_versions where id = %(id)s and organisation_id = %(organisation_id)s

-- name: switch
insert into docs_sites (organisation_id, version_id) values (%(organisation_id)s, %(id)s)
on conflict (organisation_id) do update set version_id = excluded.version_id

-- name: forget
-- Keeps the newest versions, and the one that is shown.
delete from docs_versions
where organisation_id = %(organisation_id)s
    and id not in (
        select id from docs_versions
        where organisation_id = %(organisation_id)s
        order by created_at desc, id desc
        limit %(kept)s
    )
    and id not in (select version_id from docs_sites where organisation_id = %(organisation_id)s)

-- name: known
-- Which of some versions exist.
select id from docs_versions where id = any(%(ids)s)
