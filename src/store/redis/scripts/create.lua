-- Makes a session.
--
-- KEYS[1]   the session's hash
-- ARGV[1]   the moment after which nothing is done (ms)
-- ARGV[2]   its id
-- ARGV[3]   idle timeout (ms), or ''
-- ARGV[4]   absolute timeout (ms), or ''
-- ARGV[5]   the names of its sets
-- ARGV[6…]  a list: field, value, …
-- Returns   now, 'created', its times
--           now, 'late'

local not_after = tonumber(ARGV[1])
local id = ARGV[2]
local idle = tonumber(ARGV[3])
local timeout = tonumber(ARGV[4])
local names = split_words(ARGV[5])
local fields = read_list(6)

if is_late(not_after) then
  return { now, 'late' }
end

look_at_session(id, names)
refuse_moving_slot()

-- The id is fresh and random: if a session has it, this command was sent before.
local found = read_own_fields(id)
if not found.created then
  found = make_session(id, names, fields, idle, timeout and now + timeout)
end

return { now, 'created', list_times(found) }
