-- Count a download that starts, unless its key or address has too many in progress.
--
-- KEYS   1 downloads in progress: a zset from token to the Unix time at which it counts as ended
-- ARGV   1 token, 2 maximum at the same time, 3 seconds until it counts as ended
-- Return 1 if it may start, otherwise 0
-- Cost   3 calls, 5 if it may

local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
  return 0
end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 1
