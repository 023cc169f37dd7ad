-- Take this second's turn to sweep a Redis that is full. Redis would refuse SET as the first write. But a script may
-- continue once it has made a write that never takes memory.
--
-- KEYS   1 the sweeper's lock
-- ARGV   1 token, 2 milliseconds
-- Return 1 if the turn is the caller's, otherwise false
-- Cost   1 to 3 calls

if redis.call('EXISTS', KEYS[1]) == 1 then
  return false
end
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
