-- name: by_issuer
select entity_id, organisation_id, sso_url, certificates from identity_providers where entity_id = %(entity_id)s

-- name: by_organisation
select entity_id, organisation_id, sso_url, certificates from identity_providers
where organisation_id = %(organisation_id)s

-- name: all
select entity_id, organisation_id, sso_url, certificates from identity_providers order by created_at, entity_id

-- name: organisations
select id from organisations order by created_at, id

-- name: set
insert into identity_providers (entity_id, organisation_id, sso_url, certificates, created_at)
values (%(entity_id)s, %(organisation_id)s, %(sso_url)s, %(certificates)s, %(now)s)
on conflict (organisation_id) do update set
    entity_id = excluded.entity_id, sso_url = excluded.sso_url, certificates = excluded.certificates

-- name: remove
delete from identity_providers where organisation_id = %(organisation_id)s returning entity_id

-- name: person
-- With the present role of the person who gave the role, which counts until the person is active.
select users.id, users.organisation_id, users.email, users.name, users.role, users.status,
       appointer.role as appointer_role
from users
left join users as appointer on appointer.id = users.appointed_by and appointer.status = 'active'
where users.organisation_id = %(organisation_id)s and users.email_key = %(email_key)s and users.status <> 'inactive'

-- name: activate
-- Does nothing for an active user. A person whom the identity provider vouches for needs no invitation any more.
with activated as (
    update users set status = 'active', accepted_at = coalesce(accepted_at, %(now)s), updated_at = %(now)s
    where id = %(id)s and status = 'pending_invite'
    returning id
)
update invitations set voided_at = %(now)s
from activated
where user_id = activated.id and voided_at is null and invitations.accepted_at is null

-- name: use
-- A row for the first use. Clears two others away that are too old, so the table does not grow for ever.
with forgotten as (
    delete from used_assertions
    where name in (
        select name from used_assertions
        where used_at < %(oldest)s
        order by used_at
        limit 2
        for update skip locked
    )
)
insert into used_assertions (name, used_at) values (%(name)s, %(now)s)
on conflict (name) do nothing
returning name
