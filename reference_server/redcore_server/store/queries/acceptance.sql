-- name: open
-- An invitation that can be accepted now, who is invited, and the present role of the person who gave the role.
select invitations.id, users.id as user_id, users.email, users.name, organisations.name as organisation, users.role,
       appointer.role as appointer_role
from invitations
join users on users.id = invitations.user_id and users.status = 'pending_invite'
join organisations on organisations.id = users.organisation_id
left join users as appointer on appointer.id = users.appointed_by and appointer.status = 'active'
where invitations.id = %(id)s
    and invitations.accepted_at is null
    and invitations.voided_at is null
    and invitations.expires_at > %(now)s

-- name: lock_user
-- The user first, as the API does, so that two transactions never wait for each other.
select id from users where id = %(user_id)s for update

-- name: accept
-- Within the lock, after `open`. Other links of the person are void then.
with ended as (
    update invitations set
        accepted_at = case id when %(id)s then %(now)s end,
        voided_at = case id when %(id)s then null else %(now)s end
    where user_id = %(user_id)s and accepted_at is null and voided_at is null
)
update users set
    status = 'active',
    accepted_at = %(now)s,
    updated_at = %(now)s,
    password_hash = %(password_hash)s,
    totp_secret = %(totp_secret)s,
    totp_step = %(totp_step)s
where id = %(user_id)s
