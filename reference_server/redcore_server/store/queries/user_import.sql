-- name: stage
create temporary table staged_users (
    row_number bigint, id text, invitation_id text, email text, email_key text, name text, role text
) on commit drop

-- name: copy
copy staged_users (row_number, id, invitation_id, email, email_key, name, role) from stdin

-- name: repeated
-- The first rows whose e-mail an earlier row has, and how many there are.
select row_number, first_row, count(*) over () as total from (
    select row_number, min(row_number) over (partition by email_key) as first_row from staged_users
) as numbered
where row_number > first_row
order by row_number
limit %(most)s

-- name: drop_repeated
-- Not by a join with the earlier rows, which takes a time squared if all are the same.
delete from staged_users
where row_number in (
    select row_number from (
        select row_number, min(row_number) over (partition by email_key) as first_row from staged_users
    ) as numbered
    where row_number > first_row
)

-- name: drop_taken
-- Drops the rows whose e-mail a user has, and returns the first of them and how many there are.
with gone as (
    delete from staged_users
    where email_key in (select email_key from users where organisation_id = %(organisation_id)s)
    returning row_number
)
select row_number, count(*) over () as total from gone order by row_number limit %(most)s

-- name: drop_invited
-- Drops the rows whose address was invited too often, and returns the first of them, when each may be invited again, and
-- how many there are. As `invitation_limit.sql` has it for one.
with gone as (
    delete from staged_users
    using (
        select row_number, invitable_again(%(organisation_id)s, email_key, %(now)s) as again
        from staged_users
        where email_key in (select email_key from invited where organisation_id = %(organisation_id)s)
    ) as often
    where staged_users.row_number = often.row_number and often.again is not null
    returning staged_users.row_number, often.again
)
select row_number, again, count(*) over () as total from gone order by row_number limit %(most)s

-- name: count_invited
insert into invited (organisation_id, email_key, invited_at)
select %(organisation_id)s, email_key, %(now)s from staged_users

-- name: add_users
insert into users (id, organisation_id, email, email_key, name, role, appointed_by, status, created_at, updated_at)
select id, %(organisation_id)s, email, email_key, name, role, %(owner_id)s, 'pending_invite', %(now)s, %(now)s
from staged_users
order by email_key

-- name: add_invitations
insert into invitations (id, user_id, created_at, expires_at)
select invitation_id, id, %(now)s, %(expires_at)s from staged_users

-- name: invitations
select invitation_id from staged_users order by row_number
