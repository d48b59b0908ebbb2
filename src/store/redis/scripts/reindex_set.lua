-- Compares one page of a set's entries with the sessions they name, and fixes what is wrong:
-- entries of sessions that are gone or not of this set, their scores, the set's time to live.
--
-- KEYS[1]   the sorted set, or the plain set
-- ARGV[1]   the moment after which nothing is done (ms), or '' of a dry run
-- ARGV[2]   the set's name without its mark
-- ARGV[3]   'r' for the sorted set or 'm' for the plain one
-- ARGV[4]   the cursor of ZSCAN or SSCAN
-- ARGV[5]   COUNT
-- ARGV[6]   '1' to fix what is wrong, '' to count it
-- Returns   now, 'reindexed', how many entries were added, removed, what else was corrected, the
--           next cursor
--           now, 'late'

local not_after = tonumber(ARGV[1])
local set = KEYS[1]
local name = '=' .. ARGV[2]
local is_sorted = ARGV[3] == 'r'
local cursor = ARGV[4]
local count = ARGV[5]
local fixes = ARGV[6] == '1'

if is_late(not_after) then
  return { now, 'late' }
end

local step = is_sorted and redis.call('ZSCAN', set, cursor, 'COUNT', count)
  or redis.call('SSCAN', set, cursor, 'COUNT', count)
local next_cursor, members = step[1], step[2]
local ids = {}
for i = 1, #members, is_sorted and 2 or 1 do
  ids[#ids + 1] = members[i]
end
check_types('', { name })
if not fixes then
  refuse_moving_slot() -- a script that writes would not have begun
end

local added, removed, corrected = 0, 0, 0

local last = redis.call('ZRANGE', derive_set_key(name), -1, -1, 'WITHSCORES')[2]
if cursor == '0' and last and redis.call('PEXPIRETIME', set) ~= tonumber(last) then
  corrected = 1
  note_change(name, 0)
end

-- Finds the name by which a session lists this set.
local function find_own_name(found)
  for _, own_name in ipairs(found.created and found.names or {}) do
    if strip_mark(own_name) == strip_mark(name) then
      return own_name
    end
  end
end

for _, id in ipairs(ids) do
  local own_name = find_own_name(read_own_fields(id))
  local score = tonumber(redis.call('ZSCORE', derive_set_key(name), id))
  local is_member = redis.call('SISMEMBER', derive_plain_key(name), id) == 1
  local deadline = redis.call('PEXPIRETIME', derive_session_key(id))
  if not own_name then
    -- An expired entry isn't wrong: the next write of the set drops it, or it expires with the set.
    if not score or score >= now then
      removed = removed + 1
      if fixes then
        remove_entry(name, id)
      end
    end
  elseif deadline > 0 then -- else the session itself must be fixed first
    local missing = not score or (derive_plain_key(own_name) and not is_member)
    if missing then
      added = added + 1
    elseif score ~= deadline then
      corrected = corrected + 1
    end
    if fixes and (missing or score ~= deadline) then
      add_entry(own_name, id, deadline)
    end
    if is_member and not derive_plain_key(own_name) then
      removed = removed + 1
      if fixes then
        redis.call('SREM', derive_plain_key(name), id)
      end
    end
  end
end

if fixes then
  refresh_set_expiries()
end

return { now, 'reindexed', added, removed, corrected, next_cursor }
