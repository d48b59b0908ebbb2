-- Whether the session that an id leads to is in a set.
--
-- KEYS[1]  the hash that the id names
-- ARGV     '', id, the set's name
-- Returns  now, 'has', 1 or 0

local id, found, trail = resolve(arg())
if not found.created and #trail > 0 then
  will_touch(id, {})
  look() -- what is not there may have not arrived yet
end
return { now, 'has', found.created and lists(found.names, arg()) and 1 or 0 }
