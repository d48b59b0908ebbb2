-- An alias is at the old id of a session that was renewed, and leads to the next id.

-- How many aliases a way in follows.
local MAX_HOPS = 3

-- How many aliases may lead to a session. An ending follows all of them.
local MAX_RENEWALS = 32

-- Follows at most `max` aliases from an id. Returns the last id, what is there, and the ids before.
local function follow_aliases(id, max)
  local trail = {}
  local found = read_own_fields(id)
  while found.target and #trail < max do
    trail[#trail + 1] = id
    id = found.target
    found = read_own_fields(id)
  end
  return id, found, trail
end

-- The same for an id, over all its aliases, or for a lineage, over its pointer.
local function follow_name(id)
  local current, found, trail = follow_aliases(id, MAX_RENEWALS)
  if not found.created then
    local target = redis.call('GET', derive_pointer_key(id))
    if target then
      return target, read_own_fields(target), {}
    end
  end
  return current, found, trail
end
