-- name: api_key
update api_keys set revoked_at = %(at)s where id = any(%(ids)s) and revoked_at is null returning id

-- name: application
delete from applications where id = any(%(ids)s) returning id

-- name: client_secret
-- The new one is unknown: rotate it before use.
update applications set secret_hash = sha256(%(at)s::text::bytea || gen_random_uuid()::text::bytea)
where id = any(%(ids)s)
returning id

-- name: user
update users set status = 'inactive', updated_at = %(at)s where id = any(%(ids)s) and status <> 'inactive' returning id

-- name: role_editor
update users set role = 'editor', updated_at = %(at)s where id = any(%(ids)s) and role = 'admin' returning id

-- name: role_viewer
update users set role = 'viewer', updated_at = %(at)s where id = any(%(ids)s) and role <> 'viewer' returning id

-- name: files
select id, organisation_id from files order by organisation_id, id
