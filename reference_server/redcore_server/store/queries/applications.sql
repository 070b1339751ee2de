-- name: add
insert into applications (id, organisation_id, owner_id, name, secret_hash, scopes, redirect_uris, created_at)
values (%(id)s, %(organisation_id)s, %(owner_id)s, %(name)s, %(secret_hash)s, %(scopes)s, %(redirect_uris)s,
        %(created_at)s)
returning id, organisation_id, owner_id, name, scopes, redirect_uris, created_at

-- name: usable
-- An application is as alive as its owner.
select application.id, application.organisation_id, application.owner_id, application.secret_hash,
       application.scopes, organisation.plan
from applications application
join organisations organisation on organisation.id = application.organisation_id
join users owner on owner.id = application.owner_id and owner.status = 'active'
where application.id = %(id)s
