-- name: counted
-- Counts what matches and cuts one page of it, with one item more, which tells that there is another page. Past the end
-- the only row has no id. `before` is how many are in front of a page that a cursor leads to.
with matching as not materialized (
    {matching}
), page as (
    select *
    from matching
    where %(after_id)s::text is null or (created_at, id) < (%(after_time)s::timestamptz, %(after_id)s::text)
    order by created_at desc, id desc
    limit %(limit)s + 1 offset %(offset)s
)
select counted.total, counted.before, page.*
from (
    select
        count(*) as total,
        count(*) filter (
            where (created_at, id) >= (%(after_time)s::timestamptz, %(after_id)s::text)
        ) as before
    from matching
) as counted
left join page on true
order by page.created_at desc, page.id desc

-- name: uncounted
-- Cuts one page, with one item more.
select *
from ({matching}) as matching
where %(after_id)s::text is null or (created_at, id) < (%(after_time)s::timestamptz, %(after_id)s::text)
order by created_at desc, id desc
limit %(limit)s + 1 offset %(offset)s
