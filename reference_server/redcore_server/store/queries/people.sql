-- name: get
-- A person who may be signed in: only an active one.
select id, organisation_id, email, name, role
from users
where id = %(id)s and status = 'active'

-- name: candidate
-- The person with that address, with what proves it; the caller decides in constant time.
select id, organisation_id, email, name, role, password_hash, totp_secret is not null as has_totp
from users
where organisation_id = %(organisation_id)s and email_key = %(email_key)s and status = 'active'

-- name: rehash
update users set password_hash = %(new)s where id = %(id)s and password_hash = %(old)s

-- name: totp
select totp_secret from users where id = %(id)s and status = 'active' and totp_secret is not null

-- name: use_totp_step
-- One step is good once, however many requests present it at the same time.
update users set totp_step = %(step)s
where id = %(id)s and (totp_step is null or totp_step < %(step)s)
returning id

-- name: identity_provider
select entity_id from identity_providers where organisation_id = %(organisation_id)s
