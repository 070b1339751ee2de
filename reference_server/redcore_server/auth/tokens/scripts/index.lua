-- Enters a grant into an index, and drops those that have ended, and the oldest beyond a maximum.
--
-- KEYS: the index
-- ARGV: grant id, its end, now, seconds until Redis may forget the index, how many grants it may have
-- Returns the ids of those beyond the maximum.
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
if not ARGV[5] then
  return {}
end
local last = -tonumber(ARGV[5]) - 1
local beyond = redis.call('ZRANGE', KEYS[1], 0, last)
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, last)
return beyond
