-- name: matching
-- What the listing has; `api/listing` cuts pages of it.
select id, name, content_type, size, sha256, created_at
from files
where organisation_id = %(organisation_id)s

-- name: get
select id, name, content_type, size, sha256, created_at
from files
where id = %(id)s and organisation_id = %(organisation_id)s

-- name: room
-- How many bytes the organisation may still store.
select %(storage_bytes)s - stored_bytes as bytes from organisations where id = %(organisation_id)s

-- name: reserve
-- Counts a file, if there is room for it; of two at once the second waits for the first.
update organisations set stored_bytes = stored_bytes + %(size)s
where id = %(organisation_id)s and stored_bytes + %(size)s <= %(storage_bytes)s
returning id

-- name: add
insert into files (id, organisation_id, name, content_type, size, sha256, created_at)
values (%(id)s, %(organisation_id)s, %(name)s, %(content_type)s, %(size)s, %(sha256)s, %(now)s)
returning id, name, content_type, size, sha256, created_at

-- name: delete
with gone as (
    delete from files where id = %(id)s and organisation_id = %(organisation_id)s returning id, organisation_id, size
)
update organisations set stored_bytes = stored_bytes - gone.size
from gone
where organisations.id = gone.organisation_id
returning gone.id, gone.size

-- name: keep
-- Counts a deleted file whose bytes stay for a while, if there is room for it.
with counted as (
    update organisations set kept_bytes = kept_bytes + %(size)s
    where id = %(organisation_id)s and kept_bytes + %(size)s <= %(storage_bytes)s
    returning id
)
insert into kept_files (id, organisation_id, size)
select %(id)s, counted.id, %(size)s from counted
returning id

-- name: forget
-- The bytes of a deleted file are gone; nothing is counted of one that was not kept, or twice.
with gone as (
    delete from kept_files where id = %(id)s returning organisation_id, size
)
update organisations set kept_bytes = kept_bytes - gone.size
from gone
where organisations.id = gone.organisation_id

-- name: known
-- Which of some files exist.
select id from files where id = any(%(ids)s)
