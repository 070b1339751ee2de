-- name: active_user
-- Locked, so that no user becomes active between this answer and what is done after it.
select 1 from users where id = %(id)s and status = 'active' for share

-- name: active_application
-- An application is as alive as its owner, whose row is the one to lock: its deletion has a job of its own.
select 1
from users
where id = (select owner_id from applications where id = %(id)s) and status = 'active'
for share

-- name: end_runs
-- What a person has started, and what others have with the person's applications: it would go on after a return.
update workflow_runs set status = 'failed', error = %(error)s, finished_at = %(now)s
where organisation_id = %(organisation_id)s
    and status in ('queued', 'running')
    and (owner_id = %(user_id)s or credential_id = any(%(client_ids)s))

-- name: applications_of
select id from applications where owner_id = %(owner_id)s
