-- name: position
-- Of the log: what this server has flushed, which a commit waits for, or, a replica, replayed. What is inserted but not
-- flushed belongs to other transactions under way, and no replica has it.
select (
    case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_flush_lsn() end - '0/0'::pg_lsn
)::bigint as position
