-- Whether the session that an id leads to is in a set.
--
-- KEYS[1]  the hash that the id names
-- ARGV     '', id, the set's name
-- Returns  now, 'has', 1 or 0

local _, found = resolve(arg())
return { now, 'has', found.created and lists(found.names, arg()) and 1 or 0 }
