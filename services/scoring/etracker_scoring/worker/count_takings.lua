-- Count what address prefixes took within an hour. Of too many prefixes, those with the fewest torrents are left out;
-- among equals, those that have been silent longest.
--
-- KEYS   1 ranking  2 lists  3... torrents of each prefix
-- ARGV   1 the most prefixes to keep  2 when all of this expires, Unix seconds  3 how far into the hour, below 1
--        then for each prefix: its name, its lists, the number of its torrents, its torrents
-- Return the names of the prefixes that were left out
-- Cost   4 calls a prefix, 1 for each that is left out, and 4

local at = 4
for own = 3, #KEYS do
  local name, torrents = ARGV[at], tonumber(ARGV[at + 2])
  local last = at + 2 + torrents
  redis.call('PFADD', KEYS[own], unpack(ARGV, at + 3, last))
  redis.call('EXPIREAT', KEYS[own], ARGV[2])
  redis.call('HINCRBY', KEYS[2], name, ARGV[at + 1])
  local distinct = redis.call('PFCOUNT', KEYS[own])
  redis.call('ZADD', KEYS[1], distinct + ARGV[3], name)
  at = last + 1
end
redis.call('EXPIREAT', KEYS[1], ARGV[2])
redis.call('EXPIREAT', KEYS[2], ARGV[2])
local left_out = {}
local excess = redis.call('ZCARD', KEYS[1]) - ARGV[1]
if excess > 0 then
  local popped = redis.call('ZPOPMIN', KEYS[1], excess)
  for place = 1, #popped, 2 do
    redis.call('HDEL', KEYS[2], popped[place])
    left_out[#left_out + 1] = popped[place]
  end
end
return left_out
