-- Writes a new grant.
--
-- KEYS: the grant
-- ARGV: seconds until Redis may forget it, then its fields with their values
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('EXPIRE', KEYS[1], ARGV[1])
