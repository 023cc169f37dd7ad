-- One announce's step in a swarm: join, update or leave, then counts and candidates. One EVALSHA, any size of swarm.
--
-- KEYS   1-6 as in tables.lua, 7 first_seen of the asker's key
-- ARGV   1 the asker's record as it would join (74 bytes)
--        2 packed: now, oldest last-seen that lives, when a new swarm is first swept, window, two window seeds (u32
--        each), rivals, witnesses (u16 each), role (0 leecher, 1 seeder, 2 partial seed), family (4, 6), stopped,
--        peers_per_key (u8 each), digest of the peer_id (4 bytes)
-- Return 1 packed: seeders, leechers, partial seeds, first_seen, snatches (u32 each, snatches 2^32-1 if unknown),
--        whether the asker lives on both address families (u8)
--        2... records of candidates, in pieces
-- Cost   4 to 8 calls, about 20 us, and 0.3 us for each record of the windows

local asker = ARGV[1]
local now, oldest, first_sweep, window, seed, seed2, rivals, witnesses, role, family, stopped, peers_per_key, digest =
  unpack_bytes('<I4I4I4I4I4I4I2I2BBBBc4', ARGV[2])
local identity, peer_id = sub(asker, 1, 8), sub(asker, 17, 36)
local own_side = role == 0 and 2 or 1

local fields = call('HMGET', MEMBERS, 'n', 'd', identity)
load_counts(fields[1])
local snatches = tonumber(fields[2] or '') or 4294967295
entries[identity] = fields[3] or ''

-- Drop an entry of the asker's key that points to somebody else's record or to none.
local function heal(code)
  replace_code(identity, code, '')
end

-- Return table, slot and the records from there on (three, or fewer at the end) of the asker's peer_id.
local function find_own()
  local entry = entries[identity]
  for at = 1, #entry, 8 do
    if sub(entry, at, at + 3) == digest then
      local code = sub(entry, at + 4, at + 7)
      local side, slot = slot_of(code)
      local records = read(side, slot, 3)
      if slot >= count[side] or sub(records, 1, 8) ~= identity then
        heal(code)
      elseif sub(records, 17, 36) == peer_id then
        return side, slot, records
      end
    end
  end
end

