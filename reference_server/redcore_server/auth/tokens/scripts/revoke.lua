-- Ends a family at the request of a holder of one of its refresh tokens, valid or not.
--
-- KEYS: the grant, its dead refresh tokens, its revoked access tokens
-- ARGV: client id, presented digest
local grant = redis.call('HMGET', KEYS[1], 'client_id', 'refresh')
if grant[1] ~= ARGV[1] then
  return
end
if grant[2] ~= ARGV[2] and not redis.call('ZSCORE', KEYS[2], ARGV[2]) then
  return
end
redis.call('DEL', unpack(KEYS))
