-- name: matching
-- What the listing has; `api/listing` cuts pages of it.
select id, name, mode, hint, scopes, created_at, expires_at
from api_keys
where organisation_id = %(organisation_id)s and revoked_at is null

-- name: add
insert into api_keys (id, organisation_id, owner_id, name, hash, hint, mode, scopes, created_at, expires_at)
values (%(id)s, %(organisation_id)s, %(owner_id)s, %(name)s, %(hash)s, %(hint)s, %(mode)s, %(scopes)s,
        %(created_at)s, %(expires_at)s)
returning id, organisation_id, owner_id, name, hint, mode, scopes, created_at, expires_at, revoked_at

-- name: revoke
update api_keys set revoked_at = %(now)s
where id = %(id)s and organisation_id = %(organisation_id)s and revoked_at is null
returning id

-- name: by_hash
-- A key is as alive as its owner. A revoked one is dead whatever the clocks of the nodes say.
select key.id, key.organisation_id, key.owner_id, key.scopes, key.expires_at, organisation.plan,
       owner.role as owner_role
from api_keys key
join organisations organisation on organisation.id = key.organisation_id
join users owner on owner.id = key.owner_id and owner.status = 'active'
where key.hash = %(hash)s and key.revoked_at is null
