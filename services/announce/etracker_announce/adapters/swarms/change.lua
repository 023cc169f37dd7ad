-- The part of announce.lua for announces that change more than the asker's own record: the asker joins, leaves, changes
-- sides, has another client, announces over the other address family, or meets expired peers that have to be removed.
-- announce.lua includes this file after addresses.lua and finds its results in its own locals.
--
-- KEYS   1-8 as in tables.lua
-- ARGV   as in announce.lua
-- Return nothing: announce.lua does
-- Cost   8 to 30 calls, of which 1 for each peer that the key of a joining asker already has, and about 6 for each peer
--        that is removed

begin_writing()
load_counts(counts)
entries[identity] = entry

-- Remove a code from the entry of the asker's key: it points to another key's record or to none.
local function heal(code)
  replace_code(identity, code, '')
end

-- Return the side and slot of the asker's peer_id, and the records from this slot on (three, or fewer at the end).
local function find_own()
  local entry = entries[identity]
  for at = 1, #entry, 8 do
    if sub(entry, at, at + 3) == digest then
      local code = sub(entry, at + 4, at + 7)
      local side, slot = slot_of(code)
      local records = read(side, slot, 3)
      if slot >= count[side] or sub(records, 1, 8) ~= identity then
        heal(code)
      elseif sub(records, 17, 36) == sub(asker, 17, 36) then
        return side, slot, records
      end
    end
  end
end

-- Return the records of the asker's key as {side, slot, record}.
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

-- Return the digest of the peer_id whose record is in a slot.
local function digest_of(of_identity, code)
  local entry = entry_of(of_identity)
  for at = 5, #entry, 8 do
    if sub(entry, at, at + 3) == code then
      return sub(entry, at - 4, at - 1)
    end
  end
end

local function is_asker(record)
  return sub(record, 1, 8) == identity and sub(record, 17, 36) == sub(asker, 17, 36)
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

local from, to = 51, 56
if family == 6 then
  from, to = 57, 74
end

