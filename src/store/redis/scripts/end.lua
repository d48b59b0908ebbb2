-- Ends one session: its hash, its entries and the aliases it was reached by.
--
-- KEYS[1]  the hash that the id names
-- ARGV     not after, id, the name of a set it must be in or '', for how long (ms) tombstones stay,
--          encoded names of the identity fields, '1' if replicas are waited for, or ''
-- Returns  now, 'ended', 1 or 0

local id = arg()
local name = arg()
local grace = number()
local identity = fields_in(arg())
local waited_for = arg() == '1'

local current, found, trail = resolve(id)
will_touch(current, found.names)
for _, old in ipairs(trail) do
  will_touch(old, {})
end
will_mark(waited_for)
look()

if not found.created or (name ~= '' and not lists(found.names, name)) then
  mark(waited_for)
  return { now, 'ended', 0 }
end

trail[#trail + 1] = current
for _, old in ipairs(trail) do
  replace(old, grace, '@x', identifies(found.names, identity) and '1' or '0')
end
for _, entered in ipairs(found.names) do
  leave(entered, current)
end
settle()

return { now, 'ended', 1 }
