-- name: again
-- When the address may be invited again; null if it may be now.
select invitable_again(%(organisation_id)s, %(email_key)s, %(now)s) as again

-- name: count
-- Counts one invitation, and clears some away that count no more, so the table does not grow for ever.
with forgotten as (
    delete from invited
    where ctid in (
        select ctid from invited
        where invited_at <= %(now)s - interval '1 day'
        order by invited_at
        limit 100
        for update skip locked
    )
)
insert into invited (organisation_id, email_key, invited_at) values (%(organisation_id)s, %(email_key)s, %(now)s)
