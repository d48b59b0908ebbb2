-- Reads the sessions of a set that were seen last, among the 500 that expire last.
--
-- KEYS[1]   the set
-- ARGV[1]   not used: '', as in every script that only reads
-- ARGV[2]   the set's name
-- ARGV[3]   how many sessions
-- ARGV[4]   the name of a set to count where this one is empty, or ''
-- Returns   now, 'list', for each session: its id, its fields, and how many the other set has

local set = KEYS[1]
local name = ARGV[2]
local limit = tonumber(ARGV[3])
local other = ARGV[4]

local MAX_LIST_LIMIT = 500

local entries = {}
local ids = redis.call(
  'ZRANGE', set, '+inf', format_int(now), 'BYSCORE', 'REV', 'LIMIT', 0, MAX_LIST_LIMIT
)
for _, id in ipairs(ids) do
  local seen = redis.call('HGET', derive_session_key(id), '@s')
  if seen then
    entries[#entries + 1] = { id = id, seen = tonumber(seen) }
  else
    look_at_session(id, {})
  end
end
refuse_moving_slot() -- a missing key may still be on the other node
drop_expired_entries(name, 0)

table.sort(entries, function(a, b)
  if a.seen ~= b.seen then
    return a.seen > b.seen
  end
  return a.id < b.id
end)

local sessions = {}
for i = 1, math.min(limit, #entries) do
  local id = entries[i].id
  sessions[i] = { id, redis.call('HGETALL', derive_session_key(id)) }
end

return { now, 'list', sessions, #entries == 0 and count_lookalikes(other) or 0 }
