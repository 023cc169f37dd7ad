-- Note what a recipient was handed or told, and forget the oldest beyond a limit. A mark that is there already stays as
-- it is, so of several processes that want to tell a recipient the same, one does. Marks of failures go last: they say
-- that no more may follow.
--
-- KEYS   1 the recipient's hash
-- ARGV   1 most fields, 2 seconds until the hash expires, 3... fields and values; a value ends with a time
-- Return how many fields are new
-- Cost   1 call per field and 2, at the limit 2 more

local MARK, FAILURE, KEPT = 17, 102, 86400
local new = 0
for at = 3, #ARGV, 2 do
  if #ARGV[at] == MARK then
    new = new + redis.call('HSETNX', KEYS[1], ARGV[at], ARGV[at + 1])
  else
    new = new + redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1])
  end
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
local excess = redis.call('HLEN', KEYS[1]) - tonumber(ARGV[1])
if excess <= 0 then
  return new
end

local all, fields, rank = redis.call('HGETALL', KEYS[1]), {}, {}
for at = 1, #all, 2 do
  local field = all[at]
  if #field > 1 then
    fields[#fields + 1] = field
    rank[field] = struct.unpack('<I4', string.sub(all[at + 1], -4))
    if string.byte(field, MARK) == FAILURE then
      rank[field] = rank[field] + KEPT
    end
  end
end
table.sort(fields, function(one, other)
  return rank[one] < rank[other] or rank[one] == rank[other] and one < other
end)
for at = 1, math.min(excess, #fields) do
  redis.call('HDEL', KEYS[1], fields[at])
end
return new
