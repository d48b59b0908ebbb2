-- The sessions of a set that were seen last, among the 500 that expire last.
--
-- KEYS[1]  the set
-- ARGV     '', the set's name, how many sessions, the name of a set to look at where this one is
--          empty, or ''
-- Returns  now, 'list', for each session: its id, its fields, and how many the other set has

local name = arg()
local limit = number()
local other = arg()

local entries = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], '+inf', int(now), 'BYSCORE', 'REV', 'LIMIT', 0, 500)) do
  local seen = redis.call('HGET', session_key(id), '@s')
  if seen then
    entries[#entries + 1] = { id = id, seen = tonumber(seen) }
  else
    will_touch(id, {})
  end
end
look() -- what is not there may have not arrived yet
drop_expired(name)

table.sort(entries, function(a, b)
  if a.seen ~= b.seen then
    return a.seen > b.seen
  end
  return a.id < b.id
end)

local sessions = {}
for i = 1, math.min(limit, #entries) do
  local id = entries[i].id
  sessions[i] = { id, redis.call('HGETALL', session_key(id)) }
end

return { now, 'list', sessions, count_instead(other, #entries == 0) }
