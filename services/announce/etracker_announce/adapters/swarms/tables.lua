-- The packed tables of one swarm. announce.lua and sweep.lua include this file and use its locals.
--
-- KEYS   1 seeders (and partial seeds), 2 leechers, 3 members, 4 totals, 5 changed, 6 due, 7 first_seen, 8 addresses
-- ARGV   none of its own
-- Return nothing: the script that includes it does
-- Cost   about 8 us to create its functions; 1 to 4 calls per function
--
-- A swarm has two sides: 1, the seeders' table, and 2, the leechers'.
-- A table is a string of records of 74 bytes (RECORD in domain/swarm.py), dense from the start; bytes after the counted
-- records are slack. A slot's code is its number, plus 2^31 in the leechers' table, in 4 bytes. An identity is the first
-- 8 bytes of a key hash, or of a guest's hash. Its field in the members hash, called its entry, has 8 bytes for each of its
-- peers: 4 bytes of digest of the peer_id, then the 4 bytes of the slot's code.
-- A code is trusted only after a look at the identity in its slot, so a wrong code heals at its owner's next announce.

local SIZE, LEECHER_BIT, PARTIAL_SEED, ASKED = 74, 2147483648, 2, 128
local SMALL_TABLE = 1048576
local call, sub, byte, pack, unpack_bytes = redis.call, string.sub, string.byte, struct.pack, struct.unpack
local MEMBERS = KEYS[3]
local INFO_HASH = sub(MEMBERS, -20) -- every key of a swarm ends with it

local count = {0, 0}
local partial_seeds, unswept = 0, 0
local created, shrunk = true, {}
local seeders_before, leechers_before, partial_before = 0, 0, 0
local counts_before
local entries, changed_entries, departed = {}, {}, {}
local full = false
local change_addresses -- defined in addresses.lua

-- A full Redis refuses a script's first write if that command may take memory, but lets a script finish once it has
-- written something. So try a SETRANGE that changes nothing. If it is refused, make a ZREM that changes nothing the
-- first write. From then on the caller must not take more memory than it gives back.
local function begin_writing()
  local answer = redis.pcall('SETRANGE', KEYS[1], 0, '')
  if type(answer) == 'table' and string.find(answer.err, 'OOM', 1, true) then
    full = true
    call('ZREM', KEYS[6], '')
  elseif type(answer) == 'table' then
    call('SETRANGE', KEYS[1], 0, '') -- the disk is full, or this is a replica: fail with Redis' own error
  end
end

local function load_counts(value)
  if value then
    created, counts_before = false, value
    count[1], count[2], partial_seeds, unswept = unpack_bytes('<I4I4I4I4', value)
    seeders_before, leechers_before, partial_before = count[1] - partial_seeds, count[2], partial_seeds
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
  changed_entries[identity] = true
end

-- Replace a code (4 bytes) in an entry with another, or remove it if that is ''; return whether the entry had it.
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

local function last_seen(record, at)
  local seen4, seen6 = unpack_bytes('<I4I4', record, (at or 0) + 41)
  return math.max(seen4, seen6)
end

-- Return the age in seconds that a record's peer had reached as a leecher at its last announce. Records from before
-- other peers' ages were stored lack the flag ASKED.
local function age_of(record)
  local flags = byte(record, 50)
  if flags % 4 == 0 then
    return math.max(0, last_seen(record) - unpack_bytes('<I4', record, 37))
  end
  return flags >= ASKED and unpack_bytes('<I4', record, 13) or 0
end

-- Remove a record from its slot and move the last one of the table into the hole.
local function remove(side, slot, record)
  local identity, last = sub(record, 1, 8), count[side] - 1
  local is_guest = math.floor(byte(record, 50) / 4) % 2 == 1
  if replace_code(identity, code_of(side, slot), '') and not is_guest then
    departed[identity] = age_of(record)
  end
  change_addresses(record, code_of(side, slot))
  if side == 1 and math.floor(byte(record, 50) / PARTIAL_SEED) % 2 == 1 then
    partial_seeds = partial_seeds - 1
  end
  count[side], shrunk[side] = last, true
  if slot < last then
    local moved = read(side, last, 1)
    write(side, slot, moved)
    replace_code(sub(moved, 1, 8), code_of(side, last), code_of(side, slot))
    change_addresses(moved, code_of(side, last), code_of(side, slot))
  end
end

-- Append a record to a table. SETRANGE doubles the memory of a string that it lengthens, so a table below one megabyte
-- is rewritten instead, with an eighth of slack.
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

-- Write the entries that changed. The age of a key whose last peer left is remembered for a day, since it belongs to the
-- key and not to the peer_id. The score, exact in a double, has the hour of leaving above the lower 32 bits, and in these
-- the time at which the key would have joined to reach its age by the start of that hour. If Redis is full, nothing is
-- remembered, since that would take as much memory as the peer gave back.
local function save_entries(fields, now)
  local gone, remembered = {}, {}
  for identity in pairs(changed_entries) do
    if entries[identity] ~= '' then
      fields[#fields + 1] = identity
      fields[#fields + 1] = entries[identity]
    else
      gone[#gone + 1] = identity
      if (departed[identity] or 0) > 0 and not full then
        local hour = math.floor(now / 3600)
        remembered[#remembered + 1] = hour * 4294967296 + hour * 3600 - departed[identity]
        remembered[#remembered + 1] = identity
      end
    end
  end
  if #gone > 0 then
    call('HDEL', MEMBERS, unpack(gone))
  end
  if #remembered > 0 then
    call('ZADD', KEYS[7], unpack(remembered))
    call('EXPIRE', KEYS[7], redis_keys.FIRST_SEEN_SECONDS)
  end
end

local function save_counts(now)
  local seeders, leechers = count[1] - partial_seeds, count[2]
  if seeders ~= seeders_before then
    call('HINCRBY', KEYS[4], redis_keys.SEEDERS_FIELD, seeders - seeders_before)
  end
  if leechers ~= leechers_before then
    call('HINCRBY', KEYS[4], redis_keys.LEECHERS_FIELD, leechers - leechers_before)
  end
  if seeders ~= seeders_before or leechers ~= leechers_before or partial_seeds ~= partial_before then
    call('ZADD', KEYS[5], now, INFO_HASH)
  end
end
