-- name: each
-- Runs a query for one row once for each pair of ids. The pairs are JSON: an array costs its driver ten times as much.
select asked.number, found.*
from json_array_elements(%(keys)s::json) with ordinality as asked (key, number)
cross join lateral ({one}) as found
