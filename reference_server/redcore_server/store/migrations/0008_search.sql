-- Indexes for `q`: text anywhere in a name, an e-mail address or a sku, in any case.
-- PostgreSQL's own extension for this, pg_trgm, is not everywhere; arrays of three characters each, and GIN, are.

create function trigrams(value text) returns text[]
language sql immutable strict parallel safe
as $$
    select coalesce(array_agg(distinct substr(lower(value), start, 3)), '{}')
    from generate_series(1, char_length(value) - 2) as start
$$;

alter table users add column search text[] generated always as (trigrams(name || ' ' || email)) stored;
alter table products add column search text[] generated always as (trigrams(name || ' ' || sku)) stored;

create index users_search on users using gin (search);
create index products_search on products using gin (search);
