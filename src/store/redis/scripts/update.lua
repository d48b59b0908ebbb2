-- Writes fields of a session that keeps its id, its sets and its timeouts, and pushes its idle
-- deadline forward: where that is due, and always where there are no fields to write. `change` does
-- the rest.
--
-- KEYS[1]   the hash at the id
-- ARGV[1]   the moment after which nothing is done (ms)
-- ARGV[2]   the most bytes that the names and values of all fields may have
-- ARGV[3]   how many of the next arguments are field, value, … to set
-- ARGV[4…]  these, and then fields to unset
-- Returns   now, 'written', its times, its lineage or nil: only its fields have changed
--           now, 'changed', id, 0, its times, its lineage, nothing
--           now, 'superseded', its tombstone
--           now, 'gone'
--           now, 'too-large', bytes
--           now, 'late'

local key = KEYS[1]
local not_after = tonumber(ARGV[1])
local max_bytes = tonumber(ARGV[2])
local set_count = tonumber(ARGV[3])
local fields = { unpack(ARGV, 4) }

if is_late(not_after) then
  return { now, 'late' }
end

-- Nearly every write ends here: it is of one key, and needs few helpers.
if #fields > 0 then
  local own, lineage = unpack(redis.call('HMGET', key, '@', '@l'), 1, 2)
  local created, seen, idle = parse_times(own)
  local writes = created and not is_touch_due(seen, idle)
  if writes and (set_count == 0 or fits_surely(key, #table.concat(fields), max_bytes)) then
    if set_count > 0 then
      redis.call('HSET', key, unpack(fields, 1, set_count))
    end
    if set_count < #fields then
      redis.call('HDEL', key, unpack(fields, set_count + 1))
    end
    return { now, 'written', own, lineage }
  end
end

-- Nearly every touch ends here: of a session in one set or none, whose deadline is put off and far
-- enough to outlast the script (includes/touches.lua), and that was never rotated.
if #fields == 0 then
  local own, name, lineage = unpack(redis.call('HMGET', key, '@', '@r', '@l'), 1, 3)
  local found = parse_session(own)
  local before = derive_deadline(found)
  found.seen = format_int(now)
  local deadline = derive_deadline(found)
  local is_put_off = deadline >= before and deadline >= now + 1000
  local is_plain = not name or string.find(name, '^[^%d%s=]%S*$')
  if found.created and not lineage and is_put_off and is_plain then
    local set = name and base .. ':r:' .. name
    local expired = set and list_expired(set, found.seen, 8)
    local moment = format_int(deadline)
    own = encode_times(found)
    -- PEXPIREAT comes first, as it needs no memory: touching works when it is full.
    redis.call('PEXPIREAT', key, moment)
    redis.call('HSET', key, '@', own)
    if set then
      write_entry(set, asked_id, moment, expired)
    end
    return { now, 'written', own }
  end
end

local id, found = follow_aliases(asked_id, MAX_HOPS)
if not found.created then
  return answer_absent(found, { names = {} }, {})
end

key = derive_session_key(id)
local set = { unpack(fields, 1, set_count) }
local unset = { unpack(fields, set_count + 1) }
if set_count > 0 then
  local bytes = count_bytes_after(key, { set = set, unset = unset, max_bytes = max_bytes })
  if bytes > max_bytes then
    return { now, 'too-large', bytes }
  end
end

if #fields == 0 or is_touch_due(found.seen, found.idle) then
  check_sets(id, found.names)
  local before = derive_deadline(found)
  found.seen = format_int(now)
  local deadline, held_until = write_use(key, found, set)
  call_in_batches('HDEL', key, unset)
  for _, name in ipairs(found.names) do
    add_entry(name, id, deadline, before)
  end
  refresh_set_expiries()
  if found.lineage then
    write_pointer(id, found, deadline)
  end
  if deadline < before then
    note_shortened(id, found.lineage, deadline)
    publish_feed()
  end
  if held_until > deadline then
    redis.call('PEXPIREAT', key, format_int(deadline))
  end
else
  call_in_batches('HSET', key, set)
  call_in_batches('HDEL', key, unset)
end

return { now, 'changed', id, 0, encode_times(found), derive_lineage(id, found), {} }
