-- The packed tables of one swarm: what announce.lua and sweep.lua share. Both include it, so its locals are theirs.
--
-- KEYS   1 seeders (and partial seeds), 2 leechers, 3 members, 4 totals, 5 changed, 6 due
-- A swarm has two sides: 1, the seeders' table, and 2, the leechers'.
-- A table is a string of records of 74 bytes (RECORD in domain/swarm.py), dense from the start; what lies behind the
-- counted records is slack. A slot's code is its number, plus 2^31 in the leechers' table, in 4 bytes. A member's
-- field is up to peers_per_key entries of 8 bytes: a digest of the peer_id and the code of its slot.
-- Nothing trusts a slot without comparing the identity in it, so that a wrong one heals at its owner's next announce.

local SIZE, LEECHER_BIT, PARTIAL_SEED = 74, 2147483648, 2
local SMALL_TABLE = 1048576
local FIRST_SEEN_SECONDS = 86400
local call, sub, byte, pack, unpack_bytes = redis.call, string.sub, string.byte, struct.pack, struct.unpack
local MEMBERS = KEYS[3]
local INFO_HASH = sub(MEMBERS, 6)

local count = {0, 0}
local partial_seeds, hand = 0, 0
local created, shrunk = true, {}
local before_seeders, before_leechers, before_partial = 0, 0, 0
local counts_field
local entries, dirty, left = {}, {}, {}
local full = false

-- A full Redis refuses a script's first write if that command may take memory, and lets a script finish that has
-- written already. So ask with a SETRANGE that changes nothing; if it is refused, open the way with a ZREM that changes
-- nothing either. From there on the caller must not take more memory than it gives back.
local function begin_writing()
  local answer = redis.pcall('SETRANGE', KEYS[1], 0, '')
  if type(answer) == 'table' and string.find(answer.err, 'OOM', 1, true) then
    full = true
    call('ZREM', KEYS[6], '')
  elseif type(answer) == 'table' then
    call('SETRANGE', KEYS[1], 0, '') -- the disk is full, or this is a replica: fail with Redis' own words
  end
end

local function load_counts(value)
  if value then
    created, counts_field = false, value
    count[1], count[2], partial_seeds, hand = unpack_bytes('<I4I4I4I4', value)
    before_seeders, before_leechers, before_partial = count[1] - partial_seeds, count[2], partial_seeds
  end
end

local function code_of(side, slot)
  return pack('<I4', side == 2 and slot + LEECHER_BIT or slot)
end

local function slot_of(code)
  local number = unpack_bytes('<I4', code)
  if number >= LEECHER_BIT then
    return 2, number - LEECHER_BIT
  end
  return 1, number
end

local function read(side, slot, records)
  if records < 1 then
    return ''
  end
  return call('GETRANGE', KEYS[side], slot * SIZE, (slot + records) * SIZE - 1)
end

local function write(side, slot, record)
  call('SETRANGE', KEYS[side], slot * SIZE, record)
end

local function entry_of(identity)
  local entry = entries[identity]
  if not entry then
    entry = call('HGET', MEMBERS, identity) or ''
    entries[identity] = entry
  end
  return entry
end

local function set_entry(identity, entry)
  entries[identity] = entry
  dirty[identity] = true
end

-- Put another code (4 bytes), or none (''), in the place of a member's code; false if it has no such code.
local function replace_code(identity, code, new_code)
  local entry = entry_of(identity)
  for at = 5, #entry, 8 do
    if sub(entry, at, at + 3) == code then
      local digest = new_code ~= '' and sub(entry, at - 4, at - 1) or ''
      set_entry(identity, sub(entry, 1, at - 5) .. digest .. new_code .. sub(entry, at + 4))
      return true
    end
  end
  return false
end

-- Take a record out of its slot and move the last one of the table into the hole.
local function remove(side, slot, record)
  local identity, last = sub(record, 1, 8), count[side] - 1
  if replace_code(identity, code_of(side, slot), '') then
    left[identity] = unpack_bytes('<I4', sub(record, 37, 40))
  end
  if side == 1 and math.floor(byte(record, 50) / PARTIAL_SEED) % 2 == 1 then
    partial_seeds = partial_seeds - 1
  end
  count[side], shrunk[side] = last, true
  if slot < last then
    local moved = read(side, last, 1)
    write(side, slot, moved)
    replace_code(sub(moved, 1, 8), code_of(side, last), code_of(side, slot))
  end
end

local function last_seen(record, at)
  local seen4, seen6 = unpack_bytes('<I4I4', record, (at or 0) + 41)
  return math.max(seen4, seen6)
end

-- Put a record behind the last one. SETRANGE doubles the memory of a string it makes longer, so a table below a
-- megabyte grows by an eighth here, written whole.
local function append(side, record)
  local slot = count[side]
  local length = slot * SIZE
  count[side] = slot + 1
  if length < SMALL_TABLE and call('STRLEN', KEYS[side]) < length + SIZE then
    local kept = read(side, 0, slot)
    local lost = string.rep('\0', length - #kept)
    call('SET', KEYS[side], kept .. lost .. record .. string.rep('\0', math.floor(slot / 8) * SIZE))
  else
    write(side, slot, record)
  end
  return slot
end

-- Redis can't shorten a string: rewrite it once more than a quarter of it is slack.
local function trim(side)
  local records = count[side]
  if records == 0 then
    call('DEL', KEYS[side])
  elseif call('STRLEN', KEYS[side]) * 3 > records * SIZE * 4 then
    call('SET', KEYS[side], read(side, 0, records))
  end
end

-- A key whose last member left is remembered for a day: first_seen is the key's, not the peer_id's. A full Redis
-- forgets it, since remembering takes as much memory as the peer gave back.
local function save_entries(fields)
  local gone = {}
  for identity in pairs(dirty) do
    if entries[identity] ~= '' then
      fields[#fields + 1] = identity
      fields[#fields + 1] = entries[identity]
    else
      gone[#gone + 1] = identity
      if left[identity] and not full then
        call('SET', sub(MEMBERS, 1, 4) .. 'f' .. INFO_HASH .. identity, left[identity], 'EX', FIRST_SEEN_SECONDS)
      end
    end
  end
  if #gone > 0 then
    call('HDEL', MEMBERS, unpack(gone))
  end
end

local function save_counts(now)
  local seeders, leechers = count[1] - partial_seeds, count[2]
  if seeders ~= before_seeders then
    call('HINCRBY', KEYS[4], 's', seeders - before_seeders)
  end
  if leechers ~= before_leechers then
    call('HINCRBY', KEYS[4], 'l', leechers - before_leechers)
  end
  if seeders ~= before_seeders or leechers ~= before_leechers or partial_seeds ~= before_partial then
    call('ZADD', KEYS[5], now, INFO_HASH)
  end
end

-- Write what changed in the bookkeeping.
local function save(now)
  for side in pairs(shrunk) do
    trim(side)
  end
  local fields = {}
  local counts = pack('<I4I4I4I4', count[1], count[2], partial_seeds, hand)
  if counts ~= counts_field then
    fields = {'n', counts}
  end
  save_entries(fields)
  if #fields > 0 then
    call('HSET', MEMBERS, unpack(fields))
  end
  save_counts(now)
end
