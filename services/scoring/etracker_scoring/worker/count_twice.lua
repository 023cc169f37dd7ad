-- Note how many peers of a hybrid torrent are in both of its swarms, and add the difference to the totals.
--
-- A full Redis lets a script finish once it has made a write that takes no memory, hence the HDEL.
--
-- KEYS   1 twice
-- ARGV   1 the torrent's infohash  2 seeders  3 leechers
-- Return nothing
-- Cost   4 or 5 calls

local before = redis.call('HGET', KEYS[1], ARGV[1])
local seeders, leechers = tonumber(ARGV[2]), tonumber(ARGV[3])
local seeders_before, leechers_before = 0, 0
if before then
  seeders_before, leechers_before = struct.unpack('<I4I4', before)
end
redis.call('HDEL', KEYS[1], ARGV[1])
if seeders + leechers > 0 then
  redis.call('HSET', KEYS[1], ARGV[1], struct.pack('<I4I4', seeders, leechers))
end
redis.call('HINCRBY', KEYS[1], redis_keys.SEEDERS_FIELD, seeders - seeders_before)
redis.call('HINCRBY', KEYS[1], redis_keys.LEECHERS_FIELD, leechers - leechers_before)
