-- name: matching
-- What the listing has; `api/listing` cuts pages of it.
select id, name, sku, price, stock, status, created_at, updated_at
from products
where organisation_id = %(organisation_id)s
    and (%(status)s::text is null or status = %(status)s)
    and (
        %(q)s::text is null
        or case
            when char_length(folded(%(q)s)) <= 2 then letters @> array[folded(%(q)s)]
            else search @> trigrams(%(q)s)
                and (strpos(folded(name), folded(%(q)s)) > 0 or strpos(folded(sku), folded(%(q)s)) > 0)
        end
    )

-- name: get
select id, name, sku, price, stock, status, created_at, updated_at
from products
where id = %(id)s and organisation_id = %(organisation_id)s

-- name: lock
-- The product as it is until this transaction ends.
select id, name, sku, price, stock, status, created_at, updated_at
from products
where id = %(id)s and organisation_id = %(organisation_id)s
for update

-- name: add
insert into products (id, organisation_id, name, sku, price, stock, status, created_at, updated_at)
values (%(id)s, %(organisation_id)s, %(name)s, %(sku)s, %(price)s, %(stock)s, %(status)s, %(now)s, %(now)s)
returning id, name, sku, price, stock, status, created_at, updated_at

-- name: update
update products set
    name = %(name)s,
    sku = %(sku)s,
    price = %(price)s,
    stock = %(stock)s,
    status = %(status)s,
    updated_at = %(now)s
where id = %(id)s and organisation_id = %(organisation_id)s
returning id, name, sku, price, stock, status, created_at, updated_at

-- name: delete
delete from products where id = %(id)s and organisation_id = %(organisation_id)s returning id
