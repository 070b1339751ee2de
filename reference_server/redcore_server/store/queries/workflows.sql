-- name: matching
-- What the listing has; `api/listing` cuts pages of it.
select id, workflow, status, progress, input, result, error, created_at, started_at, finished_at
from workflow_runs
where organisation_id = %(organisation_id)s
    and (%(status)s::text is null or status = %(status)s)
    and (%(workflow)s::text is null or workflow = %(workflow)s)

-- name: get
select id, workflow, status, progress, input, result, error, created_at, started_at, finished_at
from workflow_runs
where id = %(id)s and organisation_id = %(organisation_id)s

-- name: add
-- Start-time fair queueing: a run's turn is behind the organisation's own runs and those that have begun, not behind all
-- that wait. It goes into the lane of the organisation with the fewest runs.
with own as (
    select lanes.lane, count(open.id) as runs
    from generate_series(0, %(lanes)s - 1) as lanes (lane)
    left join workflow_runs as open
        on open.organisation_id = %(organisation_id)s
        and open.lane = lanes.lane
        and open.status in ('queued', 'running')
    group by lanes.lane
)
insert into workflow_runs (
    id, organisation_id, owner_id, credential_id, scopes, workflow, status, progress, input, request_id, created_at, lane,
    turn
)
select
    %(id)s, %(organisation_id)s, %(owner_id)s, %(credential_id)s, %(scopes)s, %(workflow)s, 'queued', 0, %(input)s,
    %(request_id)s, %(now)s,
    (select lane from own order by runs, lane limit 1),
    1 + greatest(
        (select max(turn) from workflow_runs where started_at is not null),
        (select max(turn) from workflow_runs where organisation_id = %(organisation_id)s),
        0
    )
returning id, workflow, status, progress, input, result, error, created_at, started_at, finished_at, lane, turn

-- name: cancel
-- A queued run ends here; a running one before its next step.
update workflow_runs set
    cancel_requested_at = coalesce(cancel_requested_at, %(now)s),
    status = case status when 'queued' then 'cancelled' else status end,
    finished_at = case status when 'queued' then %(now)s::timestamptz end
where id = %(id)s and organisation_id = %(organisation_id)s and status in ('queued', 'running')
returning id, workflow, status, progress, input, result, error, created_at, started_at, finished_at

-- name: claim
-- Held as long as the connection lives, so that no two workers run the same run.
select pg_try_advisory_lock(hashtextextended(%(id)s, 0)) as claimed

-- name: unclaim
select pg_advisory_unlock(hashtextextended(%(id)s, 0))

-- name: start
update workflow_runs set status = 'running', started_at = coalesce(started_at, %(now)s)
where id = %(id)s and status in ('queued', 'running')
returning
    id, organisation_id, owner_id, workflow, input, request_id, scopes,
    role_of_run(owner_id, credential_id) as role

-- name: report
-- Nothing is returned for a run that was deleted.
update workflow_runs set progress = greatest(progress, %(progress)s)
where id = %(id)s and status = 'running'
returning
    cancel_requested_at is not null as is_cancelled,
    role_of_run(owner_id, credential_id) as role

-- name: succeed
update workflow_runs set status = 'succeeded', progress = 1, result = %(result)s, finished_at = %(now)s
where id = %(id)s and status = 'running'
returning role_of_run(owner_id, credential_id) as role

-- name: end
update workflow_runs set status = %(status)s, error = %(error)s, finished_at = %(now)s
where id = %(id)s and status = 'running'

-- name: count_failure
update workflow_runs set failures = failures + 1 where id = %(id)s returning failures
