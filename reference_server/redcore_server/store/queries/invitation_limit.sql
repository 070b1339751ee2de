-- name: again
-- When the address may be invited again; null if it may be now. And how many invitations the organisation has sent within
-- a minute, counted up to a maximum.
select invitable_again(%(organisation_id)s, %(email_key)s, %(now)s) as again, (
    select count(*) from (
        select 1 from invited
        where organisation_id = %(organisation_id)s and invited_at > %(now)s - interval '1 minute'
        limit %(most)s
    ) as recent
) as recent

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
