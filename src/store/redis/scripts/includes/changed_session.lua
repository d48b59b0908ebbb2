-- One session as a change leaves it, and what the change answers.

-- `is_new` is 1 where the session has a new id, else 0.
local function answer_changed(final, found, is_new)
  if is_new == 1 then
    return { now, 'changed', final, 1, read_whole(final, found) }
  end
  return { now, 'changed', final, 0, list_times(found), derive_lineage(final, found), {} }
end

-- What a tombstone tells a change. A change that names fewer identities than the sign-in did isn't
-- the same sign-in sent twice, and must not make a session in its place.
local function derive_tombstone(tombstone, changes, identity)
  local given = parse_fields(encode_named(changes.names, identity))
  for _, field in ipairs(split_words(string.sub(tombstone, 2))) do
    if next(given) and not given[field] then
      return encode_sign_in(true)
    end
  end
  return string.sub(tombstone, 1, 1)
end

-- The answer where an id leads to no session.
local function answer_absent(found, changes, identity)
  if found.tombstone or found.target then
    -- An alias here means that the session was rotated more than three times since.
    local tombstone = found.tombstone and derive_tombstone(found.tombstone, changes, identity)
    return { now, 'superseded', tombstone or encode_sign_in(true) }
  end
  return { now, 'gone' } -- I4
end

-- Writes the changes of a session that was found at `current` over the ids of `trail`. `plan` has
-- the names of its sets `after` the changes, those `added` and those `removed`. It may have a new
-- `idle` timeout (ms) and `absolute` deadline (ms). For a session that gets a new id it has:
--
--   to        the id
--   for_good  whether no old id may lead to it
--   grace     for how long an alias stays (ms); 0 for none
--   alias     the id of the alias that led to it, if any
--   stays     for how long tombstones stay (ms), and what they say: `tombstone`
local function write_session(current, found, trail, changes, plan)
  local key = derive_session_key(current)
  local to, after, removed = plan.to, plan.after, plan.removed
  local deadline_before = found.seen and derive_deadline(found) -- none if it is being made

  -- I6: both deadlines hold. Only a new absolute deadline in the plan moves the absolute one.
  local idle = plan.idle or tonumber(found.idle)
  local absolute = plan.absolute or tonumber(found.absolute)
  local deadline = math.min(idle and now + idle or math.huge, absolute or math.huge)
  -- PEXPIREAT deletes a key whose moment has come, by a clock that runs on during the script. The
  -- next write would then make a part of the session anew, and it would never expire. So the key
  -- has at least a second, and gets its deadline at the end of the script.
  local held_until = math.max(deadline, now + 1000)

  local changes_sets = #plan.added + #removed > 0
  if #changes.set == 0 then
    -- Needs no memory: touching works when it is full.
    redis.call('PEXPIREAT', key, format_int(held_until))
    write_fields(key, changes, found, changes_sets and after)
  else
    write_fields(key, changes, found, changes_sets and after)
    redis.call('PEXPIREAT', key, format_int(held_until))
  end
  found.seen = format_int(now)
  redis.call('HSET', key, '@s', found.seen)
  if plan.idle then
    found.idle = format_int(plan.idle)
    redis.call('HSET', key, '@i', found.idle)
  end
  if plan.absolute then
    found.absolute = format_int(plan.absolute)
    redis.call('HSET', key, '@a', found.absolute)
  end
  for _, name in ipairs(removed) do
    remove_entry(name, current)
  end

  local final = to or current
  if to then
    for _, name in ipairs(found.names) do
      remove_entry(name, current)
    end
    redis.call('RENAME', key, derive_session_key(to))
    found.lineage = derive_lineage(current, found)
    redis.call('HSET', derive_session_key(to), '@l', found.lineage)
    note_rotated(current, to, found.lineage)
    if plan.for_good or plan.grace == 0 then
      trail[#trail + 1] = current
      for _, old in ipairs(trail) do
        replace_hash(old, plan.stays, '@x', plan.tombstone)
      end
      redis.call('HDEL', derive_session_key(to), '@p')
    else
      replace_hash(current, plan.grace, '@to', to, plan.alias)
      redis.call('HSET', derive_session_key(to), '@p', current)
    end
  end

  for _, name in ipairs(after) do
    add_entry(name, final, deadline)
  end
  write_pointer(final, found, deadline)
  refresh_set_expiries()
  if deadline_before and deadline < deadline_before then
    note_shortened(final, found.lineage, deadline)
  end

  local answer = answer_changed(final, found, to and 1 or 0)
  if held_until > deadline then
    redis.call('PEXPIREAT', derive_session_key(final), format_int(deadline))
  end
  return answer
end
