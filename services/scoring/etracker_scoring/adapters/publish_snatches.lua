-- Tell a swarm how often its torrent was snatched, if the swarm exists.
--
-- KEYS   1 members
-- ARGV   1 snatches, absolute
-- Return 1 if it exists
-- Cost   2 calls

local exists = redis.call('EXISTS', KEYS[1])
if exists == 1 then
  redis.call('HSET', KEYS[1], 'd', ARGV[1])
end
return exists
