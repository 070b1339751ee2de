-- Undoes a rotation that no replica has confirmed, so that its refresh token can be presented again.
--
-- KEYS: the grant, its dead refresh tokens
-- ARGV: digest of the token that was used, digest of its successor, end of the token
-- Does nothing if the successor was used or the grant ended meanwhile.
if redis.call('HGET', KEYS[1], 'refresh') == ARGV[2] then
  redis.call('HSET', KEYS[1], 'refresh', ARGV[1], 'expires_at', ARGV[3])
  redis.call('ZREM', KEYS[2], ARGV[1])
end
