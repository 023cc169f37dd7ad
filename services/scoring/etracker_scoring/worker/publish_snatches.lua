-- Write into a swarm how often its torrent was snatched, if the swarm exists.
--
-- Two workers may publish in another order than they committed: the larger number is the newer one. A Redis that is full
-- lets a script finish after a write that never takes memory, hence the HDEL of a field that isn't there.
--
-- KEYS   1 members
-- ARGV   1 the field of the snatches  2 snatches, absolute
-- Return 1 if it exists
-- Cost   4 calls

local exists = redis.call('EXISTS', KEYS[1])
if exists == 1 and tonumber(redis.call('HGET', KEYS[1], ARGV[1]) or '-1') < tonumber(ARGV[2]) then
  redis.call('HDEL', KEYS[1], '')
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
end
return exists
