-- Exchanges a refresh token for its successor, or notices that a dead one is used again.
--
-- KEYS: the grant, its dead refresh tokens, its revoked access tokens
-- ARGV: client id, presented digest, digest of the successor, now, end of the successor, oldest dead one to remember,
--       seconds until Redis may forget the grant, how many dead ones to remember
-- Returns 'rotated', 'expired', 'reused' (the whole family is gone now) or 'unknown'.
local client_id, presented, successor = ARGV[1], ARGV[2], ARGV[3]
local now, expires_at, oldest, garbage = tonumber(ARGV[4]), ARGV[5], ARGV[6], ARGV[7]

local grant = redis.call('HMGET', KEYS[1], 'client_id', 'refresh', 'expires_at')
if grant[1] ~= client_id then
  return 'unknown' -- no such grant, or another client's
end
if grant[2] == presented then
  if tonumber(grant[3]) <= now then
    return 'expired'
  end
  redis.call('HSET', KEYS[1], 'refresh', successor, 'expires_at', expires_at)
  redis.call('ZADD', KEYS[2], now, presented)
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. oldest)
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -tonumber(ARGV[8]) - 1)
  for _, key in ipairs(KEYS) do
    redis.call('EXPIRE', key, garbage)
  end
  return 'rotated'
end
if redis.call('ZSCORE', KEYS[2], presented) then
  redis.call('DEL', unpack(KEYS)) -- RFC 9700 section 4.14.2
  return 'reused'
end
return 'unknown'
