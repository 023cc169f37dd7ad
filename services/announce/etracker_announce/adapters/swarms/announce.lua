-- One announce's step in a swarm of any size: join, update or leave, then counts and candidates.
--
-- KEYS   1-8 as in tables.lua
-- ARGV   1 the asker's record as it would be if it joined now (74 bytes)
--        2 packed: now, oldest last announce of an unexpired peer, when a new swarm is first swept, records in the
--        windows, two numbers that place the windows (u32 each), rivals, witnesses (u16 each), role (0 leecher, 1
--        seeder, 2 partial seed), address family (4, 6), what to do (0 take part, 1 leave, 2 only look), peers_per_key,
--        peers_per_address (u8 each), digest of the peer_id (4 bytes), units left of a leecher, seconds that count of the
--        time since its last announce at most (u32 each), share of them that counts without progress (double)
-- Return 1 packed: seeders, leechers, partial seeds, first_seen, snatches (u32 each, snatches 2^32-1 if unknown),
--        bits (u8): 1 the asker is unexpired on both address families, 2 it is a leecher that made progress
--        2... records of candidates, in pieces
-- Cost   3 to 8 calls and about 10 us if only the asker's own record changes; otherwise 8 to 30 calls and about 30 us;
--        and 0.1 us for each record of the windows
--
-- Nearly all announces come from members and change nothing but the member's own record. This file handles these
-- without defining a function: creating the thirty closures of tables.lua and change.lua costs more than all the rest
-- of such a step.

local SIZE = 74
local call, sub, unpack_bytes = redis.call, string.sub, struct.unpack
local MEMBERS, asker = KEYS[3], ARGV[1]
local now, oldest, first_sweep, window, place1, place2, rivals, witnesses, role, family, stopped, peers_per_key,
  peers_per_address, digest, left, longest, idle = unpack_bytes('<I4I4I4I4I4I4I2I2BBBBBc4I4I4d', ARGV[2])
local identity, pair_hash, _, peer_id, _, rest = unpack_bytes('<c8c4I4c20I4c34', asker)
local own_side = role == 0 and 2 or 1

local fields = call('HMGET', MEMBERS, redis_keys.COUNTS_FIELD, redis_keys.SNATCHES_FIELD, identity)
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

local in_place, progressed, first_seen, bits = false, false, 0, 0
local own_count = own_side == 1 and in_seeders or in_leechers
if slot >= 0 and slot < own_count then
  local own = call('GETRANGE', KEYS[own_side], slot * SIZE, (slot + 3) * SIZE - 1)
  local own_identity, own_peer_id, left_or_age, last, seen6, _
  if #own >= SIZE then
    own_identity, _, left_or_age, own_peer_id, first_seen, last, seen6 = unpack_bytes('<c8I4I4c20I4I4I4', own)
    -- A record without a time for one of the families has no endpoint of it either.
    in_place = own_identity == identity and own_peer_id == peer_id and sub(own, 50, SIZE) == sub(rest, 10)
    last = last + seen6
  end
  -- Every live peer looks at the two slots after its own once per interval, so no position has to be stored.
  local first
  for step = 1, in_place and math.min(2, own_count - 1) or 0 do
    local records, at = own, step * SIZE
    if slot + step >= own_count then
      first = first or call('GETRANGE', KEYS[own_side], 0, 2 * SIZE - 1)
      records, at = first, (slot + step - own_count) * SIZE
    end
    if #records >= at + SIZE then
      local seen4, seen6 = unpack_bytes('<I4I4', records, at + 41)
      in_place = in_place and (seen4 >= oldest or seen6 >= oldest)
    end
  end
  if in_place then
    if role == 0 then
      -- As aged() in change.lua. The flags are equal, so the asker asked for peers both times or not at all.
      local present = last < oldest and 0 or now - last
      present = present > longest and longest or present < 0 and 0 or present
      if left < left_or_age then
        progressed, left_or_age = true, left
      else
        local from, to = last * idle, (last + present) * idle
        present = to - to % 1 - (from - from % 1) -- rounded down at both ends; math.floor would take longer
      end
      first_seen = first_seen + now - last - present
    end
    local record = struct.pack('<c8c4I4c20I4c34', identity, pair_hash, left_or_age, peer_id, first_seen, rest)
    local written = redis.pcall('SETRANGE', KEYS[own_side], slot * SIZE, record)
    -- If Redis is full or can't write, change.lua decides what may still be done.
    in_place = type(written) == 'number'
  end
end

if not in_place and stopped < 2 then
  -- include tables.lua
  -- include addresses.lua
  -- include change.lua
end

if not in_place then
  local seen4, seen6
  first_seen, seen4, seen6 = unpack_bytes('<I4I4I4', asker, 37)
  bits = seen4 > 0 and seen6 > 0 and math.min(seen4, seen6) >= oldest and 1 or 0
end
bits = progressed and bits + 2 or bits
-- The windows are separate elements of the reply: Redis' Lua hashes every byte of every string it creates, so
-- concatenating them would cost more than all the rest.
local reply = {
  struct.pack('<I4I4I4I4I4B', in_seeders - partials, in_leechers, partials, first_seen, snatches, bits),
}
if stopped == 1 then
  return reply
end

-- The number of records of each table that the asker may see.
local of_seeders, of_leechers = witnesses, window
if role == 0 then
  -- Leechers are given both kinds in proportion, but at least a quarter of the window from each table that has that many.
  local quarter = math.floor(window / 4)
  local proportional = math.floor(window * in_seeders / math.max(1, in_seeders + in_leechers))
  local reserved = math.min(in_seeders, math.max(quarter, math.min(proportional, window - quarter)))
  of_leechers = math.min(in_leechers, window - reserved)
  of_seeders = math.min(in_seeders, window - of_leechers)
elseif window > 0 and in_leechers > 0 and in_seeders <= rivals then
  -- Seeders are given leechers. A policy that chooses among them may also need every other seeder, if there are few
  -- (rivals), and from time to time the tracker counts the address prefixes that seeders come from (witnesses).
  of_seeders = math.max(witnesses, rivals)
end

-- Read all records of a table, or two windows that may run past its end and continue at its start. When a table grows,
-- the windows move only a little, so that announcing again reveals little.
for side = 1, 2 do
  local records, wanted = in_seeders, of_seeders
  if side == 2 then
    records, wanted = in_leechers, of_leechers
  end
  local start, length, second = 0, records, nil
  if wanted < records then
    length = math.ceil(wanted / 2)
    start = math.floor(place1 * records / 4294967296)
    local gap = math.floor(place2 * (records - wanted + 1) / 4294967296)
    second = (start + length + gap) % records
  end
  while length > 0 and wanted > 0 do
    local beyond = math.max(0, start + length - records)
    reply[#reply + 1] = call('GETRANGE', KEYS[side], start * SIZE, (start + length - beyond) * SIZE - 1)
    if beyond > 0 then
      reply[#reply + 1] = call('GETRANGE', KEYS[side], 0, beyond * SIZE - 1)
    end
    start, length, second = second, second and wanted - length or 0, nil
  end
end
return reply
