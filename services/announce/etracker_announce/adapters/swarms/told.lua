-- Count a message to an offender about itself, unless it had enough of them.
--
-- KEYS   1 the offender's hash
-- ARGV   1 now, 2 since when the verdict holds, 3 most messages, 4 seconds between two, 5 seconds until the hash expires
-- Return 1 if the message is due, otherwise 0
-- Cost   1 or 3 calls

local now, count, last = tonumber(ARGV[1]), 0, 0
local told = redis.call('HGET', KEYS[1], redis_keys.TOLD_FIELD)
if told then
  count, last = struct.unpack('<BI4', told)
end
if last < tonumber(ARGV[2]) then
  count, last = 0, 0
end
if count >= tonumber(ARGV[3]) or now - last < tonumber(ARGV[4]) then
  return 0
end
redis.call('HSET', KEYS[1], redis_keys.TOLD_FIELD, struct.pack('<BI4', count + 1, now))
redis.call('EXPIRE', KEYS[1], ARGV[5])
return 1
