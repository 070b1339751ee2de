-- name: position
-- Of the log: what this server has written or, a replica, replayed.
select (
    case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_insert_lsn() end - '0/0'::pg_lsn
)::bigint as position
