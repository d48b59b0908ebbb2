-- An ended session leaves tombstones at its ids.

-- The text of the tombstone of a session that its own request ended.
local BY_DELETE = 'd'

-- The text of the tombstone of a session that a sign-in ended: whether the session had an identity,
-- and, if it had none, which of several identity fields the sign-in named.
local function encode_sign_in(had_identity, named)
  return had_identity and '1' or ('0' .. (named or ''))
end

-- Replaces the hash at an id by an alias or a tombstone, which its `own` text says, for `stays` ms,
-- or by nothing if that is 0. An alias also gets the id before it, if any.
local function replace_hash(id, stays, own, previous)
  local key = derive_session_key(id)
  redis.call('DEL', key)
  if stays > 0 then
    redis.call('HSET', key, '@', own)
    if previous then
      redis.call('HSET', key, '@p', previous)
    end
    redis.call('PEXPIREAT', key, format_int(now + stays))
  end
end

-- Ends a session, except for its entries in sets. It was found over the ids of `trail`. `ending`
-- has the `how` and the `cause` to publish, and the `tombstone` to leave at all ids, which `stays`
-- so many ms.
local function end_without_entries(current, found, trail, ending)
  trail[#trail + 1] = current
  for _, old in ipairs(trail) do
    replace_hash(old, ending.stays, encode_tombstone(ending.tombstone))
  end
  delete_pointer(found)
  note_ended(ending.how, ending.cause, current, found.lineage)
end

-- Ends a session, whatever sets it is in.
local function end_session(current, found, trail, ending)
  end_without_entries(current, found, trail, ending)
  for _, name in ipairs(found.names) do
    remove_entry(name, current, derive_deadline(found))
  end
  refresh_set_expiries()
end
