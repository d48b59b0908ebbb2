-- Tells whether the session that an id leads to is in a set.
--
-- KEYS[1]   the hash at the id
-- ARGV[1]   not used: '', as in every script that only reads
-- ARGV[2]   the id, or a lineage
-- ARGV[3]   the set's name
-- Returns   now, 'has', 1 or 0

local asked = ARGV[2]
local name = ARGV[3]

local _, found = follow_name(asked)
if not found.created then
  refuse_moving_slot() -- a missing key may still be on the other node
end

return { now, 'has', found.created and has_name(found.names, name) and 1 or 0 }
