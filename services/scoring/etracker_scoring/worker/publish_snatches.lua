-- Tell a swarm how often its torrent was snatched, if the swarm exists; even in a Redis that is full, which lets a script
-- finish after a write that never takes memory.
--
-- KEYS   1 members
-- ARGV   1 snatches, absolute
-- Return 1 if it exists
-- Cost   3 calls

local exists = redis.call('EXISTS', KEYS[1])
if exists == 1 then
  redis.call('HDEL', KEYS[1], '')
  redis.call('HSET', KEYS[1], 'd', ARGV[1])
end
return exists
