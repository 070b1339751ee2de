-- `q` of one and two letters on an index too. Grams of both lengths, of each column by itself, so that what the index says
-- is the answer and nothing is compared again. `search` and `trigrams` stay as they are for the nodes of the version before.
-- The index drops what comes twice; to do it here costs more than it saves.

create function letters(value text) returns text[]
language sql immutable strict parallel safe
return (
    select string_to_array(whole, null) || array(
        select substr(whole, start, 2) from generate_series(1, char_length(whole) - 1) as start
    )
    from (select folded(value) as whole) as once
);

alter table users add column letters text[] generated always as (letters(name) || letters(email)) stored;
alter table products add column letters text[] generated always as (letters(name) || letters(sku)) stored;

create index users_letters on users using gin (letters);
create index products_letters on products using gin (letters);
