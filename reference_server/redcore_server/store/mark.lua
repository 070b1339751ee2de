-- Raises the mark of an organisation: how far PostgreSQL's log had come when it last wrote.
--
-- KEYS: the mark
-- ARGV: the position, in bytes; seconds until Redis may forget it
if tonumber(redis.call('GET', KEYS[1]) or 0) < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], ARGV[1])
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
