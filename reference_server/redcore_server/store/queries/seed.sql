-- name: lock
lock table organisations in share row exclusive mode

-- name: any_organisation
select 1 from organisations limit 1

-- name: add_organisation
insert into organisations (id, name, plan, created_at) values (%(id)s, %(name)s, 'enterprise', %(now)s)

-- name: add_admin
insert into users (id, organisation_id, email, email_key, name, role, status, accepted_at, created_at, updated_at,
                   password_hash)
values (%(id)s, %(organisation_id)s, %(email)s, %(email)s, 'Example Admin', 'admin', 'active', %(now)s, %(now)s,
        %(now)s, %(password_hash)s)
