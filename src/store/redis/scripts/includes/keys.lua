-- The keys of a script. It declares one, KEYS[1], and derives all others from it under the same
-- hash tag, so they are in the same slot.

-- The hash tag, with what the client puts before all keys: `{prefix:shard}`.
local base = string.sub(KEYS[1], 1, (string.find(KEYS[1], '}:', 1, true)))

-- The id in the declared key, where that is a session's.
local asked_id = string.sub(KEYS[1], #base + 4)

local function derive_session_key(id)
  return base .. ':s:' .. id
end

local function derive_pointer_key(lineage)
  return base .. ':l:' .. lineage
end

local function derive_set_key(name)
  return base .. ':r:' .. strip_mark(name)
end

-- Nil where the reference isn't declared `{ as: "set" }`.
local function derive_plain_key(name)
  if has_mark(name) then
    return base .. ':m:' .. strip_mark(name)
  end
end

local function derive_migrated_key(id)
  return base .. ':o:' .. id
end

local function derive_wait_key()
  return base .. ':w'
end
