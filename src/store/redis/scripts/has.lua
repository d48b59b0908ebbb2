-- Whether the session that an id leads to is in a set.
--
-- KEYS[1]  the hash that the id names
-- ARGV     '', id or lineage, the set's name
-- Returns  now, 'has', 1 or 0

local asked = arg()
local id, found, trail = resolve_name(asked)
if not found.created then
  will_touch(id, {})
  will_touch_all(trail)
  will_point(found, asked)
  look() -- what is not there may have not arrived yet
end
return { now, 'has', found.created and lists(found.names, arg()) and 1 or 0 }
