-- Makes a session with `fields` (field, value, …) in the sets of `names`. `idle` is a timeout (ms)
-- or nil, `absolute` a deadline (ms) or nil, and `seen` when it was last seen (ms), by default now.
-- Nothing is left if its deadline has passed. `refresh_set_expiries` is called after it.
local function make_session(id, names, fields, idle, absolute, seen)
  seen = seen or now
  local deadline = math.min(idle and seen + idle or math.huge, absolute or math.huge)
  local found = {
    created = format_int(micros), seen = format_int(seen),
    idle = idle and format_int(idle) or NO_TIME,
    absolute = absolute and format_int(absolute) or NO_TIME,
  }
  -- `@` comes first: in a small hash the first fields are found the fastest.
  local all = { '@', encode_times(found) }
  append_list(all, encode_names(names))
  append_list(all, fields)
  call_in_batches('HSET', derive_session_key(id), all)
  -- This deletes the session if its deadline has passed.
  redis.call('PEXPIREAT', derive_session_key(id), format_int(deadline))
  for _, name in ipairs(names) do
    add_entry(name, id, deadline, 0)
  end
  found.fields = all
  return found
end

-- Whether `make_simply` can make a session: the names of its sets, as text, fit into `@r`, none of
-- them has a plain set beside it, and one command writes all fields.
local function can_make_simply(names_text, fields)
  return #names_text <= MAX_PART_BYTES
    and not string.find(names_text, '=', 1, true)
    and #fields <= MAX_BATCH
end

-- Makes the same session as `make_session`, with fewer tables and each number written as text once.
-- It asks the sets before it writes, and leaves nothing to refresh. `timeout` is the absolute
-- timeout (ms) or nil.
local function make_simply(id, names_text, fields, idle, timeout)
  local made = {
    created = format_int(micros), seen = format_int(now),
    idle = idle and format_int(idle) or NO_TIME,
    absolute = timeout and format_int(now + timeout) or NO_TIME,
  }
  local sets, expired = {}, {}
  for name in string.gmatch(names_text, '%S+') do
    sets[#sets + 1] = base .. ':r:' .. name
    expired[#sets] = list_expired(sets[#sets], made.seen, 8)
  end
  local key = derive_session_key(id)
  local moment = format_int(math.min(now + (idle or math.huge), now + (timeout or math.huge)))
  local all = { '@', encode_times(made) }
  if names_text ~= '' then
    append(all, '@r', names_text)
  end
  append_list(all, fields)
  redis.call('HSET', key, unpack(all))
  -- This deletes the session if its deadline has passed.
  redis.call('PEXPIREAT', key, moment)
  for i, set in ipairs(sets) do
    write_entry(set, id, moment, expired[i])
  end
  return made
end
