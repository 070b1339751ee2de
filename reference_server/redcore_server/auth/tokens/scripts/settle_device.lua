-- Takes a device's login one step further, if it stands as it must and its time is not over.
--
-- KEYS: the device
-- ARGV: the status it must have, now, then the fields to set with their values
-- Returns 1 if it was taken, 0 if not.
local device = redis.call('HMGET', KEYS[1], 'status', 'expires_at')
if device[1] ~= ARGV[1] or tonumber(device[2]) <= tonumber(ARGV[2]) then
  return 0
end
redis.call('HSET', KEYS[1], unpack(ARGV, 3))
return 1
