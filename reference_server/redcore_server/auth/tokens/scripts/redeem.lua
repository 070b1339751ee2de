-- Uses an authorization code up, once, for a grant that was written before.
--
-- KEYS: the code
-- ARGV: grant id, now, seconds until Redis may forget the code
-- Returns the id of the grant that the code is used for: the given one, or that of an earlier use; nothing if there is
-- no such code or its time is over.
local code = redis.call('HMGET', KEYS[1], 'expires_at', 'grant_id')
if not code[1] then
  return false
end
if code[2] then
  return code[2]
end
if tonumber(code[1]) <= tonumber(ARGV[2]) then
  return false
end
redis.call('HSET', KEYS[1], 'grant_id', ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return ARGV[1]
