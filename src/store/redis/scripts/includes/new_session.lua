-- The library's own fields of a new session, as field, value, … They come first: in a small hash
-- the first are found the fastest.
local function list_first_fields(found)
  local all = { '@c', found.created, '@s', found.seen }
  if found.idle then
    append(all, '@i', found.idle)
  end
  if found.absolute then
    append(all, '@a', found.absolute)
  end
  return all
end

-- Makes a session with `fields` (field, value, …) in the sets of `names`. `idle` is a timeout (ms)
-- or nil, `absolute` a deadline (ms) or nil, and `seen` when it was last seen (ms), by default now.
-- Nothing is left if its deadline has passed. `refresh_set_expiries` is called after it.
local function make_session(id, names, fields, idle, absolute, seen)
  seen = seen or now
  local deadline = math.min(idle and seen + idle or math.huge, absolute or math.huge)
  local found = {
    created = format_int(micros), seen = format_int(seen), idle = idle and format_int(idle),
    absolute = absolute and format_int(absolute),
  }
  local all = list_first_fields(found)
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
