-- Makes a session.
--
-- KEYS[1]  the session's hash
-- ARGV     not after, id, idle timeout or '', absolute timeout or '', names of its sets,
--          a count and field, value, …
-- Returns  now, 'created', its times

local id = arg()
local idle = number()
local absolute = number()
local names = words(arg())
local fields = args()

will_touch(id, names)
look()

-- The id is fresh and random: if it is there, this is the same command once more.
if not own(id).created then
  local deadline = idle and now + idle or math.huge
  fields[#fields + 1] = '@c'
  fields[#fields + 1] = int(micros)
  fields[#fields + 1] = '@s'
  fields[#fields + 1] = int(now)
  if idle then
    fields[#fields + 1] = '@i'
    fields[#fields + 1] = int(idle)
  end
  if absolute then
    fields[#fields + 1] = '@a'
    fields[#fields + 1] = int(now + absolute)
    deadline = math.min(deadline, now + absolute)
  end
  if #names > 0 then
    fields[#fields + 1] = '@r'
    fields[#fields + 1] = table.concat(names, ' ')
  end
  in_parts('HSET', KEYS[1], fields)
  redis.call('PEXPIREAT', KEYS[1], int(deadline))
  for _, name in ipairs(names) do
    enter(name, id, deadline)
  end
end

return { now, 'created', times(id) }
