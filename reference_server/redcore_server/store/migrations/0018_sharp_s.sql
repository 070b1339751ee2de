-- `q` finds a sharp s where two s stand, and the reverse: Straße is STRASSE in capitals. Of what Unicode's full case folding
-- does beyond `lower`, this is what names have; `email_key` has all of it.

create or replace function folded(value text) returns text
language sql immutable strict parallel safe
return replace(translate(lower(normalize(value, nfkc)), 'ς', 'σ'), 'ß', 'ss');

create or replace function trigrams(value text) returns text[]
language plpgsql immutable strict parallel safe as $$
declare
    single text[] := string_to_array(replace(translate(lower(normalize(value, nfkc)), 'ς', 'σ'), 'ß', 'ss'), null);
    grams text[] := '{}';
begin
    for i in 3 .. cardinality(single) loop
        grams := array_append(grams, single[i - 2] || single[i - 1] || single[i]);
    end loop;
    return grams;
end $$;

create or replace function letters(value text) returns text[]
language plpgsql immutable strict parallel safe as $$
declare
    single text[] := string_to_array(replace(translate(lower(normalize(value, nfkc)), 'ς', 'σ'), 'ß', 'ss'), null);
    grams text[] := single;
begin
    for i in 2 .. cardinality(single) loop
        grams := array_append(grams, single[i - 1] || single[i]);
    end loop;
    return grams;
end $$;

-- PostgreSQL computes the columns of a row anew when the name is written.
update users set name = name where name || email ~ '[ßẞ]';
update products set name = name where name || sku ~ '[ßẞ]';
