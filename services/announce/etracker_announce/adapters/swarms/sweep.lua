-- One visit of the sweeper: look at a bounded number of records of a swarm, remove the expired ones, and put the swarm
-- back into the schedule, or delete it with its tables once it is empty.
--
-- KEYS   1-8 as in tables.lua
-- ARGV   1 packed: now, oldest last announce of an unexpired peer, records to look at, seconds until the next round (u32
--        each)
-- Return how many records were looked at
-- Cost   7 to 12 calls and 10 to 30 us for 10 unexpired records; about 10 us more for each expired one

-- include tables.lua
-- include addresses.lua

local MOST_FORGOTTEN = 1000
local now, oldest, budget, pause = unpack_bytes('<I4I4I4I4', ARGV[1])
begin_writing()
load_counts(call('HGET', MEMBERS, redis_keys.COUNTS_FIELD))

-- Sweep from the last slot to the first: a record that moves into a hole has then been looked at already. ``stop`` is
-- the slot after the last one.
local function sweep_table(side, stop, records)
  local start = math.max(0, stop - records)
  local chunk = read(side, start, stop - start)
  for slot = stop - 1, start, -1 do
    local at = (slot - start) * SIZE
    if #chunk < at + SIZE then
      remove(side, slot, string.rep('\0', SIZE))
    elseif last_seen(chunk, at) < oldest then
      remove(side, slot, sub(chunk, at + 1, at + SIZE))
    end
  end
  return stop - start
end

-- A round looks at leechers first, then at seeders. Unswept is how many records it still has to look at; 0 starts the
-- next round.
local all = count[1] + count[2]
local to_look = (unswept == 0 or unswept > all) and all or unswept
local of_leechers = sweep_table(2, math.max(0, to_look - count[1]), budget)
local looked = of_leechers
to_look = to_look - of_leechers
if to_look <= count[1] and looked < budget then
  local of_seeders = sweep_table(1, to_look, budget - looked)
  looked, to_look = looked + of_seeders, to_look - of_seeders
end
unswept = math.min(to_look, count[1] + count[2])

if count[1] + count[2] == 0 then
  unswept = 0
  if not created then
    save(now)
    call('HINCRBY', KEYS[4], redis_keys.SWARMS_FIELD, -1)
  end
  call('DEL', KEYS[1], KEYS[2], MEMBERS, ADDRESSES)
  call('ZREM', KEYS[6], INFO_HASH)
else
  save(now)
  call('ZADD', KEYS[6], unswept == 0 and now + pause or now, INFO_HASH)
end

-- Forget the ages of keys that left in an hour that ended more than a day ago.
local last_hour = math.floor(now / 3600) - redis_keys.FIRST_SEEN_SECONDS / 3600
local forgotten = call('ZRANGEBYSCORE', KEYS[7], '-inf', last_hour * 4294967296, 'LIMIT', 0, MOST_FORGOTTEN)
if #forgotten > 0 then
  call('ZREM', KEYS[7], unpack(forgotten))
end
return looked
