-- What every script begins with. A script names one key, KEYS[1]; all others are computed from it
-- and stand under the same hash tag, so in the same slot.
--
-- ARGV[1] is the not-after moment, in ms on this server's clock: a command that arrives later does
-- nothing and says so. It is empty for what only reads.
-- Every reply begins with the server's time in ms.

-- They run on Lua 5.1, and on 5.4, which Dragonfly has: scores may come as numbers there, and every
-- number that is an argument or an answer is a whole one.

local unpack = table.unpack or unpack
local base = string.match(KEYS[1], '^(.-}):')
local clock = redis.call('TIME')
local micros = clock[1] * 1000000 + clock[2]
local now = math.floor(micros / 1000)

local at = 0

local function arg()
  at = at + 1
  return ARGV[at]
end

local function number()
  return tonumber(arg())
end

-- A count, then that many arguments.
local function args()
  local list = {}
  for i = 1, number() do
    list[i] = arg()
  end
  return list
end

local not_after = number()
if not_after and now > not_after then
  return { now, 'late' }
end

local function int(n)
  return string.format('%.0f', n)
end

-- A score as it stands in commands and answers, with all its digits.
local function score_text(score)
  return type(score) == 'string' and score or string.format('%.17g', score)
end

local function words(text)
  local list = {}
  for word in string.gmatch(text or '', '%S+') do
    list[#list + 1] = word
  end
  return list
end

-- Calls `command` with key and list, in parts that unpack can take.
local function in_parts(command, key, list)
  for from = 1, #list, 4000 do
    redis.call(command, key, unpack(list, from, math.min(from + 3999, #list)))
  end
end

-- Sessions ------------------------------------------------------------------------------------

local function session_key(id)
  return base .. ':s:' .. id
end

-- The names of a session's sets stand in `@r`, or, where they are more than 64 bytes, in `@r1`,
-- `@r2`, … and `@r` is how many those are: one longer value would end the hash's compact encoding.
local PART = 64

local function part_fields(count)
  local fields = {}
  for i = 1, count do
    fields[i] = '@r' .. i
  end
  return fields
end

-- The names, and how many parts they have beside `@r`.
local function names_in(key, first)
  local count = tonumber(first)
  if not count then
    return words(first), 0
  end
  local fields, names = part_fields(count), {}
  for from = 1, count, 4000 do
    local parts = redis.call('HMGET', key, unpack(fields, from, math.min(from + 3999, count)))
    for _, part in ipairs(parts) do
      for _, name in ipairs(words(part)) do
        names[#names + 1] = name
      end
    end
  end
  return names, count
end

-- The names as field, value, …
local function name_fields(names)
  local parts = {}
  for _, name in ipairs(names) do
    local last = parts[#parts]
    if last and #last + 1 + #name <= PART then
      parts[#parts] = last .. ' ' .. name
    else
      parts[#parts + 1] = name
    end
  end
  if #parts < 2 then
    return parts[1] and { '@r', parts[1] } or {}
  end
  local fields = { '@r', int(#parts) }
  for i, field in ipairs(part_fields(#parts)) do
    fields[#fields + 1] = field
    fields[#fields + 1] = parts[i]
  end
  return fields
end

-- The library's own fields of the hash at an id, false where it has none.
local function own(id)
  local key = session_key(id)
  local values =
    redis.call('HMGET', key, '@c', '@s', '@i', '@a', '@r', '@to', '@x', '@l', '@p')
  local names, parts = names_in(key, values[5])
  return {
    created = values[1], seen = values[2], idle = values[3], absolute = values[4],
    names = names, parts = parts, target = values[6], tombstone = values[7],
    lineage = values[8], previous = values[9],
  }
end

-- Over how many aliases an id is a way in, and how many lead to a session at most: an ending follows
-- all of them.
local MAX_HOPS = 3
local MAX_RENEWALS = 32

-- What an id leads to over so many aliases at most: the last id, what is there, the ids before it.
local function resolve(id, hops)
  local trail = {}
  local found = own(id)
  while found.target and #trail < hops do
    trail[#trail + 1] = id
    id = found.target
    found = own(id)
  end
  return id, found, trail
end

-- What is left at the ids of a session that is ended: by a sign-in, whether it had an identity, and
-- which of several such fields the sign-in named; or by its own request.
local BY_DELETE = 'd'

local function by_sign_in(had_identity, named)
  return had_identity and '1' or '0' .. (named or '')
end

-- Leaves nothing at an id but, for `stays` ms, an alias (`@to`) or a tombstone (`@x`); of an alias,
-- also the id before it.
local function replace(id, stays, field, value, previous)
  redis.call('DEL', session_key(id))
  if stays > 0 then
    redis.call('HSET', session_key(id), field, value)
    if previous then
      redis.call('HSET', session_key(id), '@p', previous)
    end
    redis.call('PEXPIREAT', session_key(id), int(now + stays))
  end
end

-- Lineages ------------------------------------------------------------------------------------
-- The first id of a session that was rotated is kept in its hash, and beside it is a pointer to its
-- present id, which lives as long as the session. No token leads over it: only a name that somebody
-- was told.

local function pointer_key(lineage)
  return base .. ':l:' .. lineage
end

local function lineage_of(id, found)
  return found.lineage or id
end

local function unpoint(found)
  if found.lineage then
    redis.call('DEL', pointer_key(found.lineage))
  end
end

local function point(id, found, deadline)
  if deadline < now then
    unpoint(found) -- SET raises for a moment that is not after 1970
  elseif found.lineage then
    redis.call('SET', pointer_key(found.lineage), id, 'PXAT', int(deadline))
  end
end

-- As `resolve`, over all aliases there are, of an id or a lineage.
local function resolve_name(id)
  local current, found, trail = resolve(id, MAX_RENEWALS)
  if not found.created then
    local target = redis.call('GET', pointer_key(id))
    if target then
      return target, own(target), {}
    end
  end
  return current, found, trail
end

-- References ----------------------------------------------------------------------------------
-- The name of a set is `field:value`, both encoded, and `=field:value` where the ids are kept in a
-- plain set, too.

local function bare(name)
  return (string.gsub(name, '^=', ''))
end

local function set_key(name)
  return base .. ':r:' .. bare(name)
end

local function plain_key(name)
  if string.sub(name, 1, 1) == '=' then
    return base .. ':m:' .. bare(name)
  end
end

local function field_of(name)
  return string.match(name, '^=?([^:]*):')
end

-- Encoded names of fields, as a set.
local function fields_in(text)
  local fields = {}
  for _, field in ipairs(words(text)) do
    fields[field] = true
  end
  return fields
end

-- Whether one of the names is of one of the fields.
local function identifies(names, fields)
  for _, name in ipairs(names) do
    if fields[field_of(name)] then
      return true
    end
  end
  return false
end

-- Which of the fields names are of, each after a space; '' where they can be of one only.
local function named_of(names, fields)
  local list, known = '', {}
  if next(fields, next(fields)) then
    for _, name in ipairs(names) do
      local field = field_of(name)
      if fields[field] and not known[field] then
        known[field] = true
        list = list .. ' ' .. field
      end
    end
  end
  return list
end

local function lists(names, wanted)
  for _, name in ipairs(names) do
    if bare(name) == bare(wanted) then
      return true
    end
  end
  return false
end

-- How many live sessions the set of this name has, where another one is empty.
local function count_instead(name, empty)
  return name ~= '' and empty and redis.call('ZCOUNT', set_key(name), int(now), '+inf') or 0
end

-- Bounded, and part of every write and listing of a set: so expired entries never pile up. At least
-- as many as were entered: so a set never has more entries than it has had live sessions at a time.
local function drop_expired(name, entered)
  local key = set_key(name)
  local most = math.max(8, entered or 0)
  local expired = redis.call('ZRANGEBYSCORE', key, '-inf', '(' .. int(now), 'LIMIT', 0, most)
  if #expired > 0 then
    redis.pcall('ZREM', key, unpack(expired))
    if plain_key(name) then
      redis.pcall('SREM', plain_key(name), unpack(expired))
    end
  end
end

-- The names of the sets whose entries have changed, and how many were entered: see `settle`.
local unsettled = {}
local entered = {}

-- I1: an entry's score is the session's deadline.
local function enter(name, id, deadline)
  redis.call('ZADD', set_key(name), int(deadline), id)
  if plain_key(name) then
    redis.call('SADD', plain_key(name), id)
  end
  unsettled[name] = true
  entered[name] = (entered[name] or 0) + 1
end

local function leave(name, id)
  redis.call('ZREM', set_key(name), id)
  if plain_key(name) then
    redis.call('SREM', plain_key(name), id)
  end
  unsettled[name] = true
end

-- I3: a set lives as long as its last entry. Every script that changes entries ends with this.
local function settle()
  for name in pairs(unsettled) do
    drop_expired(name, entered[name])
    local deadline = tonumber(redis.call('ZRANGE', set_key(name), -1, -1, 'WITHSCORES')[2])
    -- A score that is no time was written by hand: it stops no one, and `reindex` mends it.
    local sane = deadline and deadline < 2 ^ 52
    for _, key in ipairs({ set_key(name), plain_key(name) }) do
      if sane and redis.call('PEXPIRETIME', key) ~= deadline then
        redis.call('PEXPIREAT', key, int(deadline))
      end
    end
  end
end

-- Whose a session is that the changes name a user for, who is in the fields of `identity`: 'same'
-- user's, 'nobody' 's or 'another' 's, where it is signed out, too. Nil where they name none. Each field
-- counts by itself, and the strictest for all.
local function owner(names, changes, identity)
  local had, given, common = {}, {}, {}
  local held = {}
  for _, name in ipairs(names) do
    had[field_of(name)] = true
    held[bare(name)] = true
  end
  for _, name in ipairs(changes.names) do
    given[field_of(name)] = true
    common[field_of(name)] = common[field_of(name)] or held[bare(name)]
  end
  local strictest
  for field in pairs(identity) do
    if changes.replaced[field] then
      if had[field] and not common[field] then
        return 'another'
      elseif given[field] then
        strictest = (not had[field] or strictest == 'nobody') and 'nobody' or 'same'
      end
    end
  end
  return strictest
end

-- Makes a session of fields (field, value, …) that is in the sets of these names. `idle` is in ms, or
-- nil; `absolute` is a moment, or nil. Nothing is left where its deadline has passed.
local function make(id, names, fields, idle, absolute, seen)
  seen = seen or now
  local deadline = math.min(idle and seen + idle or math.huge, absolute or math.huge)
  local found = {
    created = int(micros), seen = int(seen), idle = idle and int(idle),
    absolute = absolute and int(absolute),
  }
  local function add(field, value)
    if value then
      fields[#fields + 1] = field
      fields[#fields + 1] = value
    end
  end
  add('@c', found.created)
  add('@s', found.seen)
  add('@i', found.idle)
  add('@a', found.absolute)
  for _, text in ipairs(name_fields(names)) do
    fields[#fields + 1] = text
  end
  in_parts('HSET', session_key(id), fields)
  redis.call('PEXPIREAT', session_key(id), int(deadline)) -- deletes it where that has passed
  for _, name in ipairs(names) do
    enter(name, id, deadline)
  end
  settle()
  found.fields = fields
  return found
end

-- Ends a session that was reached over the ids of `trail`, and leaves `tombstone` at all of them.
local function bury(current, found, trail, stays, tombstone)
  trail[#trail + 1] = current
  for _, old in ipairs(trail) do
    replace(old, stays, '@x', tombstone)
  end
  for _, name in ipairs(found.names) do
    leave(name, current)
  end
  unpoint(found)
  settle()
end

-- The look ------------------------------------------------------------------------------------
-- Before its first write a script looks at every key it will touch: at each index by itself, which
-- stops a wrong type, and at all of them with one EXISTS of at least two keys, which is the only
-- thing that raises while a slot is being moved and some of them have not arrived. One of the keys
-- is never there: so while its slot moves the look always raises, also where all others are on this
-- node. A script that went on could not make a key again that it has just deleted.
-- One that only reads looks at what it has not found, before it takes that for gone.

local seen_keys = {}

local function will_touch(id, names)
  seen_keys[#seen_keys + 1] = session_key(id)
  for _, name in ipairs(names) do
    seen_keys[#seen_keys + 1] = set_key(name)
    redis.call('ZSCORE', set_key(name), id)
    if plain_key(name) then
      seen_keys[#seen_keys + 1] = plain_key(name)
      redis.call('SISMEMBER', plain_key(name), id)
    end
  end
end

local function will_touch_all(ids)
  for _, id in ipairs(ids) do
    will_touch(id, {})
  end
end

local function will_point(found, id)
  if found.lineage or id then
    seen_keys[#seen_keys + 1] = pointer_key(found.lineage or id)
  end
end

local function look()
  for from = 1, #seen_keys, 4000 do
    redis.call('EXISTS', base .. ':s:', unpack(seen_keys, from, math.min(from + 3999, #seen_keys)))
  end
end

-- Replicas ------------------------------------------------------------------------------------
-- WAIT tells of what its connection has written, so a script that is followed by it and finds nothing
-- to do writes a key that is gone again before anybody can see it. DEL needs no memory, and after it
-- HSET needs none either.

local function mark_key()
  return base .. ':w'
end

local function will_mark(waited_for)
  if waited_for then
    seen_keys[#seen_keys + 1] = mark_key()
  end
end

local function mark(waited_for)
  if waited_for then
    redis.call('DEL', mark_key())
    redis.call('HSET', mark_key(), '@', '')
    redis.call('DEL', mark_key())
  end
end

-- Changes of fields ---------------------------------------------------------------------------

-- ARGV: max bytes; a count and, for each changed reference field, its encoded name and the names
-- of its sets; a count and field, value, …; a count and fields to unset.
local function field_changes()
  local changes = { max_bytes = number(), replaced = {}, names = {} }
  local references = args()
  for i = 1, #references, 2 do
    changes.replaced[references[i]] = true
    for _, name in ipairs(words(references[i + 1])) do
      changes.names[#changes.names + 1] = name
    end
  end
  changes.set = args()
  changes.unset = args()
  return changes
end

-- The names of a session's sets after the changes, and which of them come and go.
local function names_after(names, changes)
  local wanted, had, after, added, removed = {}, {}, {}, {}, {}
  for _, name in ipairs(changes.names) do
    wanted[name] = true
  end
  for _, name in ipairs(names) do
    had[name] = true
    if changes.replaced[field_of(name)] and not wanted[name] then
      removed[#removed + 1] = name
    else
      after[#after + 1] = name
    end
  end
  for _, name in ipairs(changes.names) do
    if not had[name] then
      added[#added + 1] = name
      after[#after + 1] = name
    end
  end
  return after, added, removed
end

-- The bytes of a session's fields after the changes: 0 where the changes add nothing.
local function bytes_after(key, changes)
  if #changes.set == 0 then
    return 0
  end
  local bytes, replaced = 0, {}
  for i = 1, #changes.set, 2 do
    bytes = bytes + #changes.set[i] + #changes.set[i + 1]
    replaced[changes.set[i]] = true
  end
  for _, field in ipairs(changes.unset) do
    replaced[field] = true
  end
  local fields = redis.call('HGETALL', key)
  for i = 1, #fields, 2 do
    if not replaced[fields[i]] and string.sub(fields[i], 1, 1) ~= '@' then
      bytes = bytes + #fields[i] + #fields[i + 1]
    end
  end
  return bytes
end

-- The fields that are set, but for some, as field, value, …, and how many bytes they have.
local function fields_set(changes, without)
  local dropped, fields, bytes = {}, {}, 0
  for _, field in ipairs(without) do
    dropped[field] = true
  end
  for i = 1, #changes.set, 2 do
    if not dropped[changes.set[i]] then
      fields[#fields + 1] = changes.set[i]
      fields[#fields + 1] = changes.set[i + 1]
      bytes = bytes + #changes.set[i] + #changes.set[i + 1]
    end
  end
  return fields, bytes
end

-- How many values the references of a session may have together: each is an entry to be renewed.
local MAX_REFERENCES = 1000

-- With fields to set this is the script's first write, so that memory being full stops all of it.
-- `after` are the names of the session's sets from now on; nil where they stay as `found` has them.
local function write_fields(key, changes, found, after)
  in_parts('HSET', key, changes.set)
  in_parts('HDEL', key, changes.unset)
  if after then
    redis.call('HDEL', key, '@r')
    in_parts('HDEL', key, part_fields(found.parts))
    in_parts('HSET', key, name_fields(after))
  end
end

-- Answers -------------------------------------------------------------------------------------

-- Of what `own` found: created (µs), last seen, idle timeout and absolute deadline (ms, or empty).
local function times(found)
  return { found.created, found.seen, found.idle or '', found.absolute or '' }
end

-- The session at an id with all its fields, as its times, its lineage and field, value, … One that
-- was just made may have expired already: the clock of keys runs on during a script.
local function whole(id, found)
  local fields = found.fields or redis.call('HGETALL', session_key(id))
  return times(found), lineage_of(id, found), fields
end

-- Pages ---------------------------------------------------------------------------------------

-- The next entries of a set, in the order of their deadlines: at most `count` of them, and of a
-- total cost of `budget` (but at least one), and the deadline and id to go on after, which are
-- empty at the end.
--
-- A session in use only ever moves ahead: touching puts its deadline off, rotating keeps it. So
-- whatever is in the set from the first page to the last is met, under whatever id. For that a
-- page ends between two deadlines; only where more share one millisecond than a page holds does it
-- end among them, after an id.
local function page(key, after, after_id, count, budget, cost)
  local from
  if after == '' then
    from = redis.call('ZCOUNT', key, '-inf', '(' .. int(now))
  elseif after_id == '' then
    from = redis.call('ZCOUNT', key, '-inf', after)
  elseif tonumber(redis.call('ZSCORE', key, after_id)) == tonumber(after) then
    from = redis.call('ZRANK', key, after_id) + 1
  else
    from = redis.call('ZCOUNT', key, '-inf', '(' .. after)
  end
  local entries = redis.call('ZRANGE', key, from, from + count, 'WITHSCORES')
  local ids, deadlines = {}, {}
  for i = 1, #entries, 2 do
    ids[#ids + 1] = entries[i]
    deadlines[#deadlines + 1] = entries[i + 1]
  end
  local taken, spent = 0, 0
  while taken < #ids and taken < count do
    spent = spent + cost(ids[taken + 1])
    if taken > 0 and spent > budget then
      break
    end
    taken = taken + 1
  end
  if taken == #ids then
    return ids, '', ''
  end
  local last = taken
  while last > 0 and deadlines[last] == deadlines[taken + 1] do
    last = last - 1
  end
  local next_id = ''
  if last == 0 then
    last = taken
    next_id = ids[last]
  end
  for i = last + 1, #ids do
    ids[i] = nil
  end
  return ids, score_text(deadlines[last]), next_id
end
