-- Replace a tag's mark. GETSET would be refused by a Redis that is full; after a write that never takes memory the mark is
-- let through.
--
-- KEYS   1 synced
-- ARGV   1 Unix seconds
-- Return the mark before, false if there was none
-- Cost   3 calls

local before = redis.call('GET', KEYS[1])
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1])
return before
