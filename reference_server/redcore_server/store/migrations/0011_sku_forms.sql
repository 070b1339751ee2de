-- A sku is unique in any Unicode form. Of those that are the same now, the oldest keeps it; the others get their id behind it.
-- The earlier constraint stays for the nodes of the version before.

update products set sku = products.sku || ' ' || products.id
from (
    select id, row_number() over (partition by organisation_id, normalize(sku, nfc) order by created_at, id) as place
    from products
) as numbered
where products.id = numbered.id and numbered.place > 1;

create unique index products_sku on products (organisation_id, normalize(sku, nfc));
