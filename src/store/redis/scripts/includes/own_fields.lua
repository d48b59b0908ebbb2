-- The library's own fields of a hash, whose names begin with "@": docs/design.md has them all. The
-- field `@` says what the hash is:
--
--   created (µs), last seen (ms), idle timeout (ms), absolute deadline (ms): a session
--   `alias` and an id
--   `tombstone` and what it tells
--
-- A session without one of the last two has a `-` there.

local NO_TIME = '-'

-- The times of a session, as texts, by its `@`; nothing if the text is of no session.
local function parse_times(own)
  if own then
    return string.match(own, '^(%d+) (%-?%d+) (%-?%d*) (%-?%d*)$')
  end
end

-- The same as a table.
local function parse_session(own)
  local found = {}
  found.created, found.seen, found.idle, found.absolute = parse_times(own)
  return found
end

local function encode_times(found)
  return found.created .. ' ' .. found.seen .. ' ' .. found.idle .. ' ' .. found.absolute
end

local function encode_alias(id)
  return 'alias ' .. id
end

local function encode_tombstone(text)
  return 'tombstone ' .. text
end

-- Reads the library's own fields at an id. Where there is no session they have no `created`.
local function read_own_fields(id)
  local key = derive_session_key(id)
  local values = redis.call('HMGET', key, '@', '@r', '@l', '@p')
  local own, first, lineage, previous = unpack(values, 1, 4)
  local found = parse_session(own)
  found.lineage, found.previous = lineage, previous
  found.names, found.parts = read_names(key, first)
  if own and not found.created then
    found.target = string.match(own, '^alias (.*)$')
    found.tombstone = string.match(own, '^tombstone (.*)$')
  end
  return found
end

-- Reads only what ending a session of a set takes: the names of its sets, its lineage, and, if they
-- are wanted, its times. An alias and a tombstone have no names.
local function read_membership(id, wants_times)
  local key = derive_session_key(id)
  local own, names, lineage
  if wants_times then
    own, names, lineage = unpack(redis.call('HMGET', key, '@', '@r', '@l'), 1, 3)
  else
    names, lineage = unpack(redis.call('HMGET', key, '@r', '@l'), 1, 2)
  end
  return read_names(key, names), lineage, parse_times(own)
end

-- Reads only the times of the session at an id; they are nil where there is none.
local function read_times(id)
  return parse_session(redis.call('HGET', derive_session_key(id), '@'))
end

-- Reads only when the session at an id was last seen (ms); nil where there is none.
local function read_seen(id)
  local own = redis.call('HGET', derive_session_key(id), '@')
  return own and string.match(own, '^%d+ (%-?%d+)')
end

-- Reads only what tells the age and the deadlines of the session at an id, as a list of field,
-- value, …; an empty one where there is none.
local function read_ages(id)
  local own, lineage = unpack(redis.call('HMGET', derive_session_key(id), '@', '@l'), 1, 2)
  if not parse_times(own) then
    return {}
  end
  return lineage and { '@', own, '@l', lineage } or { '@', own }
end

-- The lineage of the session that was found at an id.
local function derive_lineage(id, found)
  return found.lineage or id
end

-- The deadline of a live session by its own fields (ms); math.huge if none of them says any.
local function derive_deadline(found)
  local seen, idle = tonumber(found.seen), tonumber(found.idle)
  return math.min(seen and idle and seen + idle or math.huge, tonumber(found.absolute) or math.huge)
end

-- Reads the session at an id as its times, its lineage and a list of field, value, … A session that
-- was just made has its fields in `found`: its key may have expired already, because the clock of
-- keys runs on during a script.
local function read_whole(id, found)
  local fields = found.fields or redis.call('HGETALL', derive_session_key(id))
  return encode_times(found), derive_lineage(id, found), fields
end
