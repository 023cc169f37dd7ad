-- Add an entry to the stream of a Redis that is full; the worker removes the entry within seconds. Redis would refuse
-- XADD as the first write. But a script may continue once it has made a write that never takes memory.
--
-- KEYS   1 a shard of the stream
-- ARGV   1 packed facts
-- Return the entry's id
-- Cost   2 calls

redis.call('XDEL', KEYS[1], '0-1')
return redis.call('XADD', KEYS[1], '*', redis_keys.ENTRY_FIELD, ARGV[1])
