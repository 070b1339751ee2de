-- Tells whom a living access token belongs to.
--
-- KEYS: the grant, its revoked access tokens
-- ARGV: the token's jti
-- Returns the owner's user id, or nothing if the token or its whole grant is revoked, or was never issued.
if redis.call('ZSCORE', KEYS[2], ARGV[1]) then
  return false
end
return redis.call('HGET', KEYS[1], 'owner_id')
