-- `q` finds text in any Unicode form, and a final sigma where the other one stands.
-- The bodies are parsed here, not when they are run: a dump is restored without a search path.

create function folded(value text) returns text
language sql immutable strict parallel safe
return translate(lower(normalize(value, nfkc)), 'ς', 'σ');

alter table users drop column search;
alter table products drop column search;

create or replace function trigrams(value text) returns text[]
language sql immutable strict parallel safe
return (
    select coalesce(array_agg(distinct substr(whole, start, 3)), '{}')
    from (select folded(value) as whole) as once, generate_series(1, char_length(whole) - 2) as start
);

alter table users add column search text[] generated always as (trigrams(name || ' ' || email)) stored;
alter table products add column search text[] generated always as (trigrams(name || ' ' || sku)) stored;

create index users_search on users using gin (search);
create index products_search on products using gin (search);
