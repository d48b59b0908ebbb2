-- Ends one session: its hash, its entries and the aliases it was reached by.
--
-- KEYS[1]  the hash that the id names
-- ARGV     not after, id, the name of a set it must be in or ''
-- Returns  now, 'ended', 1 or 0

local id = arg()
local name = arg()

local current, found, trail = resolve(id)
will_touch(current, found.names)
for _, old in ipairs(trail) do
  will_touch(old, {})
end
look()

if not found.created or (name ~= '' and not lists(found.names, name)) then
  return { now, 'ended', 0 }
end

redis.call('DEL', session_key(current))
for _, old in ipairs(trail) do
  redis.call('DEL', session_key(old))
end
for _, entered in ipairs(found.names) do
  leave(entered, current)
end
settle()

return { now, 'ended', 1 }
