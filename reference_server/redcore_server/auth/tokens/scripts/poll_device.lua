-- Tells a device that polls how its login stands, and notices when it polls too fast (RFC 8628 section 3.5).
--
-- KEYS: the device
-- ARGV: client id, now, seconds that polling too fast adds to the interval
-- Returns the outcome, and for 'approved' who approved which scope: user id, scope.
local device = redis.call('HMGET', KEYS[1], 'client_id', 'expires_at', 'status', 'interval', 'polled_at', 'user_id', 'scope')
local now, status = tonumber(ARGV[2]), device[3]
if device[1] ~= ARGV[1] or status == 'used' then
  return {'unknown'} -- no such device, another client's, or one that has its tokens
end
if tonumber(device[2]) <= now then
  return {'expired'}
end
if status == 'approved' then
  return {status, device[6], device[7]}
end
if status == 'denied' then
  return {status}
end
local polled_at = tonumber(device[5])
redis.call('HSET', KEYS[1], 'polled_at', ARGV[2])
if polled_at and now - polled_at < tonumber(device[4]) then
  redis.call('HINCRBY', KEYS[1], 'interval', ARGV[3])
  return {'too fast'}
end
return {'pending'}
