-- Enters a grant into the index of its owner or its client, and drops those that have ended.
--
-- KEYS: the index
-- ARGV: grant id, its end, now, seconds until Redis may forget the index
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
