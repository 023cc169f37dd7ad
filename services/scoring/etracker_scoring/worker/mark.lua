-- Replace a tag's mark. A Redis that is full would refuse GETSET; after a write that never takes memory a script may continue.
--
-- KEYS   1 synced
-- ARGV   1 Unix seconds
-- Return the previous mark, or false if there was none
-- Cost   3 calls

local before = redis.call('GET', KEYS[1])
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1])
return before
