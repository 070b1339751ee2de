-- name: count
select count(*) as total from products where organisation_id = %(organisation_id)s

-- name: all
select id, sku, name, price, stock, status, created_at, updated_at
from products
where organisation_id = %(organisation_id)s
order by sku

-- name: stage
create temporary table staged_products (
    row_number bigint, id text, sku text, name text, price bigint, stock bigint, status text
) on commit drop

-- name: copy
copy staged_products (row_number, id, sku, name, price, stock, status) from stdin

-- name: repeated
-- The first rows whose sku an earlier row has, and how many there are.
select row_number, first_row, count(*) over () as total from (
    select row_number, min(row_number) over (partition by normalize(sku, nfc)) as first_row from staged_products
) as numbered
where row_number > first_row
order by row_number
limit %(most)s

-- name: drop_repeated
-- Not by a join with the earlier rows, which takes a time squared if all are the same.
delete from staged_products
where row_number in (
    select row_number from (
        select row_number, min(row_number) over (partition by normalize(sku, nfc)) as first_row from staged_products
    ) as numbered
    where row_number > first_row
)

-- name: lock
-- The products that are there already stay as `merge` sees them: none of what others change meanwhile is undone.
select count(*) from (
    select id from products
    where organisation_id = %(organisation_id)s
        and normalize(sku, nfc) in (select normalize(sku, nfc) from staged_products)
    order by normalize(sku, nfc)
    for update
) as locked

-- name: merge
-- The stock rule is that of `redcore_server.api.products.with_status`; a test compares them.
-- In the order of skus, so that two imports never wait for each other.
with merged as (
    insert into products (id, organisation_id, name, sku, price, stock, status, created_at, updated_at)
    select
        staged.id, %(organisation_id)s, staged.name, staged.sku, staged.price, coalesce(staged.stock, before.stock, 0),
        case
            when coalesce(staged.stock, before.stock, 0) = 0
                and coalesce(staged.status, before.status, 'available') = 'available'
                then 'out_of_stock'
            when staged.status is null and staged.stock > 0 and before.status = 'out_of_stock' then 'available'
            else coalesce(staged.status, before.status, 'available')
        end,
        %(now)s, %(now)s
    from staged_products as staged
    left join products as before
        on before.organisation_id = %(organisation_id)s and normalize(before.sku, nfc) = normalize(staged.sku, nfc)
    order by normalize(staged.sku, nfc)
    on conflict (organisation_id, normalize(sku, nfc)) do update set
        name = excluded.name,
        price = excluded.price,
        stock = excluded.stock,
        status = excluded.status,
        updated_at = excluded.updated_at
    returning xmax = 0 as is_new
)
select count(*) filter (where is_new) as created, count(*) filter (where not is_new) as updated from merged
