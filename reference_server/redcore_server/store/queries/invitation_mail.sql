-- name: claim
-- True for one transaction at a time, so that two workers never send the same invitation at once. Unlike a row lock it
-- lets everybody else go on while a slow mail server takes its time.
select pg_try_advisory_xact_lock(hashtextextended(%(id)s, 0)) as claimed

-- name: due
-- The invitation, if its mail is still to be sent.
select invitations.id, invitations.expires_at, users.email, users.name, organisations.name as organisation,
    organisations.id as organisation_id
from invitations
join users on users.id = invitations.user_id
join organisations on organisations.id = users.organisation_id
where invitations.id = %(id)s
    and invitations.sent_at is null
    and invitations.voided_at is null
    and invitations.accepted_at is null
    and invitations.expires_at > %(now)s

-- name: lock_user
-- The user first, as the API does, so that two transactions never wait for each other.
select users.id
from users
join invitations on invitations.user_id = users.id
where invitations.id = %(id)s
for update of users

-- name: sent
-- Within the lock.
-- An active user stays active: the status says what the person did, not what we sent. An invitation that was voided
-- while its mail was on its way changes no status: the user may be inactive by now.
with invitation as (
    update invitations set sent_at = %(now)s where id = %(id)s returning user_id, voided_at
)
update users set
    invitation_sent_at = %(now)s,
    status = case when status = 'active' or invitation.voided_at is not null then status else 'pending_invite' end,
    updated_at = %(now)s
from invitation
where users.id = invitation.user_id

-- name: make_secret
insert into settings (name, value) values (%(name)s, %(value)s) on conflict (name) do nothing

-- name: secret
select value from settings where name = %(name)s
