-- Migrates a session of another library, once. It leaves a mark for as long as the old session
-- would have lived. So a caller that has read the old session doesn't migrate it again after the
-- new one has ended (I4).
--
-- KEYS[1]   the session's hash
-- ARGV[1]   the moment after which nothing is done (ms)
-- ARGV[2]   its id
-- ARGV[3]   its deadline (ms)
-- ARGV[4]   idle timeout (ms) from its next use on, where that is longer than until the deadline;
--           '' if using it doesn't move the deadline
-- ARGV[5]   the names of its sets
-- ARGV[6…]  a list: field, value, …
-- Returns   now, 'migrated'
--           now, 'known' if it was migrated before, or something is at the id
--           now, 'late'

local not_after = tonumber(ARGV[1])
local id = ARGV[2]
local deadline = tonumber(ARGV[3])
local idle = tonumber(ARGV[4])
local names = split_words(ARGV[5])
local fields = read_list(6)

if is_late(not_after) then
  return { now, 'late' }
end

-- How long a caller may take at most from reading an old session to migrating it.
local MIN_MARK_MS = 3600000

local mark = derive_migrated_key(id)
check_types(id, names)

local found = read_own_fields(id)
local mark_expires = format_int(math.max(deadline, now + MIN_MARK_MS))
if redis.call('EXISTS', mark) == 1 then
  redis.call('PEXPIREAT', mark, mark_expires, 'GT')
  return { now, 'known' }
end
redis.call('SET', mark, '', 'PXAT', mark_expires)
if found.created or found.target or found.tombstone then
  return { now, 'known' }
end
if deadline > now then
  idle = idle and math.max(idle, deadline - now)
  make_session(id, names, fields, idle, not idle and deadline or nil, idle and deadline - idle)
  refresh_set_expiries()
end

return { now, 'migrated' }
