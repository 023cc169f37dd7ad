-- Replace a tag's mark. A full Redis would refuse GETSET, but lets a script finish after a write that takes no memory.
--
-- KEYS   1 synced
-- ARGV   1 Unix seconds
-- Return the previous mark, or false if there was none
-- Cost   3 calls

local before = redis.call('GET', KEYS[1])
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1])
return before
