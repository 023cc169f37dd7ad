-- Add an entry to the stream of a Redis that is full; the worker removes it again within seconds. XADD alone would be
-- refused; after a write that never takes memory a script may continue.
--
-- KEYS   1 a shard of the stream
-- ARGV   1 packed facts
-- Return the entry's id
-- Cost   2 calls

redis.call('XDEL', KEYS[1], '0-1')
return redis.call('XADD', KEYS[1], '*', redis_keys.ENTRY_FIELD, ARGV[1])
