-- Before its first write a script looks at every index that it will touch, by itself, which stops
-- a wrong type. Then it sends one EXISTS of several keys: nothing else raises while a slot moves
-- and some of the keys are on the other node. Two of these keys never exist, so it raises until the
-- move has ended, whatever keys are on this node. A script that went on could delete a key and not
-- make it again. A script that only reads sends the EXISTS where it hasn't found a key, before it
-- takes that for gone.

-- The keys for that EXISTS.
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

-- Looks at the pointer of a session's lineage. If it has none, looks at that of `id`, if given.
local function look_at_pointer(found, id)
  if found.lineage or id then
    look_at_key(derive_pointer_key(found.lineage or id))
  end
end

-- Stops a set of the wrong type, also where all that is known of it is its name.
local function look_at_set(name)
  redis.call('ZSCORE', derive_set_key(name), '')
  if derive_plain_key(name) then
    redis.call('SISMEMBER', derive_plain_key(name), '')
  end
end

local function refuse_moving_slot()
  for from = 1, math.max(1, #looked_at), MAX_BATCH do
    redis.call('EXISTS', base .. ':s:', base .. ':r:', unpack_batch(looked_at, from))
  end
end
