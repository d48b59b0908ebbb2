-- One session as a change leaves it, and what the change answers.

-- `is_new` is 1 where the session has a new id, else 0.
local function answer_changed(final, found, is_new)
  if is_new == 1 then
    return { now, 'changed', final, 1, read_whole(final, found) }
  end
  return { now, 'changed', final, 0, encode_times(found), derive_lineage(final, found), {} }
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
-- the names of its sets `after` the changes, those `added` and those `removed`, and whether the
-- change `pushes` its idle deadline. One that does may have a new `idle` timeout (ms) and
-- `absolute` deadline (ms). For a session that gets a new id, which pushes it, the plan has:
--
--   to        the id
--   for_good  whether no old id may lead to it
--   grace     for how long an alias stays (ms); 0 for none
--   alias     the id of the alias that led to it, if any
--   stays     for how long tombstones stay (ms), and what they say: `tombstone`
local function write_session(current, found, trail, changes, plan)
  local key = derive_session_key(current)
  local to, after, added, removed = plan.to, plan.after, plan.added, plan.removed
  local before = found.seen and derive_deadline(found) or 0 -- none if it is being made

  local deadline, held_until = before, before
  if plan.pushes then
    -- I6: both deadlines hold. Only a new absolute deadline in the plan moves the absolute one.
    found.seen = format_int(now)
    found.idle = plan.idle and format_int(plan.idle) or found.idle
    found.absolute = plan.absolute and format_int(plan.absolute) or found.absolute
    deadline, held_until = write_use(key, found, changes.set)
  else
    call_in_batches('HSET', key, changes.set)
  end
  call_in_batches('HDEL', key, changes.unset)
  if #added + #removed > 0 then
    write_names(key, found.parts, after)
  end
  for _, name in ipairs(removed) do
    remove_entry(name, current, before)
  end

  local final = to or current
  if to then
    for _, name in ipairs(found.names) do
      remove_entry(name, current, before)
    end
    redis.call('RENAME', key, derive_session_key(to))
    found.lineage = derive_lineage(current, found)
    local own = { '@l', found.lineage }
    note_rotated(current, to, found.lineage)
    if plan.for_good or plan.grace == 0 then
      trail[#trail + 1] = current
      for _, old in ipairs(trail) do
        replace_hash(old, plan.stays, encode_tombstone(plan.tombstone))
      end
      redis.call('HDEL', derive_session_key(to), '@p')
    else
      replace_hash(current, plan.grace, encode_alias(to), plan.alias)
      append(own, '@p', current)
    end
    redis.call('HSET', derive_session_key(to), unpack(own))
  end

  for _, name in ipairs(plan.pushes and after or added) do
    add_entry(name, final, deadline, before)
  end
  if plan.pushes then
    write_pointer(final, found, deadline)
  end
  refresh_set_expiries()
  if deadline < before then
    note_shortened(final, found.lineage, deadline)
  end

  local answer = answer_changed(final, found, to and 1 or 0)
  if held_until > deadline then
    redis.call('PEXPIREAT', derive_session_key(final), format_int(deadline))
  end
  return answer
end
