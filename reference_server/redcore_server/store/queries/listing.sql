-- name: counted
-- Counts what matches and cuts one page of it. Past the end the only row has no id. `before` is how many are in front of
-- a page that a cursor leads to.
with page as (
    {page}
)
select counted.total, counted.before, page.*
from (
    select
        count(*) as total,
        count(*) filter (
            where (created_at, id) >= (%(after_time)s::timestamptz, %(after_id)s::text)
        ) as before
    from ({matching}) as matching
) as counted
left join page on true
order by page.created_at desc, page.id desc

-- name: walked
-- Cuts one page, with one item more, which tells that there is another page.
select *
from ({matching}) as matching
where %(after_id)s::text is null or (created_at, id) < (%(after_time)s::timestamptz, %(after_id)s::text)
order by created_at desc, id desc
limit %(limit)s + 1 offset %(offset)s

-- name: searched
-- Cuts the same page of a search. PostgreSQL cannot know how many rows have rare letters, so it would walk the listing for
-- them to the end. Here it walks 2,000 rows: these hold a full page, or the search is rare enough for its index: a
-- hundredth of a listing, for a page of 20.
with edge as (
    select created_at, id
    from ({everything}) as everything
    where %(after_id)s::text is null or (created_at, id) < (%(after_time)s::timestamptz, %(after_id)s::text)
    order by created_at desc, id desc
    limit 1 offset 2000
), near as materialized (
    select *
    from ({matching}) as matching
    where
        (%(after_id)s::text is null or (created_at, id) < (%(after_time)s::timestamptz, %(after_id)s::text))
        and (created_at, id) >= (
            coalesce((select created_at from edge), '-infinity'), coalesce((select id from edge), '')
        )
    order by created_at desc, id desc
    limit %(limit)s + 1 + %(offset)s::bigint
), is_rare as materialized (
    select count(*) < %(limit)s + 1 + %(offset)s::bigint and exists (select from edge) as is_rare
    from near
), far as materialized (
    select *
    from ({matching}) as matching
    where
        (select is_rare from is_rare)
        and (%(after_id)s::text is null or (created_at, id) < (%(after_time)s::timestamptz, %(after_id)s::text))
)
select * from (
    select * from near where not (select is_rare from is_rare)
    union all
    select * from far
) as found
order by created_at desc, id desc
limit %(limit)s + 1 offset %(offset)s
