-- name: add
insert into api_keys (id, organisation_id, owner_id, name, hash, hint, mode, scopes, created_at, expires_at)
values (%(id)s, %(organisation_id)s, %(owner_id)s, %(name)s, %(hash)s, %(hint)s, %(mode)s, %(scopes)s,
        %(created_at)s, %(expires_at)s)
returning id, organisation_id, owner_id, name, hint, mode, scopes, created_at, expires_at, revoked_at

-- name: by_hash
-- A key is as alive as its owner; revoked_at may lie ahead, while a key and its successor are both valid.
select key.id, key.organisation_id, key.owner_id, key.scopes, key.expires_at, key.revoked_at, organisation.plan
from api_keys key
join organisations organisation on organisation.id = key.organisation_id
join users owner on owner.id = key.owner_id and owner.status = 'active'
where key.hash = %(hash)s
