-- Reads a page of a set in the order of deadlines: the latest first, those of one deadline by id.
-- The page begins after a place. That is a deadline and an id, which may have left the set.
--
-- KEYS[1]   the set
-- ARGV[1]   not used: '', as in every script that only reads
-- ARGV[2]   the set's name
-- ARGV[3]   how many sessions
-- ARGV[4]   the place's deadline (ms), or '' to begin with the latest
-- ARGV[5]   the place's id, or ''
-- ARGV[6]   the name of a set to count where this one is empty, or ''
-- Returns   now, 'page', the sessions as texts, and how many the other set has

local set = KEYS[1]
local name = ARGV[2]
local limit = tonumber(ARGV[3])
local after = ARGV[4]
local after_id = ARGV[5]
local other = ARGV[6]

-- How many entries a page reads at most, with the damaged ones that it skips and reindexing fixes.
local MAX_LOOKED_AT = 1000

-- Whether an id comes after the place's id, byte by byte, as in a sorted set. `<` would compare
-- them by the server's locale.
local function is_after(id)
  for i = 1, math.min(#id, #after_id) do
    local byte, after_byte = string.byte(id, i), string.byte(after_id, i)
    if byte ~= after_byte then
      return byte > after_byte
    end
  end
  return #id > #after_id
end

-- Reads the entries after the place that share its deadline: at most `count`. The first is found by
-- halving, because any number of entries may share a deadline.
local function read_same_deadline(count)
  if tonumber(after) < now then
    return {}
  end
  local from = redis.call('ZCOUNT', set, '-inf', '(' .. after)
  local last = redis.call('ZCOUNT', set, '-inf', after)
  local to = last
  while from < to do
    local middle = math.floor((from + to) / 2)
    if is_after(redis.call('ZRANGE', set, middle, middle)[1]) then
      to = middle
    else
      from = middle + 1
    end
  end
  to = math.min(from + count, last)
  return from < to and redis.call('ZRANGE', set, from, to - 1) or {}
end

-- Reads the next entries, at most `count`, as id and deadline. The place moves on to the last.
local function read_next_entries(count)
  local entries = {}
  local function add(ids)
    for _, id in ipairs(ids) do
      entries[#entries + 1] = { id = id, deadline = tonumber(after) }
      after_id = id
    end
  end

  local below = '+inf'
  if after ~= '' then
    below = '(' .. after
    add(read_same_deadline(count))
  end
  local left = count - #entries
  local from = format_int(now)
  local found = redis.call(
    'ZRANGE', set, below, from, 'BYSCORE', 'REV', 'LIMIT', 0, left, 'WITHSCORES'
  )
  local i = 1
  while i < #found do
    local first, deadline = i, found[i + 1]
    while found[i + 1] == deadline do
      i = i + 2
    end
    after = format_score(deadline)
    local ids = { found[first] }
    -- REV gives entries of one deadline with their ids in reverse. Of the last deadline it may have
    -- left out the first ids.
    if i - first > 2 or i > #found then
      local of_deadline = format_int((i - first) / 2)
      ids = redis.call('ZRANGE', set, after, after, 'BYSCORE', 'LIMIT', 0, of_deadline)
    end
    add(ids)
  end
  return entries
end

local misses = false

-- Whether a session is there and has its entry's deadline. An entry with another deadline is
-- damaged, and the next page would begin at the wrong place.
local function has_its_deadline(entry)
  local found = read_times(entry.id)
  if not found.created then
    misses = true
    return false
  end
  return derive_deadline(found) == entry.deadline
end

local sessions, read_count = {}, 0
repeat
  local entries = read_next_entries(limit - #sessions)
  for _, entry in ipairs(entries) do
    if has_its_deadline(entry) then
      local fields = redis.call('HGETALL', derive_session_key(entry.id))
      sessions[#sessions + 1] = encode_session(entry.id, fields)
    end
  end
  read_count = read_count + #entries
until #entries == 0 or #sessions == limit or read_count >= MAX_LOOKED_AT
if misses then
  refuse_moving_slot() -- a missing key may still be on the other node
end
drop_expired_entries(name, 0)

return { now, 'page', sessions, #sessions == 0 and count_lookalikes(other) or 0 }
