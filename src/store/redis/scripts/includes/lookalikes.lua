-- A number and a string that look alike have different sets. A caller whose set is empty is told if
-- the other set isn't.

-- How many live sessions the set of this name has; 0 for no name.
local function count_lookalikes(name)
  return name ~= '' and redis.call('ZCOUNT', derive_set_key(name), format_int(now), '+inf') or 0
end
