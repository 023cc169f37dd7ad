-- One visit of the sweeper: look at a bounded number of records of a swarm, drop the expired ones, and put the swarm
-- back into the schedule, or delete it with all its keys once it is empty.
--
-- KEYS   1-6 as in tables.lua
-- ARGV   packed: now, oldest last-seen that lives, records to look at, seconds till the next round (u32 each)
-- Return how many records were looked at
-- Cost   10 to 30 us for 10 records that live; about 10 us more for each that expired

-- include tables.lua

local now, oldest, budget, pause = unpack_bytes('<I4I4I4I4', ARGV[1])
begin_writing()
load_counts(call('HGET', MEMBERS, 'n'))

-- Backwards: what moves into a hole comes from behind and was looked at already. ``stop`` is the slot after the last.
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

-- The hand is how many records are still to be looked at in this round: leechers first, then seeders; 0 starts again.
local all = count[1] + count[2]
local to_look = (hand == 0 or hand > all) and all or hand
local of_leechers = sweep_table(2, math.max(0, to_look - count[1]), budget)
local looked = of_leechers
to_look = to_look - of_leechers
if to_look <= count[1] and looked < budget then
  local of_seeders = sweep_table(1, to_look, budget - looked)
  looked, to_look = looked + of_seeders, to_look - of_seeders
end
hand = math.min(to_look, count[1] + count[2])

if count[1] + count[2] == 0 then
  hand = 0
  if not created then
    save(now)
    call('HINCRBY', KEYS[4], 'w', -1)
  end
  call('DEL', KEYS[1], KEYS[2], MEMBERS)
  call('ZREM', KEYS[6], INFO_HASH)
else
  save(now)
  call('ZADD', KEYS[6], hand == 0 and now + pause or now, INFO_HASH)
end
return looked