-- Return the valid records of the asker's key as {table, slot, record}.
local function members_of_key()
  local entry, found = entries[identity], {}
  for at = 5, #entry, 8 do
    local code = sub(entry, at, at + 3)
    local side, slot = slot_of(code)
    local record = read(side, slot, 1)
    if slot < count[side] and sub(record, 1, 8) == identity then
      found[#found + 1] = {side, slot, record}
    else
      heal(code)
    end
  end
  return found
end

-- Clients leave under another peer_id than they joined with: then the endpoint says who.
local function find_by_endpoint()
  local from, to = 51, 56
  if family == 6 then
    from, to = 57, 74
  end
  for _, member in ipairs(members_of_key()) do
    if sub(member[3], from, to) == sub(asker, from, to) then
      return unpack(member)
    end
  end
end

-- The asker's record with what the one before it said of the other address family, while that lives.
local function merge(old)
  local seen4, seen6, endpoint4, endpoint6 =
    sub(asker, 41, 44), sub(asker, 45, 48), sub(asker, 51, 56), sub(asker, 57, 74)
  local old_seen4, old_seen6 = unpack_bytes('<I4I4', old, 41)
  if family == 4 and old_seen6 >= oldest then
    seen6, endpoint6 = sub(old, 45, 48), sub(old, 57, 74)
  elseif family == 6 and old_seen4 >= oldest then
    seen4, endpoint4 = sub(old, 41, 44), sub(old, 51, 56)
  end
  return sub(asker, 1, 36) .. sub(old, 37, 40) .. seen4 .. seen6 .. sub(asker, 49, 50) .. endpoint4 .. endpoint6
end

local function evict_longest_silent(members)
  local victim = members[1]
  for _, member in ipairs(members) do
    if last_seen(member[3]) < last_seen(victim[3]) then
      victim = member
    end
  end
  remove(unpack(victim))
end

local function insert(record)
  local slot = append(own_side, record)
  set_entry(identity, entries[identity] .. digest .. code_of(own_side, slot))
  if role == 2 then
    partial_seeds = partial_seeds + 1
  end
  return slot
end

local function join()
  local members = entries[identity] ~= '' and members_of_key() or {}
  local first_seen = members[1] and sub(members[1][3], 37, 40)
  if not first_seen then
    local remembered = call('GET', KEYS[7])
    first_seen = remembered and pack('<I4', tonumber(remembered)) or sub(asker, 37, 40)
  end
  if #members >= peers_per_key then
    evict_longest_silent(members)
  end
  asker = sub(asker, 1, 36) .. first_seen .. sub(asker, 41)
  return insert(asker)
end

local function update(side, slot, old)
  asker = merge(old)
  if side ~= own_side then
    remove(side, slot, old)
    return insert(asker)
  end
  write(side, slot, asker)
  if side == 1 and sub(old, 50, 50) ~= sub(asker, 50, 50) then
    local was = math.floor(byte(old, 50) / PARTIAL_SEED) % 2
    partial_seeds = partial_seeds - was + (role == 2 and 1 or 0)
  end
  return slot
end

-- The clock hand is the asker's own slot: every live peer looks at the two slots behind its own once an interval.
-- ``records`` starts at the asker's slot, if it was read.
local function expire_behind(slot, records)
  local expired = {}
  for step = 1, math.min(2, count[own_side] - 1) do
    local at = (slot + step) % count[own_side]
    local record = at == slot + step and records and sub(records, step * SIZE + 1, step * SIZE + SIZE) or ''
    if #record < SIZE then
      record = read(own_side, at, 1)
    end
    if #record == SIZE and last_seen(record) < oldest then
      expired[#expired + 1] = {at, record}
    end
  end
  -- The higher slot first: what moves into a hole then never comes from the lower one.
  if expired[2] and expired[2][1] > expired[1][1] then
    expired[1], expired[2] = expired[2], expired[1]
  end
  for _, found in ipairs(expired) do
    remove(own_side, found[1], found[2])
  end
end

-- Windows go into the reply as they are read: Redis' Lua hashes every byte of every string it makes, so joining them
-- would cost more than all the rest.
local reply = {}

-- Add ``wanted`` records from ``first`` on, round the end of the dense part.
local function add_piece(side, first, wanted)
  local beyond = math.max(0, first + wanted - count[side])
  reply[#reply + 1] = read(side, first, wanted - beyond)
  if beyond > 0 then
    reply[#reply + 1] = read(side, 0, beyond)
  end
end

-- Add two windows at places that the seeds fix; a table that grows moves them by little, so asking again reveals
-- little.
local function add_windows(side, wanted)
  local records = count[side]
  if wanted >= records then
    add_piece(side, 0, records)
    return
  end
  local half = math.ceil(wanted / 2)
  local first = math.floor(seed * records / 4294967296)
  local gap = math.floor(seed2 * (records - wanted + 1) / 4294967296)
  add_piece(side, first, half)
  add_piece(side, (first + half + gap) % records, wanted - half)
end

-- Seeders want leechers. For choosing among them they want to know of all other seeders, unless those are many; and
-- now and then of some seeders in any case.
local function add_leechers_and_rivals()
  local of_seeders = witnesses
  if window > 0 and count[2] > 0 and count[1] <= rivals then
    of_seeders = math.max(witnesses, rivals)
  end
  if of_seeders > 0 then
    add_windows(1, of_seeders)
  end
  add_windows(2, window)
end

-- Leechers want both tables in proportion, but at least a quarter of each if there are so many.
local function add_candidates()
  if stopped == 1 then
    return
  elseif role ~= 0 then
    add_leechers_and_rivals()
    return
  elseif window == 0 then
    return
  end
  local floor = math.floor(window / 4)
  local share = math.floor(window * count[1] / math.max(1, count[1] + count[2]))
  local of_seeders = math.min(count[1], math.max(floor, math.min(share, window - floor)))
  local of_leechers = math.min(count[2], window - of_seeders)
  add_windows(1, math.min(count[1], window - of_leechers))
  add_windows(2, of_leechers)
end

local function leave(side, slot, record)
  if not side then
    side, slot, record = find_by_endpoint()
  end
  if side then
    record = sub(record, 1, SIZE)
    asker = record
    remove(side, slot, record)
  end
end

local side, slot, records = find_own()
if stopped == 1 then
  leave(side, slot, records)
else
  if side then
    slot = update(side, slot, sub(records, 1, SIZE))
    if side ~= own_side then
      records = nil
    end
  else
    slot = join()
  end
  expire_behind(slot, records)
end
local absent = created and count[1] + count[2] == 0
if not absent then
  if created then
    call('ZADD', KEYS[6], first_sweep, INFO_HASH)
    call('HINCRBY', KEYS[4], 'w', 1)
  end
  save(now)
end
local first_seen, seen4, seen6 = unpack_bytes('<I4I4I4', asker, 37)
local dual = seen4 > 0 and seen6 > 0 and math.min(seen4, seen6) >= oldest and 1 or 0
reply[1] = pack('<I4I4I4I4I4B', count[1] - partial_seeds, count[2], partial_seeds, first_seen, snatches, dual)
add_candidates()
return reply
