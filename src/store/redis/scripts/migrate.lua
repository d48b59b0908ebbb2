-- Takes over a session from where another library has kept it, once. The mark that this leaves says
-- so for as long as the old session would have lived, so that nobody who has read the old one takes
-- it over again when the new one has ended (I4).
--
-- KEYS[1]  the session's hash
-- ARGV     not after, id, the deadline (ms), how long (ms) the session may be unused from its next use
--          on, if that is longer than until then, or '' where using it does not move the deadline,
--          names of its sets, a count and field, value, …
-- Returns  now, 'taken-over' | 'known' if it was taken over before, or something is at the id

-- Whoever reads an old session takes it over, or has given up, within this time (ms).
local LEAST = 3600000

local id = arg()
local deadline = number()
local idle = number()
local names = words(arg())
local fields = args()
local mark = base .. ':o:' .. id

seen_keys[1] = mark
will_touch(id, names)
look()

local found = own(id)
local until_then = int(math.max(deadline, now + LEAST))
if redis.call('EXISTS', mark) == 1 then
  redis.call('PEXPIREAT', mark, until_then, 'GT')
  return { now, 'known' }
end
redis.call('SET', mark, '', 'PXAT', until_then)
if found.created or found.target or found.tombstone then
  return { now, 'known' }
end
if deadline > now then
  idle = idle and math.max(idle, deadline - now)
  make(id, names, fields, idle, not idle and deadline or nil, idle and deadline - idle)
end

return { now, 'taken-over' }
