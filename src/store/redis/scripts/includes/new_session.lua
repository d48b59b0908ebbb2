-- Makes a session with `fields` (field, value, …) in the sets of `names`. `idle` is a timeout (ms)
-- or nil, `absolute` a deadline (ms) or nil, and `seen` when it was last seen (ms), by default now.
-- Nothing is left if its deadline has passed.
local function make_session(id, names, fields, idle, absolute, seen)
  seen = seen or now
  local deadline = math.min(idle and seen + idle or math.huge, absolute or math.huge)
  local found = {
    created = format_int(micros), seen = format_int(seen), idle = idle and format_int(idle),
    absolute = absolute and format_int(absolute),
  }
  local function add(field, value)
    if value then
      fields[#fields + 1] = field
      fields[#fields + 1] = value
    end
  end
  add('@c', found.created)
  add('@s', found.seen)
  add('@i', found.idle)
  add('@a', found.absolute)
  for _, text in ipairs(encode_names(names)) do
    fields[#fields + 1] = text
  end
  call_in_batches('HSET', derive_session_key(id), fields)
  -- This deletes the session if its deadline has passed.
  redis.call('PEXPIREAT', derive_session_key(id), format_int(deadline))
  for _, name in ipairs(names) do
    add_entry(name, id, deadline)
  end
  refresh_set_expiries()
  found.fields = fields
  return found
end
