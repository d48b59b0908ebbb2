-- Reads the sessions of a set that were seen last, among the 500 that expire last.
--
-- KEYS[1]   the set
-- ARGV[1]   not used: '', as in every script that only reads
-- ARGV[2]   the set's name
-- ARGV[3]   how many sessions
-- ARGV[4]   the name of a set to count where this one is empty, or ''
-- Returns   now, 'list', the sessions as texts, in any order, and how many the other set has

local set = KEYS[1]
local name = ARGV[2]
local limit = tonumber(ARGV[3])
local other = ARGV[4]

local MAX_LIST_LIMIT = 500

local misses = false

-- Of more sessions than are asked for, those that were seen last.
local function select_seen_last(ids)
  local entries = {}
  for i, id in ipairs(ids) do
    local seen = read_seen(id)
    misses = misses or not seen
    entries[i] = { id = id, seen = tonumber(seen) or 0 }
  end
  table.sort(entries, function(a, b)
    if a.seen ~= b.seen then
      return a.seen > b.seen
    end
    return a.id < b.id
  end)
  local selected = {}
  for i = 1, limit do
    selected[i] = entries[i].id
  end
  return selected
end

local ids = redis.call(
  'ZRANGE', set, '+inf', format_int(now), 'BYSCORE', 'REV', 'LIMIT', 0, MAX_LIST_LIMIT
)
if #ids > limit then
  ids = select_seen_last(ids)
end
local sessions = {}
for _, id in ipairs(ids) do
  local fields = redis.call('HGETALL', derive_session_key(id))
  if #fields > 0 then
    sessions[#sessions + 1] = encode_session(id, fields)
  else
    misses = true
  end
end
if misses then
  refuse_moving_slot() -- a missing key may still be on the other node
end
if #ids > 0 then
  drop_expired_entries(name, 0) -- a set without live entries has expired
end

return { now, 'list', sessions, #sessions == 0 and count_lookalikes(other) or 0 }
