-- An index of the peers at each address. With it, announce.lua keeps one peer per endpoint, and keeps one address from
-- swamping a swarm. announce.lua and sweep.lua include this file after tables.lua.
--
-- KEYS   1-8 as in tables.lua
-- ARGV   none of its own
-- Return nothing: the script that includes it does
-- Cost   3 us to create its functions; 1 or 2 calls for each address whose peers change
--
-- A field of the addresses hash is an IPv4 address, the first half of an IPv6 address or, for an address that many
-- people share, the whole endpoint. Its value has 10 bytes for each peer: port, code of the slot, and the digest of the
-- peer_id that the peer replaced at this endpoint. Like the slots in the members hash, these are trusted only after a
-- look at the record. Records that were written before this hash existed lack the flag INDEXED.

local ADDRESSES = KEYS[8]
local ENTRY, NOBODY = 10, pack('<I4', 0)
local GUEST, UNREACHABLE, INDEXED = 4, 8, 16
local SHARED = {[4] = 32, [6] = 64}
local at_addresses, changed_addresses = {}, {}

local function has_flag(record, flag)
  return math.floor(byte(record, 50) / flag) % 2 == 1
end

-- Return the field and the port of a record's endpoint of one address family; nothing if the record has none or isn't
-- in the index.
local function address_of(record, of_family)
  if #record < SIZE then
    return nil
  end
  local seen4, seen6 = unpack_bytes('<I4I4', record, 41)
  if not has_flag(record, INDEXED) or (of_family == 4 and seen4 or seen6) == 0 then
    return nil
  end
  local endpoint = of_family == 4 and sub(record, 51, 56) or sub(record, 57, 74)
  local field = has_flag(record, SHARED[of_family]) and endpoint or sub(endpoint, 1, of_family == 4 and 4 or 8)
  return field, sub(endpoint, -2)
end

local function peers_at(field)
  local peers = at_addresses[field]
  if not peers then
    peers = call('HGET', ADDRESSES, field) or ''
    at_addresses[field] = peers
  end
  return peers
end

local function set_peers(field, peers)
  at_addresses[field] = peers
  changed_addresses[field] = true
end

-- Replace the code of a slot in a field's value with ``new_code``, or remove its 10 bytes if ``new_code`` is nil.
local function replace_address(field, code, new_code)
  local peers = peers_at(field)
  for at = 1, #peers, ENTRY do
    if sub(peers, at + 2, at + 5) == code then
      local kept = new_code and sub(peers, at, at + 1) .. new_code .. sub(peers, at + 6, at + 9) or ''
      return set_peers(field, sub(peers, 1, at - 1) .. kept .. sub(peers, at + ENTRY))
    end
  end
end

change_addresses = function(record, code, new_code)
  for of_family = 4, 6, 2 do
    local field = address_of(record, of_family)
    if field then
      replace_address(field, code, new_code)
    end
  end
end

-- Update the index after a record has been written to a slot in place of ``old``, which is nil for a new slot.
local function index(old, record, code, former)
  for of_family = 4, 6, 2 do
    local old_field, old_port
    if old then
      old_field, old_port = address_of(old, of_family)
    end
    local field, port = address_of(record, of_family)
    if field ~= old_field or port ~= old_port then
      if old_field then
        replace_address(old_field, code)
      end
      if field then
        set_peers(field, peers_at(field) .. port .. code .. (former or NOBODY))
      end
    end
  end
end

local function save_addresses()
  local fields, gone = {}, {}
  for field in pairs(changed_addresses) do
    if at_addresses[field] == '' then
      gone[#gone + 1] = field
    else
      fields[#fields + 1] = field
      fields[#fields + 1] = at_addresses[field]
    end
  end
  if #gone > 0 then
    call('HDEL', ADDRESSES, unpack(gone))
  end
  if #fields > 0 then
    call('HSET', ADDRESSES, unpack(fields))
  end
end

-- Write everything that has changed except the records.
local function save(now)
  for side in pairs(shrunk) do
    trim(side)
  end
  local fields = {}
  local counts = pack('<I4I4I4I4', count[1], count[2], partial_seeds, unswept)
  if counts ~= counts_before then
    fields = {redis_keys.COUNTS_FIELD, counts}
  end
  save_entries(fields, now)
  save_addresses()
  if #fields > 0 then
    call('HSET', MEMBERS, unpack(fields))
  end
  save_counts(now)
end
