-- Put an entry into the stream of a Redis that is full: the worker takes it out again within seconds. An XADD alone
-- would be refused; after a write that never takes memory it is let through.
--
-- KEYS   1 a shard of the stream
-- ARGV   1 field, 2 packed facts
-- Return the entry's id
-- Cost   2 calls

redis.call('XDEL', KEYS[1], '0-1')
return redis.call('XADD', KEYS[1], '*', ARGV[1], ARGV[2])
