-- Extend the time for which a download counts as in progress.
--
-- KEYS   1 downloads in progress: a zset from token to the Unix time at which it counts as ended
-- ARGV   1 token, 2 seconds until it counts as ended
-- Return 1
-- Cost   3 calls

redis.call('ZADD', KEYS[1], 'XX', tonumber(redis.call('TIME')[1]) + tonumber(ARGV[2]), ARGV[1])
return redis.call('EXPIRE', KEYS[1], ARGV[2])
