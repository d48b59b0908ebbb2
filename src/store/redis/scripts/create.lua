-- Makes a session.
--
-- KEYS[1]  the session's hash
-- ARGV     not after, id, idle timeout or '', absolute timeout or '', absolute deadline or '', names
--          of its sets, a count and field, value, …
-- Returns  now, 'created', its times

local id = arg()
local idle = number()
local timeout = number()
local absolute = number() or (timeout and now + timeout)
local names = words(arg())
local fields = args()

will_touch(id, names)
look()

-- The id is fresh and random: if it is there, this is the same command once more.
local found = own(id)
if not found.created then
  found = make(id, names, fields, idle, absolute)
end

return { now, 'created', times(found) }
