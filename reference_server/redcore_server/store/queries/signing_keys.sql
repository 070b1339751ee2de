-- name: lock
select pg_advisory_xact_lock(%(lock)s)

-- name: published
select kid, private_pem, created_at, active_at, retired_at
from signing_keys
where retired_at is null or retired_at > %(now)s
order by active_at, kid

-- name: add
insert into signing_keys (kid, private_pem, created_at, active_at)
values (%(kid)s, %(private_pem)s, %(created_at)s, %(active_at)s)

-- name: retire_others
update signing_keys
set retired_at = %(retired_at)s
where retired_at is null and kid <> %(kid)s
