-- name: matching
-- What the listing has; `api/listing` cuts pages of it.
select id, name, case when secret_hash is null then 'public' else 'confidential' end as type, scopes,
       redirect_uris, created_at
from applications
where organisation_id = %(organisation_id)s

-- name: lock
-- The application as it is until this transaction ends.
select id, name, case when secret_hash is null then 'public' else 'confidential' end as type, scopes, redirect_uris,
       created_at
from applications
where id = %(id)s and organisation_id = %(organisation_id)s
for update

-- name: add
insert into applications (id, organisation_id, owner_id, name, secret_hash, scopes, redirect_uris, created_at)
values (%(id)s, %(organisation_id)s, %(owner_id)s, %(name)s, %(secret_hash)s, %(scopes)s, %(redirect_uris)s,
        %(created_at)s)
returning id, name, case when secret_hash is null then 'public' else 'confidential' end as type, scopes, redirect_uris,
          created_at

-- name: rotate_secret
-- At most two are valid: the one before the previous ends now.
update applications set
    secret_hash = %(secret_hash)s,
    previous_secret_hash = secret_hash,
    previous_secret_ends_at = %(previous_secret_ends_at)s
where id = %(id)s and organisation_id = %(organisation_id)s

-- name: delete
delete from applications where id = %(id)s and organisation_id = %(organisation_id)s returning id

-- name: usable
-- Of several applications, those that are as alive as their owners.
select application.id, application.organisation_id, application.owner_id, application.secret_hash,
       application.previous_secret_hash, application.previous_secret_ends_at, application.name, application.scopes,
       application.redirect_uris, organisation.plan, owner.role as owner_role
from applications application
join organisations organisation on organisation.id = application.organisation_id
join users owner on owner.id = application.owner_id and owner.status = 'active'
where application.id = any(%(ids)s)

-- name: standings
-- Of several pairs of an application and the owner of a grant: the roles of the application's owner and of the grant's
-- by now. There is no row for a pair of which one is gone or not active.
select asked.number, client_owner.role as client_role, grant_owner.role as owner_role
from unnest(%(client_ids)s::text[], %(owner_ids)s::text[]) with ordinality as asked (client_id, owner_id, number)
join applications application on application.id = asked.client_id
join users client_owner on client_owner.id = application.owner_id and client_owner.status = 'active'
join users grant_owner on grant_owner.id = asked.owner_id and grant_owner.status = 'active'
