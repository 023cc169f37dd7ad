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
-- Cost   3 to 8 calls, about 12 us for a member who goes on as before and 25 us for others, and 0.3 us for each record
--        of the windows
--
-- Nearly all announces are of members who go on as before. They come through here without a function being defined:
-- making the thirty closures of change.lua costs more than all the rest of such a step.

local SIZE = 74
local call, sub, byte, unpack_bytes = redis.call, string.sub, string.byte, struct.unpack
local MEMBERS, asker = KEYS[3], ARGV[1]
local now, oldest, first_sweep, window, seed, seed2, rivals, witnesses, role, family, stopped, peers_per_key, digest =
  unpack_bytes('<I4I4I4I4I4I4I2I2BBBBc4', ARGV[2])
local identity = sub(asker, 1, 8)
local own_side = role == 0 and 2 or 1

local fields = call('HMGET', MEMBERS, 'n', 'd', identity)
local counts, snatches, entry = fields[1], tonumber(fields[2] or '') or 4294967295, fields[3] or ''
local in_seeders, in_leechers, partials = 0, 0, 0
if counts then
  in_seeders, in_leechers, partials = unpack_bytes('<I4I4I4', counts)
end

local slot = -1
if stopped == 0 then
  for at = 1, #entry, 8 do
    if sub(entry, at, at + 3) == digest then
      slot = unpack_bytes('<I4', entry, at + 4) - (own_side == 2 and 2147483648 or 0)
      break
    end
  end
end

local usual = false
local own_count = own_side == 1 and in_seeders or in_leechers
if slot >= 0 and slot < own_count then
  local own = call('GETRANGE', KEYS[own_side], slot * SIZE, (slot + 3) * SIZE - 1)
  if sub(own, 1, 8) == identity and sub(own, 17, 36) == sub(asker, 17, 36) and byte(own, 50) == byte(asker, 50) then
    local seen4, seen6 = unpack_bytes('<I4I4', own, 41)
    usual = (family == 4 and seen6 or seen4) < oldest
  end
  -- The clock hand is the asker's own slot: every live peer looks at the two slots behind its own once an interval.
  local first
  for step = 1, usual and math.min(2, own_count - 1) or 0 do
    local records, at = own, step * SIZE
    if slot + step >= own_count then
      first = first or call('GETRANGE', KEYS[own_side], 0, 2 * SIZE - 1)
      records, at = first, (slot + step - own_count) * SIZE
    end
    if #records >= at + SIZE then
      local seen4, seen6 = unpack_bytes('<I4I4', records, at + 41)
      usual = usual and (seen4 >= oldest or seen6 >= oldest)
    end
  end
  if usual then
    asker = sub(asker, 1, 36) .. sub(own, 37, 40) .. sub(asker, 41)
    local written = redis.pcall('SETRANGE', KEYS[own_side], slot * SIZE, asker)
    -- Redis is full or can't write; change.lua knows what may go on.
    usual = type(written) == 'number'
  end
end

if not usual then
  -- include tables.lua
  -- include change.lua
end

local first_seen, seen4, seen6 = unpack_bytes('<I4I4I4', asker, 37)
local dual = seen4 > 0 and seen6 > 0 and math.min(seen4, seen6) >= oldest and 1 or 0
-- Windows go into the reply as they are read: Redis' Lua hashes every byte of every string it makes, so joining them
-- would cost more than all the rest.
local reply = {
  struct.pack('<I4I4I4I4I4B', in_seeders - partials, in_leechers, partials, first_seen, snatches, dual),
}
if stopped == 1 then
  return reply
end

-- How many records of each table to show.
local of_seeders, of_leechers = witnesses, window
if role == 0 then
  -- Leechers want both tables in proportion, but at least a quarter of each if there are so many.
  local least = math.floor(window / 4)
  local share = math.floor(window * in_seeders / math.max(1, in_seeders + in_leechers))
  local at_least = math.min(in_seeders, math.max(least, math.min(share, window - least)))
  of_leechers = math.min(in_leechers, window - at_least)
  of_seeders = math.min(in_seeders, window - of_leechers)
elseif window > 0 and in_leechers > 0 and in_seeders <= rivals then
  -- Seeders want leechers. For choosing among them they want to know of all other seeders, unless those are many; and
  -- now and then of some seeders in any case.
  of_seeders = math.max(witnesses, rivals)
end

-- Of a table, everything or two windows at places that the seeds fix, round the end of the dense part; a table that
-- grows moves them by little, so asking again reveals little.
for side = 1, 2 do
  local records, wanted = in_seeders, of_seeders
  if side == 2 then
    records, wanted = in_leechers, of_leechers
  end
  local place, length, second = 0, records, nil
  if wanted < records then
    length = math.ceil(wanted / 2)
    place = math.floor(seed * records / 4294967296)
    local gap = math.floor(seed2 * (records - wanted + 1) / 4294967296)
    second = (place + length + gap) % records
  end
  while length > 0 and wanted > 0 do
    local beyond = math.max(0, place + length - records)
    reply[#reply + 1] = call('GETRANGE', KEYS[side], place * SIZE, (place + length - beyond) * SIZE - 1)
    if beyond > 0 then
      reply[#reply + 1] = call('GETRANGE', KEYS[side], 0, beyond * SIZE - 1)
    end
    place, length, second = second, second and wanted - length or 0, nil
  end
end
return reply
