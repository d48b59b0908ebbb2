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
  local deadline = idle and now + idle or math.huge
  found = { created = int(micros), seen = int(now), idle = idle and int(idle) }
  if absolute then
    deadline = math.min(deadline, absolute)
    found.absolute = int(absolute)
  end
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
  in_parts('HSET', KEYS[1], fields)
  redis.call('PEXPIREAT', KEYS[1], int(deadline)) -- deletes it where that has passed
  for _, name in ipairs(names) do
    enter(name, id, deadline)
  end
  settle()
end

return { now, 'created', times(found) }
