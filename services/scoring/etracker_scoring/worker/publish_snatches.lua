-- Write into a swarm how often its torrent was snatched, if the swarm exists.
--
-- Two workers may publish in another order than they committed: the larger number is the newer one.
--
-- KEYS   1 members
-- ARGV   1 snatches, absolute
-- Return 1 if it exists
-- Cost   3 calls

local exists = redis.call('EXISTS', KEYS[1])
if exists == 1 and tonumber(redis.call('HGET', KEYS[1], 'd') or '-1') < tonumber(ARGV[1]) then
  redis.call('HSET', KEYS[1], 'd', ARGV[1])
end
return exists
