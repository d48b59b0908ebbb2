-- Before its first write a script looks at every key that it will touch: at each index by itself,
-- which stops a wrong type, and at all of them with one EXISTS of at least two keys, which is the
-- only thing that raises while a slot is moving and some of them have not arrived. One of the keys
-- is never there: so the EXISTS always raises while the slot is moving, also where all others are
-- on this node. A script that went on could not make a key again that it has just deleted. A script
-- that only reads looks at what it has not found, before it takes that for gone.

-- What the EXISTS asks for.
local looked_at = {}

local function look_at_key(key)
  looked_at[#looked_at + 1] = key
end

local function look_at_session(id, names)
  look_at_key(derive_session_key(id))
  for _, name in ipairs(names) do
    look_at_key(derive_set_key(name))
    redis.call('ZSCORE', derive_set_key(name), id)
    if derive_plain_key(name) then
      look_at_key(derive_plain_key(name))
      redis.call('SISMEMBER', derive_plain_key(name), id)
    end
  end
end

local function look_at_ids(ids)
  for _, id in ipairs(ids) do
    look_at_key(derive_session_key(id))
  end
end

-- At the pointer of a session's lineage; where it has none, at that of `id`, if one is given.
local function look_at_pointer(found, id)
  if found.lineage or id then
    look_at_key(derive_pointer_key(found.lineage or id))
  end
end

local function refuse_moving_slot()
  for from = 1, #looked_at, MAX_BATCH do
    redis.call('EXISTS', base .. ':s:', unpack_batch(looked_at, from))
  end
end