-- Return the other peers at the asker's endpoint as {side, slot, record, digest of the peer_id it replaced there}.
local function others_at_endpoint()
  local field, port = address_of(asker, family)
  local peers, found = peers_at(field), {}
  for at = 1, #peers, ENTRY do
    if sub(peers, at, at + 1) == port then
      local code = sub(peers, at + 2, at + 5)
      local side, slot = slot_of(code)
      local record = read(side, slot, 1)
      if slot >= count[side] or #record < SIZE or address_of(record, family) ~= field then
        replace_address(field, code)
      elseif sub(record, from, to) == sub(asker, from, to) and not is_asker(record) then
        found[#found + 1] = {side, slot, record, sub(peers, at + 6, at + 9)}
      end
    end
  end
  return found
end

-- Return whether a peer at the asker's endpoint is the same client: it has the same key or peer_id, or it is a guest,
-- and only a client at a guest's endpoint can announce from there.
local function is_same_client(record)
  return sub(record, 1, 8) == identity or has_flag(record, GUEST) or sub(record, 17, 36) == sub(asker, 17, 36)
end

-- Return the age of a record's peer, with what counts of the time since its last announce. Source: domain/presence.py.
local function aged(record)
  local last, least = last_seen(record), unpack_bytes('<I4', record, 13)
  if byte(record, 50) % 4 > 0 or last < oldest then
    return age_of(record)
  end
  local share = left < least and 1 or byte(record, 50) >= ASKED and idle or 0
  local present = math.min(math.max(now - last, 0), longest)
  return age_of(record) + math.floor((last + present) * share) - math.floor(last * share)
end

-- What the asker's record takes over from earlier records.
local age, least, joined = 0, left, now

-- Let the asker continue as the peer of a record.
local function take_over(record)
  age = math.max(age, aged(record))
  local first_seen = unpack_bytes('<I4', record, 37)
  joined = math.min(joined, first_seen)
  if byte(record, 50) % 4 == 0 then
    local record_left = unpack_bytes('<I4', record, 13)
    progressed = progressed or (role == 0 and left < record_left)
    least = math.min(least, record_left)
  end
end

-- Write into the asker's record what it has taken over.
local function write_presence()
  local left_or_age, first_seen = age, joined
  if role == 0 then
    left_or_age, first_seen = least, now - age
  end
  asker = sub(asker, 1, 12) .. pack('<I4', left_or_age) .. sub(asker, 17, 36) .. pack('<I4', first_seen) .. sub(asker, 41)
end

-- Make the asker the only peer at its endpoint that is introduced to others. Its own earlier records there are removed,
-- and it continues as their peer; other peers at this endpoint are marked until they announce again. Return whether a
-- record was removed, and the digest of its peer_id.
local function take_endpoint()
  local taken, former = false, nil
  local others = others_at_endpoint()
  -- The highest slot first, so that the record that moves into a hole is never one of the others.
  table.sort(others, function(one, other) return one[2] > other[2] end)
  for _, other in ipairs(others) do
    local side, slot, record = unpack(other)
    if is_same_client(record) then
      former = digest_of(sub(record, 1, 8), code_of(side, slot))
      taken = true
      take_over(record)
      remove(side, slot, record)
    elseif not has_flag(record, UNREACHABLE) then
      write(side, slot, sub(record, 1, 49) .. string.char(byte(record, 50) + UNREACHABLE) .. sub(record, 51))
    end
  end
  return taken, former
end

-- Make room at the asker's address: if there are too many peers, remove the one that has been silent longest.
local function make_room_at_address()
  local field = address_of(asker, family)
  local peers, found = peers_at(field), {}
  if has_flag(asker, SHARED[family]) or #peers < peers_per_address * ENTRY then
    return
  end
  for at = 1, #peers, ENTRY do
    local code = sub(peers, at + 2, at + 5)
    local side, slot = slot_of(code)
    local record = read(side, slot, 1)
    if slot < count[side] and #record == SIZE and address_of(record, family) == field then
      found[#found + 1] = {side, slot, record}
    else
      replace_address(field, code)
    end
  end
  if #found >= peers_per_address then
    evict_longest_silent(found)
  end
end

-- Return the asker's record. It keeps the old record's endpoint of the other address family, unless that has expired or
-- another peer may have taken it.
local function merge(old)
  local seen4, seen6, endpoint4, endpoint6 =
    sub(asker, 41, 44), sub(asker, 45, 48), sub(asker, 51, 56), sub(asker, 57, 74)
  local old_seen4, old_seen6 = unpack_bytes('<I4I4', old, 41)
  local flags = byte(asker, 50)
  if has_flag(old, UNREACHABLE) then
    old_seen4, old_seen6 = -1, -1
  end
  if family == 4 and old_seen6 > 0 and old_seen6 >= oldest then
    seen6, endpoint6 = sub(old, 45, 48), sub(old, 57, 74)
    flags = flags + (has_flag(old, SHARED[6]) and SHARED[6] or 0)
  elseif family == 6 and old_seen4 > 0 and old_seen4 >= oldest then
    seen4, endpoint4 = sub(old, 41, 44), sub(old, 51, 56)
    flags = flags + (has_flag(old, SHARED[4]) and SHARED[4] or 0)
  end
  return sub(asker, 1, 40)
    .. seen4
    .. seen6
    .. sub(asker, 49, 49)
    .. string.char(flags)
    .. endpoint4
    .. endpoint6
end

local function insert(record, former)
  local slot = append(own_side, record)
  set_entry(identity, entries[identity] .. digest .. code_of(own_side, slot))
  index(nil, record, code_of(own_side, slot), former)
  if role == 2 then
    partial_seeds = partial_seeds + 1
  end
  return slot
end

-- Return the age of a key without a peer in the swarm: the one with which it left within the last day, otherwise 0.
local function recall_age()
  local remembered = tonumber(call('ZSCORE', KEYS[7], identity) or 0)
  local hour = math.floor(remembered / 4294967296)
  if (hour + 1) * 3600 + redis_keys.FIRST_SEEN_SECONDS > now then
    return math.max(0, hour * 3600 - remembered % 4294967296)
  end
  return 0
end

-- Join as a peer that is new in this swarm, or that has replaced another at its endpoint.
local function join(taken, former)
  local members = entries[identity] ~= '' and members_of_key() or {}
  for _, member in ipairs(members) do
    age = math.max(age, age_of(member[3]))
  end
  if not taken and not members[1] then
    age = recall_age()
  end
  if #members >= peers_per_key then
    evict_longest_silent(members)
  end
  write_presence()
  return insert(asker, former)
end

local function update(side, slot, old, former)
  take_over(old)
  write_presence()
  asker = merge(old)
  if side ~= own_side then
    remove(side, slot, old)
    return insert(asker, former)
  end
  write(side, slot, asker)
  index(old, asker, code_of(side, slot), former)
  if side == 1 and sub(old, 50, 50) ~= sub(asker, 50, 50) then
    local was = math.floor(byte(old, 50) / PARTIAL_SEED) % 2
    partial_seeds = partial_seeds - was + (role == 2 and 1 or 0)
  end
  return slot
end

-- Remove expired peers from the two slots after the asker's. ``records`` starts at the asker's slot; nil if not read.
local function expire_next(slot, records)
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
  -- The higher slot first, so that the record that moves into its hole is never the other one.
  if expired[2] and expired[2][1] > expired[1][1] then
    expired[1], expired[2] = expired[2], expired[1]
  end
  for _, found in ipairs(expired) do
    remove(own_side, found[1], found[2])
  end
end

-- Return whether a "stopped" comes from the record's endpoint; a client that is no longer reachable sends port 0.
local function is_at_endpoint(record)
  local seen4, seen6 = unpack_bytes('<I4I4', record, 41)
  if (family == 4 and seen4 or seen6) == 0 then
    return true -- known over the other family only
  end
  return sub(record, from, to - 2) == sub(asker, from, to - 2)
    and (sub(asker, to - 1, to) == sub(NOBODY, 1, 2) or sub(record, to - 1, to) == sub(asker, to - 1, to))
end

-- Remove a peer that was present until now.
local function depart(side, slot, record)
  remove(side, slot, record)
  local key = sub(record, 1, 8)
  departed[key] = departed[key] and aged(record)
end

-- Remove the peer at the endpoint that the "stopped" comes from. Some clients leave with a different peer_id than they
-- joined with. But a "stopped" from a peer_id that was replaced at this endpoint is late, and removes nothing.
local function leave(side, slot, record)
  if side then
    record = sub(record, 1, SIZE)
    if is_at_endpoint(record) then
      depart(side, slot, record)
    end
    asker = record
    return
  end
  for _, other in ipairs(others_at_endpoint()) do
    side, slot, record = unpack(other)
    if other[4] ~= digest and (sub(record, 1, 8) == identity or has_flag(record, GUEST)) then
      asker = record
      return depart(side, slot, record)
    end
  end
end

if stopped == 1 then
  leave(find_own())
else
  local taken, former = take_endpoint()
  local side, slot, records = find_own()
  if full and not side and not taken then
    return redis.error_reply('OOM no room for another peer')
  end
  if address_of(side and sub(records, 1, SIZE) or '', family) ~= address_of(asker, family) then
    make_room_at_address()
    side, slot, records = find_own()
  end
  if side then
    slot = update(side, slot, sub(records, 1, SIZE), former)
    if side ~= own_side then
      records = nil
    end
  else
    slot = join(taken, former)
  end
  expire_next(slot, records)
end
local absent = created and count[1] + count[2] == 0
if not absent then
  if created then
    call('ZADD', KEYS[6], first_sweep, INFO_HASH)
    call('HINCRBY', KEYS[4], redis_keys.SWARMS_FIELD, 1)
  end
  save(now)
end
in_seeders, in_leechers, partials = count[1], count[2], partial_seeds
