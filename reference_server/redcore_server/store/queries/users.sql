-- name: matching
-- What the listing has; `api/listing` cuts pages of it.
select id, email, name, role, status, invitation_sent_at, created_at, updated_at
from users
where organisation_id = %(organisation_id)s
    and (%(role)s::text is null or role = %(role)s)
    and (%(status)s::text is null or status = %(status)s)
    and (
        %(q)s::text is null
        or case
            when char_length(folded(%(q)s)) <= 2 then letters @> array[folded(%(q)s)]
            else search @> trigrams(%(q)s)
                and (strpos(folded(name), folded(%(q)s)) > 0 or strpos(folded(email), folded(%(q)s)) > 0)
        end
    )

-- name: get
select id, email, name, role, status, invitation_sent_at, created_at, updated_at
from users
where id = %(id)s and organisation_id = %(organisation_id)s

-- name: lock
-- The user as it is until this transaction ends.
select id, email, name, role, status, invitation_sent_at, created_at, updated_at, email_key, accepted_at
from users
where id = %(id)s and organisation_id = %(organisation_id)s
for update

-- name: lock_active_admins
-- In one order for everybody, so that two transactions never wait for each other. `is_owner` and `is_of_application`
-- mark the owner of the caller's credential, and of its application if it has one.
select id, id = %(owner_id)s as is_owner,
       %(client_id)s::text is null
           or id = (select owner_id from applications where id = %(client_id)s) as is_of_application
from users
where organisation_id = %(organisation_id)s and role = 'admin' and status = 'active'
order by id
for update

-- name: add
insert into users (id, organisation_id, email, email_key, name, role, appointed_by, status, created_at, updated_at)
values (%(id)s, %(organisation_id)s, %(email)s, %(email_key)s, %(name)s, %(role)s, %(appointed_by)s, 'pending_invite',
        %(now)s, %(now)s)
returning id, email, name, role, status, invitation_sent_at, created_at, updated_at

-- name: update
-- Null means: as it was.
update users set
    email = coalesce(%(email)s, email),
    email_key = coalesce(%(email_key)s, email_key),
    name = coalesce(%(name)s, name),
    role = coalesce(%(role)s, role),
    appointed_by = coalesce(%(appointed_by)s, appointed_by),
    status = coalesce(%(status)s, status),
    updated_at = %(now)s
where id = %(id)s and organisation_id = %(organisation_id)s
returning id, email, name, role, status, invitation_sent_at, created_at, updated_at, email_key, accepted_at

-- name: appoint
-- The person who invites again answers for the role from now on.
update users set appointed_by = %(appointed_by)s where id = %(id)s

-- name: delete
-- Its API keys, applications and invitations go with it.
delete from users where id = %(id)s and organisation_id = %(organisation_id)s returning id

-- name: void_invitations
update invitations set voided_at = %(now)s
where user_id = %(user_id)s and voided_at is null and accepted_at is null

-- name: add_invitation
insert into invitations (id, user_id, created_at, expires_at)
values (%(id)s, %(user_id)s, %(now)s, %(expires_at)s)
