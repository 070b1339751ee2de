-- name: claim
-- True for one transaction at a time; the lock ends with it, also when the process dies.
select pg_try_advisory_xact_lock(hashtextextended(%(principal)s || ' ' || %(key)s, 1)) as claimed

-- name: stored
-- A statement of its own: it sees what was committed before the claim was granted.
select fingerprint, status, headers, body
from idempotency
where principal = %(principal)s and key = %(key)s and created_at > %(oldest)s

-- name: store
-- Takes the place of an answer that is too old, and clears two others away, so the table does not grow for ever.
with forgotten as (
    delete from idempotency
    where (principal, key) in (
        select principal, key
        from idempotency
        where created_at <= %(oldest)s and (principal, key) <> (%(principal)s, %(key)s)
        order by created_at
        limit 2
        for update skip locked
    )
)
insert into idempotency (organisation_id, principal, key, fingerprint, status, headers, body, created_at)
values (%(organisation_id)s, %(principal)s, %(key)s, %(fingerprint)s, %(status)s, %(headers)s, %(body)s, %(now)s)
on conflict (principal, key) do update set
    fingerprint = excluded.fingerprint,
    status = excluded.status,
    headers = excluded.headers,
    body = excluded.body,
    created_at = excluded.created_at
