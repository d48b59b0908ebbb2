-- The library's own fields of a hash, which begin with "@": docs/design.md says what each one
-- holds.

-- Reads those of the hash at an id; false for each that isn't there.
local function read_own_fields(id)
  local key = derive_session_key(id)
  local values =
    redis.call('HMGET', key, '@c', '@s', '@i', '@a', '@r', '@to', '@x', '@l', '@p')
  local names, parts = read_names(key, values[5])
  return {
    created = values[1], seen = values[2], idle = values[3], absolute = values[4],
    names = names, parts = parts, target = values[6], tombstone = values[7],
    lineage = values[8], previous = values[9],
  }
end

-- Reads only what ending a session takes: when it was created, the names of its sets, its lineage.
local function read_membership(id)
  local key = derive_session_key(id)
  local values = redis.call('HMGET', key, '@c', '@r', '@l')
  return values[1], read_names(key, values[2]), values[3]
end

local function has_session(id)
  return redis.call('HGET', derive_session_key(id), '@c')
end

-- When the session at an id was last seen (ms); false where there is none.
local function read_seen(id)
  return redis.call('HGET', derive_session_key(id), '@s')
end

-- Reads only what tells the age and the deadlines of the session at an id, as a list of field,
-- value, …; an empty one where there is none.
local function read_ages(id)
  local values = redis.call('HMGET', derive_session_key(id), '@c', '@s', '@i', '@a', '@l')
  local fields = {}
  for i, field in ipairs({ '@c', '@s', '@i', '@a', '@l' }) do
    if values[1] and values[i] then
      fields[#fields + 1] = field
      fields[#fields + 1] = values[i]
    end
  end
  return fields
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

-- The times in a script's answer: created (µs), last seen (ms), idle timeout and absolute deadline
-- (each in ms, or '').
local function list_times(found)
  return { found.created, found.seen, found.idle or '', found.absolute or '' }
end

-- Reads the session at an id as its times, its lineage and a list of field, value, … A session that
-- was just made has its fields in `found`: its key may have expired already, because the clock of
-- keys runs on during a script.
local function read_whole(id, found)
  local fields = found.fields or redis.call('HGETALL', derive_session_key(id))
  return list_times(found), derive_lineage(id, found), fields
end
