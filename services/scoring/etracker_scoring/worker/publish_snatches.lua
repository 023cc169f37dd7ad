-- Write into a swarm how often its torrent was snatched, if the swarm exists.
--
-- Two workers may publish in a different order from their commits: the larger number is the newer one. A full Redis
-- lets a script finish once it has made a write that takes no memory, hence the HDEL of a field that doesn't exist.
--
-- KEYS   1 members
-- ARGV   1 snatches, absolute
-- Return 1 if the swarm exists, otherwise 0
-- Cost   1 call, 2 if the number is no larger, 4 if it is

local exists = redis.call('EXISTS', KEYS[1])
if exists == 1 and tonumber(redis.call('HGET', KEYS[1], redis_keys.SNATCHES_FIELD) or -1) < tonumber(ARGV[1]) then
  redis.call('HDEL', KEYS[1], '')
  redis.call('HSET', KEYS[1], redis_keys.SNATCHES_FIELD, ARGV[1])
end
return exists
