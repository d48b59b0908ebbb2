// Generated from scripts/*.lua by scripts/build-lua.mjs: change those and run `npm run lua`.

const lib = `--!df flags=allow-undeclared-keys
local unpack = table.unpack or unpack
local base = string.match(KEYS[1], '^(.-}):')
local clock = redis.call('TIME')
local micros = clock[1] * 1000000 + clock[2]
local now = math.floor(micros / 1000)
local at = 0
local function arg()
  at = at + 1
  return ARGV[at]
end
local function number()
  return tonumber(arg())
end
local function args()
  local list = {}
  for i = 1, number() do
    list[i] = arg()
  end
  return list
end
local not_after = number()
if not_after and now > not_after then
  return { now, 'late' }
end
local function int(n)
  return string.format('%.0f', n)
end
local function score_text(score)
  return type(score) == 'string' and score or string.format('%.17g', score)
end
local function words(text)
  local list = {}
  for word in string.gmatch(text or '', '%S+') do
    list[#list + 1] = word
  end
  return list
end
local function in_parts(command, key, list)
  for from = 1, #list, 4000 do
    redis.call(command, key, unpack(list, from, math.min(from + 3999, #list)))
  end
end
local function session_key(id)
  return base .. ':s:' .. id
end
local PART = 64
local function part_fields(count)
  local fields = {}
  for i = 1, count do
    fields[i] = '@r' .. i
  end
  return fields
end
local function names_in(key, first)
  local count = tonumber(first)
  if not count then
    return words(first), 0
  end
  local fields, names = part_fields(count), {}
  for from = 1, count, 4000 do
    local parts = redis.call('HMGET', key, unpack(fields, from, math.min(from + 3999, count)))
    for _, part in ipairs(parts) do
      for _, name in ipairs(words(part)) do
        names[#names + 1] = name
      end
    end
  end
  return names, count
end
local function name_fields(names)
  local parts = {}
  for _, name in ipairs(names) do
    local last = parts[#parts]
    if last and #last + 1 + #name <= PART then
      parts[#parts] = last .. ' ' .. name
    else
      parts[#parts + 1] = name
    end
  end
  if #parts < 2 then
    return parts[1] and { '@r', parts[1] } or {}
  end
  local fields = { '@r', int(#parts) }
  for i, field in ipairs(part_fields(#parts)) do
    fields[#fields + 1] = field
    fields[#fields + 1] = parts[i]
  end
  return fields
end
local function own(id)
  local key = session_key(id)
  local values =
    redis.call('HMGET', key, '@c', '@s', '@i', '@a', '@r', '@to', '@x', '@l', '@p')
  local names, parts = names_in(key, values[5])
  return {
    created = values[1], seen = values[2], idle = values[3], absolute = values[4],
    names = names, parts = parts, target = values[6], tombstone = values[7],
    lineage = values[8], previous = values[9],
  }
end
local MAX_HOPS = 3
local MAX_RENEWALS = 32
local function resolve(id, hops)
  local trail = {}
  local found = own(id)
  while found.target and #trail < hops do
    trail[#trail + 1] = id
    id = found.target
    found = own(id)
  end
  return id, found, trail
end
local BY_DELETE = 'd'
local function by_sign_in(had_identity, named)
  return had_identity and '1' or '0' .. (named or '')
end
local function replace(id, stays, field, value, previous)
  redis.call('DEL', session_key(id))
  if stays > 0 then
    redis.call('HSET', session_key(id), field, value)
    if previous then
      redis.call('HSET', session_key(id), '@p', previous)
    end
    redis.call('PEXPIREAT', session_key(id), int(now + stays))
  end
end
local function pointer_key(lineage)
  return base .. ':l:' .. lineage
end
local function lineage_of(id, found)
  return found.lineage or id
end
local function unpoint(found)
  if found.lineage then
    redis.call('DEL', pointer_key(found.lineage))
  end
end
local function point(id, found, deadline)
  if deadline < now then
    unpoint(found) -- SET raises for a moment that is not after 1970
  elseif found.lineage then
    redis.call('SET', pointer_key(found.lineage), id, 'PXAT', int(deadline))
  end
end
local function resolve_name(id)
  local current, found, trail = resolve(id, MAX_RENEWALS)
  if not found.created then
    local target = redis.call('GET', pointer_key(id))
    if target then
      return target, own(target), {}
    end
  end
  return current, found, trail
end
local function bare(name)
  return (string.gsub(name, '^=', ''))
end
local function set_key(name)
  return base .. ':r:' .. bare(name)
end
local function plain_key(name)
  if string.sub(name, 1, 1) == '=' then
    return base .. ':m:' .. bare(name)
  end
end
local function field_of(name)
  return string.match(name, '^=?([^:]*):')
end
local function fields_in(text)
  local fields = {}
  for _, field in ipairs(words(text)) do
    fields[field] = true
  end
  return fields
end
local function identifies(names, fields)
  for _, name in ipairs(names) do
    if fields[field_of(name)] then
      return true
    end
  end
  return false
end
local function named_of(names, fields)
  local list, known = '', {}
  if next(fields, next(fields)) then
    for _, name in ipairs(names) do
      local field = field_of(name)
      if fields[field] and not known[field] then
        known[field] = true
        list = list .. ' ' .. field
      end
    end
  end
  return list
end
local function lists(names, wanted)
  for _, name in ipairs(names) do
    if bare(name) == bare(wanted) then
      return true
    end
  end
  return false
end
local function count_instead(name, empty)
  return name ~= '' and empty and redis.call('ZCOUNT', set_key(name), int(now), '+inf') or 0
end
local function drop_expired(name, entered)
  local key = set_key(name)
  local most = math.max(8, entered or 0)
  local expired = redis.call('ZRANGEBYSCORE', key, '-inf', '(' .. int(now), 'LIMIT', 0, most)
  if #expired > 0 then
    redis.pcall('ZREM', key, unpack(expired))
    if plain_key(name) then
      redis.pcall('SREM', plain_key(name), unpack(expired))
    end
  end
end
local unsettled = {}
local entered = {}
local function enter(name, id, deadline)
  redis.call('ZADD', set_key(name), int(deadline), id)
  if plain_key(name) then
    redis.call('SADD', plain_key(name), id)
  end
  unsettled[name] = true
  entered[name] = (entered[name] or 0) + 1
end
local function leave(name, id)
  redis.call('ZREM', set_key(name), id)
  if plain_key(name) then
    redis.call('SREM', plain_key(name), id)
  end
  unsettled[name] = true
end
local function settle()
  for name in pairs(unsettled) do
    drop_expired(name, entered[name])
    local deadline = tonumber(redis.call('ZRANGE', set_key(name), -1, -1, 'WITHSCORES')[2])
    local sane = deadline and deadline < 2 ^ 52
    for _, key in ipairs({ set_key(name), plain_key(name) }) do
      if sane and redis.call('PEXPIRETIME', key) ~= deadline then
        redis.call('PEXPIREAT', key, int(deadline))
      end
    end
  end
end
local function owner(names, changes, identity)
  local had, given, common = {}, {}, {}
  local held = {}
  for _, name in ipairs(names) do
    had[field_of(name)] = true
    held[bare(name)] = true
  end
  for _, name in ipairs(changes.names) do
    given[field_of(name)] = true
    common[field_of(name)] = common[field_of(name)] or held[bare(name)]
  end
  local strictest
  for field in pairs(identity) do
    if changes.replaced[field] then
      if had[field] and not common[field] then
        return 'another'
      elseif given[field] then
        strictest = (not had[field] or strictest == 'nobody') and 'nobody' or 'same'
      end
    end
  end
  return strictest
end
local function make(id, names, fields, idle, absolute, seen)
  seen = seen or now
  local deadline = math.min(idle and seen + idle or math.huge, absolute or math.huge)
  local found = {
    created = int(micros), seen = int(seen), idle = idle and int(idle),
    absolute = absolute and int(absolute),
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
  for _, text in ipairs(name_fields(names)) do
    fields[#fields + 1] = text
  end
  in_parts('HSET', session_key(id), fields)
  redis.call('PEXPIREAT', session_key(id), int(deadline)) -- deletes it where that has passed
  for _, name in ipairs(names) do
    enter(name, id, deadline)
  end
  settle()
  found.fields = fields
  return found
end
local function bury(current, found, trail, stays, tombstone)
  trail[#trail + 1] = current
  for _, old in ipairs(trail) do
    replace(old, stays, '@x', tombstone)
  end
  for _, name in ipairs(found.names) do
    leave(name, current)
  end
  unpoint(found)
  settle()
end
local seen_keys = {}
local function will_touch(id, names)
  seen_keys[#seen_keys + 1] = session_key(id)
  for _, name in ipairs(names) do
    seen_keys[#seen_keys + 1] = set_key(name)
    redis.call('ZSCORE', set_key(name), id)
    if plain_key(name) then
      seen_keys[#seen_keys + 1] = plain_key(name)
      redis.call('SISMEMBER', plain_key(name), id)
    end
  end
end
local function will_touch_all(ids)
  for _, id in ipairs(ids) do
    will_touch(id, {})
  end
end
local function will_point(found, id)
  if found.lineage or id then
    seen_keys[#seen_keys + 1] = pointer_key(found.lineage or id)
  end
end
local function look()
  for from = 1, #seen_keys, 4000 do
    redis.call('EXISTS', base .. ':s:', unpack(seen_keys, from, math.min(from + 3999, #seen_keys)))
  end
end
local function mark_key()
  return base .. ':w'
end
local function will_mark(waited_for)
  if waited_for then
    seen_keys[#seen_keys + 1] = mark_key()
  end
end
local function mark(waited_for)
  if waited_for then
    redis.call('DEL', mark_key())
    redis.call('HSET', mark_key(), '@', '')
    redis.call('DEL', mark_key())
  end
end
local function field_changes()
  local changes = { max_bytes = number(), replaced = {}, names = {} }
  local references = args()
  for i = 1, #references, 2 do
    changes.replaced[references[i]] = true
    for _, name in ipairs(words(references[i + 1])) do
      changes.names[#changes.names + 1] = name
    end
  end
  changes.set = args()
  changes.unset = args()
  return changes
end
local function names_after(names, changes)
  local wanted, had, after, added, removed = {}, {}, {}, {}, {}
  for _, name in ipairs(changes.names) do
    wanted[name] = true
  end
  for _, name in ipairs(names) do
    had[name] = true
    if changes.replaced[field_of(name)] and not wanted[name] then
      removed[#removed + 1] = name
    else
      after[#after + 1] = name
    end
  end
  for _, name in ipairs(changes.names) do
    if not had[name] then
      added[#added + 1] = name
      after[#after + 1] = name
    end
  end
  return after, added, removed
end
local function bytes_after(key, changes)
  if #changes.set == 0 then
    return 0
  end
  local bytes, replaced = 0, {}
  for i = 1, #changes.set, 2 do
    bytes = bytes + #changes.set[i] + #changes.set[i + 1]
    replaced[changes.set[i]] = true
  end
  for _, field in ipairs(changes.unset) do
    replaced[field] = true
  end
  local fields = redis.call('HGETALL', key)
  for i = 1, #fields, 2 do
    if not replaced[fields[i]] and string.sub(fields[i], 1, 1) ~= '@' then
      bytes = bytes + #fields[i] + #fields[i + 1]
    end
  end
  return bytes
end
local function fields_set(changes, without)
  local dropped, fields, bytes = {}, {}, 0
  for _, field in ipairs(without) do
    dropped[field] = true
  end
  for i = 1, #changes.set, 2 do
    if not dropped[changes.set[i]] then
      fields[#fields + 1] = changes.set[i]
      fields[#fields + 1] = changes.set[i + 1]
      bytes = bytes + #changes.set[i] + #changes.set[i + 1]
    end
  end
  return fields, bytes
end
local MAX_REFERENCES = 1000
local function write_fields(key, changes, found, after)
  in_parts('HSET', key, changes.set)
  in_parts('HDEL', key, changes.unset)
  if after then
    redis.call('HDEL', key, '@r')
    in_parts('HDEL', key, part_fields(found.parts))
    in_parts('HSET', key, name_fields(after))
  end
end
local function times(found)
  return { found.created, found.seen, found.idle or '', found.absolute or '' }
end
local function whole(id, found)
  local fields = found.fields or redis.call('HGETALL', session_key(id))
  return times(found), lineage_of(id, found), fields
end
local function page(key, after, after_id, count, budget, cost)
  local from
  if after == '' then
    from = redis.call('ZCOUNT', key, '-inf', '(' .. int(now))
  elseif after_id == '' then
    from = redis.call('ZCOUNT', key, '-inf', after)
  elseif tonumber(redis.call('ZSCORE', key, after_id)) == tonumber(after) then
    from = redis.call('ZRANK', key, after_id) + 1
  else
    from = redis.call('ZCOUNT', key, '-inf', '(' .. after)
  end
  local entries = redis.call('ZRANGE', key, from, from + count, 'WITHSCORES')
  local ids, deadlines = {}, {}
  for i = 1, #entries, 2 do
    ids[#ids + 1] = entries[i]
    deadlines[#deadlines + 1] = entries[i + 1]
  end
  local taken, spent = 0, 0
  while taken < #ids and taken < count do
    spent = spent + cost(ids[taken + 1])
    if taken > 0 and spent > budget then
      break
    end
    taken = taken + 1
  end
  if taken == #ids then
    return ids, '', ''
  end
  local last = taken
  while last > 0 and deadlines[last] == deadlines[taken + 1] do
    last = last - 1
  end
  local next_id = ''
  if last == 0 then
    last = taken
    next_id = ids[last]
  end
  for i = last + 1, #ids do
    ids[i] = nil
  end
  return ids, score_text(deadlines[last]), next_id
end`;

export const sources = {
  change: `${lib}
local id = arg()
local where = arg()
local new_idle = number()
local timeout = number()
local new_absolute = number() or (timeout and now + timeout)
local replaces = arg() == '1'
local creates = arg()
local to = arg()
local when = arg()
local grace = number()
local tombstone_stays = number()
local identity = fields_in(arg())
local first_only = fields_in(arg())
local fresh_idle = number()
local fresh_timeout = number()
local without = args()
local changes = field_changes()
local function replace_others(id, found)
  local kept = {}
  for i = 1, #changes.set, 2 do
    kept[changes.set[i]] = true
  end
  for _, field in ipairs(redis.call('HKEYS', session_key(id))) do
    if not kept[field] and string.sub(field, 1, 1) ~= '@' then
      changes.unset[#changes.unset + 1] = field
    end
  end
  for _, name in ipairs(found.names) do
    changes.replaced[field_of(name)] = true
  end
end
local function changed(final, found)
  if final == to then
    return { now, 'changed', final, 1, whole(final, found) }
  end
  return { now, 'changed', final, 0, times(found), lineage_of(final, found), {} }
end
local function aliases_of(found)
  local ids, before = {}, found.previous
  while before and #ids < MAX_RENEWALS do
    local alias = own(before)
    if not alias.target then
      break
    end
    ids[#ids + 1] = before
    before = alias.previous
  end
  return ids, before or nil
end
local function changes_identity(found, added, removed)
  local had = {}
  for _, name in ipairs(found.names) do
    had[field_of(name)] = true
  end
  local counted = {}
  for field in pairs(identity) do
    counted[field] = not (first_only[field] and had[field])
  end
  return identifies(added, counted) or identifies(removed, counted)
end
local function told(tombstone)
  local given = fields_in(named_of(changes.names, identity))
  for _, field in ipairs(words(string.sub(tombstone, 2))) do
    if next(given) and not given[field] then
      return by_sign_in(true)
    end
  end
  return string.sub(tombstone, 1, 1)
end
local done = to ~= '' and own(to)
if done and done.created then
  return changed(to, done)
end
local current, found, trail = resolve(id, MAX_HOPS)
if replaces then
  replace_others(current, found)
end
local after, added, removed = names_after(found.names, changes)
if #added > 0 and #after > MAX_REFERENCES then
  return { now, 'too-many', #after }
end
local aliases, before_them = {}, nil
if when == 'always' then
  aliases, before_them = aliases_of(found)
end
will_touch(current, found.names)
will_touch(current, added)
will_touch_all(trail)
will_touch_all(aliases)
will_touch_all({ before_them })
will_point(found, to ~= '' and current)
if to ~= '' then
  will_touch(to, {})
end
look()
local ended = creates == 'anew' and found.tombstone == BY_DELETE
local makes = creates ~= '' and not (found.created or found.target) and (ended or not found.tombstone)
if not found.created and not makes then
  if found.tombstone or found.target then
    if found.tombstone then
      return { now, 'superseded', told(found.tombstone) }
    end
    return { now, 'superseded', by_sign_in(true) } -- more than three rotations ago
  end
  return { now, 'gone' } -- I4
end
if where ~= '' and not makes and not lists(found.names, where) then
  return { now, 'elsewhere' }
end
local rotates, for_good = false, false
if when == 'identity-changes' then
  for_good = changes_identity(found, added, removed)
  rotates = for_good
elseif when == 'credentials' then
  rotates, for_good = true, true
elseif to ~= '' then
  local owned_by = owner(found.names, changes, identity)
  if owned_by == 'another' or owned_by == 'nobody' then
    if when == 'never' then
      return { now, 'signs-in' }
    end
    local fields, bytes = fields_set(changes, without)
    if bytes > changes.max_bytes then
      return { now, 'too-large', bytes }
    end
    local had_identity = identifies(found.names, identity)
    local made =
      make(to, changes.names, fields, fresh_idle, fresh_timeout and now + fresh_timeout)
    local named = named_of(changes.names, identity)
    bury(current, found, trail, tombstone_stays, by_sign_in(had_identity, named))
    return changed(to, made)
  end
  for_good = when == 'always' and owned_by == 'same'
  rotates = for_good or (when == 'always' and #trail == 0 and #aliases < MAX_RENEWALS)
  if when == 'always' and not rotates then
    if grace > 0 or #trail == 0 then
      return { now, 'alias' }
    end
    bury(current, found, trail, tombstone_stays, by_sign_in(identifies(found.names, identity)))
    return { now, 'ended' }
  end
end
local key = session_key(current)
local bytes = bytes_after(key, changes)
if bytes > changes.max_bytes then
  return { now, 'too-large', bytes }
end
local idle = new_idle or tonumber(found.idle)
local absolute = new_absolute or tonumber(found.absolute)
local deadline = math.min(idle and now + idle or math.huge, absolute or math.huge)
local held = math.max(deadline, now + 1000)
local moved = #added + #removed > 0
if makes then
  found.created = int(micros)
  redis.call('HSET', key, '@c', found.created)
  redis.call('HDEL', key, '@x')
end
if #changes.set == 0 then
  redis.call('PEXPIREAT', key, int(held)) -- needs no memory: touching works when it is full
  write_fields(key, changes, found, moved and after)
else
  write_fields(key, changes, found, moved and after)
  redis.call('PEXPIREAT', key, int(held))
end
found.seen = int(now)
redis.call('HSET', key, '@s', found.seen)
if new_idle then
  found.idle = int(new_idle)
  redis.call('HSET', key, '@i', found.idle)
end
if new_absolute then
  found.absolute = int(new_absolute)
  redis.call('HSET', key, '@a', found.absolute)
end
for _, name in ipairs(removed) do
  leave(name, current)
end
local final = current
if rotates then
  final = to
  for _, name in ipairs(found.names) do
    leave(name, current)
  end
  redis.call('RENAME', key, session_key(to))
  found.lineage = lineage_of(current, found)
  redis.call('HSET', session_key(to), '@l', found.lineage)
  if for_good or grace == 0 then
    local named = named_of(changes.names, identity)
    trail[#trail + 1] = current
    for _, old in ipairs(trail) do
      replace(old, tombstone_stays, '@x', by_sign_in(identifies(found.names, identity), named))
    end
    redis.call('HDEL', session_key(to), '@p')
  else
    replace(current, grace, '@to', to, aliases[1])
    redis.call('HSET', session_key(to), '@p', current)
  end
end
for _, name in ipairs(after) do
  enter(name, final, deadline)
end
point(final, found, deadline)
settle()
local answer = changed(final, found)
if held > deadline then
  redis.call('PEXPIREAT', session_key(final), int(deadline))
end
return answer
`,
  changeAll: `${lib}
local name = arg()
local operation = arg()
local after = arg()
local after_id = arg()
local count = number()
local budget = number()
local changes = field_changes()
local sessions = {}
local function prepare(id)
  local found = own(id)
  local live = found.created and lists(found.names, name)
  local session = { found = found, created = live and found.created }
  session.names, session.added, session.removed = names_after(found.names, changes)
  sessions[id] = session
  return 1 + #session.added + #session.removed
end
local ids, next_after, next_id = page(KEYS[1], after, after_id, count, budget, prepare)
for _, id in ipairs(ids) do
  will_touch(id, sessions[id].added)
  will_touch(id, sessions[id].removed)
end
will_touch('', { name }) -- its expired entries are dropped
look()
local paged = after ~= '' or next_after ~= ''
local changed, todo = {}, {}
for _, id in ipairs(ids) do
  local session = sessions[id]
  if session.created then
    changed[#changed + 1] = session.created
    session.had = paged and redis.call('HGET', session_key(id), '@u') or ''
    if not string.find(session.had, operation, 1, true) then
      todo[#todo + 1] = id
    end
  end
end
for _, id in ipairs(todo) do
  if #sessions[id].added > 0 and #sessions[id].names > MAX_REFERENCES then
    return { now, 'too-many', #sessions[id].names }
  end
  local bytes = bytes_after(session_key(id), changes)
  if bytes > changes.max_bytes then
    return { now, 'too-large', bytes }
  end
end
for _, id in ipairs(todo) do
  local key, session = session_key(id), sessions[id]
  local moved = #session.added + #session.removed > 0
  write_fields(key, changes, session.found, moved and session.names)
  if paged then
    redis.call('HSET', key, '@u', string.sub(operation .. ' ' .. session.had, 1, 62))
  end
  for _, gone in ipairs(session.removed) do
    leave(gone, id)
  end
  for _, entered in ipairs(session.added) do
    enter(entered, id, redis.call('PEXPIRETIME', key))
  end
end
unsettled[name] = true
settle()
return { now, 'page', next_after, next_id, changed }
`,
  count: `${lib}
local count = redis.call('ZCOUNT', KEYS[1], int(now), '+inf')
return { now, 'count', count, count_instead(arg(), count == 0) }
`,
  create: `${lib}
local id = arg()
local idle = number()
local timeout = number()
local absolute = number() or (timeout and now + timeout)
local names = words(arg())
local fields = args()
will_touch(id, names)
look()
local found = own(id)
if not found.created then
  found = make(id, names, fields, idle, absolute)
end
return { now, 'created', times(found) }
`,
  end: `${lib}
local id = arg()
local by_name = arg() == '1'
local name = arg()
local stays = number()
local of_lineage = arg()
local waited_for = arg() == '1'
local current, found, trail
if by_name then
  current, found, trail = resolve_name(id)
else
  current, found, trail = resolve(id, MAX_RENEWALS)
end
will_touch(current, found.names)
will_touch_all(trail)
will_point(found, id)
will_mark(waited_for)
look()
if not found.created or (name ~= '' and not lists(found.names, name)) then
  mark(waited_for)
  return { now, 'ended', '' }
end
local lineage = lineage_of(current, found)
if of_lineage ~= '' and of_lineage ~= lineage then
  stays = 0
end
bury(current, found, trail, stays, BY_DELETE)
return { now, 'ended', lineage }
`,
  endAll: `${lib}
local name = arg()
local except = arg()
local spared = arg()
local budget = number()
local waited_for = arg() == '1'
local other = arg()
if except ~= '' then
  local to, found = resolve_name(except)
  if found.created then
    except = to
    spared = found.created
  end
  will_touch(except, { name })
  will_point(found, except)
end
local doomed, touched = {}, 0
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, budget)) do
  if id ~= except then
    if touched >= budget then
      break
    end
    local found = own(id)
    if found.created and found.created == spared then
      except = id -- rotated since the last page, with nothing left at its old id
    else
      local live = found.created and lists(found.names, name)
      local names = live and found.names or { name }
      will_touch(id, names)
      will_point(found)
      doomed[#doomed + 1] = {
        id = id, names = names, created = live and found.created, lineage = live and found.lineage,
      }
      touched = touched + 1 + #names
    end
  end
end
will_mark(waited_for)
look()
mark(waited_for and #doomed == 0)
local ended = {}
for _, session in ipairs(doomed) do
  if session.created then
    redis.call('DEL', session_key(session.id))
    unpoint(session)
    ended[#ended + 1] = session.created
  end
  for _, entered in ipairs(session.names) do
    leave(entered, session.id)
  end
end
settle()
local left = redis.call('ZCARD', KEYS[1])
local empty = #doomed == 0 and left == 0
if except ~= '' and redis.call('ZSCORE', KEYS[1], except) then
  left = left - 1
end
return { now, 'page', ended, left, except, spared, empty and count_instead(other, true) or -1 }
`,
  has: `${lib}
local asked = arg()
local id, found, trail = resolve_name(asked)
if not found.created then
  will_touch(id, {})
  will_touch_all(trail)
  will_point(found, asked)
  look() -- what is not there may have not arrived yet
end
return { now, 'has', found.created and lists(found.names, arg()) and 1 or 0 }
`,
  list: `${lib}
local name = arg()
local limit = number()
local other = arg()
local entries = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], '+inf', int(now), 'BYSCORE', 'REV', 'LIMIT', 0, 500)) do
  local seen = redis.call('HGET', session_key(id), '@s')
  if seen then
    entries[#entries + 1] = { id = id, seen = tonumber(seen) }
  else
    will_touch(id, {})
  end
end
look() -- what is not there may have not arrived yet
drop_expired(name)
table.sort(entries, function(a, b)
  if a.seen ~= b.seen then
    return a.seen > b.seen
  end
  return a.id < b.id
end)
local sessions = {}
for i = 1, math.min(limit, #entries) do
  local id = entries[i].id
  sessions[i] = { id, redis.call('HGETALL', session_key(id)) }
end
return { now, 'list', sessions, count_instead(other, #entries == 0) }
`,
  mendSession: `${lib}
local id = arg()
local mends = arg() == '1'
local read = args()
local key = KEYS[1]
local found = own(id)
local changes = { replaced = {}, names = {} }
for i = 1, #read, 5 do
  if redis.call('HGET', key, read[i]) == (read[i + 2] == '1' and read[i + 3]) then
    changes.replaced[read[i + 1]] = true
    for _, name in ipairs(words(read[i + 4])) do
      changes.names[#changes.names + 1] = name
    end
  end
end
local after, fresh, removed = names_after(found.names, changes)
will_touch(id, after)
will_touch(id, removed)
if found.lineage then
  will_point(found)
end
look()
local expires = redis.call('PEXPIRETIME', key)
local count = { added = 0, removed = 0, corrected = 0 }
local function answer()
  return { now, 'mended', count.added, count.removed, count.corrected }
end
local seen, idle = tonumber(found.seen), tonumber(found.idle)
local deadline =
  math.min(seen and idle and seen + idle or math.huge, tonumber(found.absolute) or math.huge)
if not found.created or deadline == math.huge then
  deadline = expires -- an alias, a tombstone, or no whole session: it goes when it goes
end
local pointer = found.lineage and pointer_key(found.lineage)
local leads_to = pointer and redis.call('GET', pointer)
if deadline < now then
  if expires ~= -2 then
    count.removed = leads_to == id and 2 or 1
    for _, name in ipairs(found.names) do
      if redis.call('ZSCORE', set_key(name), id) then
        count.removed = count.removed + 1
      end
    end
    if mends then
      redis.call('DEL', key)
      if leads_to == id then
        unpoint(found)
      end
      for _, name in ipairs(found.names) do
        leave(name, id)
      end
      settle()
    end
  end
  return answer()
end
if not found.created then
  return answer()
end
local lost = found.parts -- parts of a list of names whose count is gone
while redis.call('HEXISTS', key, '@r' .. int(lost + 1)) == 1 do
  lost = lost + 1
end
local relisted = #fresh + #removed > 0 or lost > found.parts
found.parts = lost
if relisted then
  count.corrected = count.corrected + 1
end
if expires ~= deadline then
  count.corrected = count.corrected + 1
end
local astray = pointer
  and (leads_to ~= id or redis.call('PEXPIRETIME', pointer) ~= deadline)
if astray then
  count.corrected = count.corrected + 1
end
local kept, left, entering = {}, {}, {}
for _, name in ipairs(after) do
  kept[bare(name)] = true
end
for _, name in ipairs(removed) do
  left[bare(name)] = true
  if not kept[bare(name)] and redis.call('ZSCORE', set_key(name), id) then
    count.removed = count.removed + 1
  end
end
for _, name in ipairs(after) do
  local score = redis.call('ZSCORE', set_key(name), id)
  local plain = plain_key(name)
  if not score or (plain and redis.call('SISMEMBER', plain, id) == 0) then
    count.added = count.added + 1
    entering[#entering + 1] = name
  elseif tonumber(score) ~= deadline then
    count.corrected = count.corrected + 1
    entering[#entering + 1] = name
  elseif left[bare(name)] then
    entering[#entering + 1] = name
  end
end
if mends then
  if relisted then
    write_fields(key, { set = {}, unset = {} }, found, after)
  end
  for _, name in ipairs(removed) do
    leave(name, id)
  end
  for _, name in ipairs(entering) do
    enter(name, id, deadline)
  end
  settle()
  if expires ~= deadline then
    redis.call('PEXPIREAT', key, int(deadline))
  end
  if astray then
    point(id, found, deadline)
  end
end
return answer()
`,
  mendSet: `${lib}
local name = '=' .. arg()
local kind = arg()
local cursor = arg()
local size = arg()
local page = kind == 'r' and redis.call('ZSCAN', KEYS[1], cursor, 'COUNT', size)
  or redis.call('SSCAN', KEYS[1], cursor, 'COUNT', size)
local mends = arg() == '1'
local ids = {}
for i = 1, #page[2], kind == 'r' and 2 or 1 do
  ids[#ids + 1] = page[2][i]
  will_touch(page[2][i], { name })
end
will_touch('', { name })
look()
local added, removed, corrected = 0, 0, 0
local last = redis.call('ZRANGE', set_key(name), -1, -1, 'WITHSCORES')[2]
if cursor == '0' and last and redis.call('PEXPIRETIME', KEYS[1]) ~= tonumber(last) then
  corrected = 1
  unsettled[name] = true
end
local function listed(found)
  for _, own_name in ipairs(found.created and found.names or {}) do
    if bare(own_name) == bare(name) then
      return own_name
    end
  end
end
for _, id in ipairs(ids) do
  local own_name = listed(own(id))
  local score = tonumber(redis.call('ZSCORE', set_key(name), id))
  local member = redis.call('SISMEMBER', plain_key(name), id) == 1
  local deadline = redis.call('PEXPIRETIME', session_key(id))
  if not own_name then
    if not score or score >= now then
      removed = removed + 1
      if mends then
        leave(name, id)
      end
    end
  elseif deadline > 0 then -- else the session itself is to be mended first
    local missing = not score or (plain_key(own_name) and not member)
    if missing then
      added = added + 1
    elseif score ~= deadline then
      corrected = corrected + 1
    end
    if mends and (missing or score ~= deadline) then
      enter(own_name, id, deadline)
    end
    if member and not plain_key(own_name) then
      removed = removed + 1
      if mends then
        redis.call('SREM', plain_key(name), id)
      end
    end
  end
end
if mends then
  settle()
end
return { now, 'mended', added, removed, corrected, page[1] }
`,
  scan: `${lib}
local name = arg()
local after = arg()
local after_id = arg()
local count = number()
local with_fields = arg() == '1'
local function one()
  return 1
end
local ids, next_after, next_id = page(KEYS[1], after, after_id, count, count, one)
local sessions = {}
for _, id in ipairs(ids) do
  local fields
  if with_fields then
    fields = redis.call('HGETALL', session_key(id))
  else
    local found = own(id)
    fields = found.created
      and {
        '@c', found.created, '@s', found.seen, '@i', found.idle, '@a', found.absolute,
        '@l', found.lineage,
      } or {}
  end
  if #fields > 0 then
    sessions[#sessions + 1] = { id, fields }
  else
    will_touch(id, {})
  end
end
look() -- what is not there may have not arrived yet
drop_expired(name)
return { now, 'page', next_after, next_id, sessions }
`,
  signIn: `${lib}
local id = arg()
local to = arg()
local idle = number()
local timeout = number()
local tombstone_stays = number()
local identity = fields_in(arg())
local keep = args()
local changes = field_changes()
local function signed_in(found, ended)
  return { now, 'signed-in', ended, whole(to, found) }
end
local done = own(to)
if done.created then
  return signed_in(done, 1)
end
local current, found, trail = resolve(id, MAX_RENEWALS)
local fields, bytes = fields_set(changes, {})
local names = changes.names
local way_in = found.created and #trail <= MAX_HOPS
if way_in and owner(found.names, changes, identity) ~= 'another' then
  local set = {}
  for i = 1, #fields, 2 do
    set[fields[i]] = true
  end
  local kept = {}
  for i = 1, #keep, 2 do
    local text = not set[keep[i]] and redis.call('HGET', session_key(current), keep[i])
    if text then
      kept[keep[i + 1]] = true
      fields[#fields + 1] = keep[i]
      fields[#fields + 1] = text
      bytes = bytes + #keep[i] + #text
    end
  end
  for _, name in ipairs(found.names) do
    if kept[field_of(name)] then
      names[#names + 1] = name
    end
  end
end
if #names > MAX_REFERENCES then
  return { now, 'too-many', #names }
end
will_touch(current, found.names)
will_touch_all(trail)
will_point(found)
will_touch(to, names)
look()
if bytes > changes.max_bytes then
  return { now, 'too-large', bytes }
end
local had_identity = identifies(found.names, identity)
local named = named_of(changes.names, identity)
local made = make(to, names, fields, idle, timeout and now + timeout)
if found.created then
  bury(current, found, trail, tombstone_stays, by_sign_in(had_identity, named))
elseif not found.tombstone and not found.target then
  replace(id, tombstone_stays, '@x', by_sign_in(false, named))
end
return signed_in(made, found.created and 1 or 0)
`,
  takeOver: `${lib}
local LEAST = 3600000
local id = arg()
local deadline = number()
local idle = number()
local names = words(arg())
local fields = args()
local mark = base .. ':o:' .. id
seen_keys[1] = mark
will_touch(id, names)
look()
local found = own(id)
local until_then = int(math.max(deadline, now + LEAST))
if redis.call('EXISTS', mark) == 1 then
  redis.call('PEXPIREAT', mark, until_then, 'GT')
  return { now, 'known' }
end
redis.call('SET', mark, '', 'PXAT', until_then)
if found.created or found.target or found.tombstone then
  return { now, 'known' }
end
if deadline > now then
  idle = idle and math.max(idle, deadline - now)
  make(id, names, fields, idle, not idle and deadline or nil, idle and deadline - idle)
end
return { now, 'taken-over' }
`,
  walk: `${lib}
local cursor = arg()
local count = arg()
redis.call('EXISTS', base .. ':s:', base .. ':r:')
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
  or string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)')
  or ''
if cursor == '' then
  return { now, 'page', server, '', {} }
end
local head = string.match(base, '^(.*:)')
local pattern = string.gsub(head, '[%*%?%[%]%^\\\\]', '\\\\%0')
local page = redis.call('SCAN', cursor, 'MATCH', pattern .. '*', 'COUNT', count)
local keys = {}
for _, key in ipairs(page[2]) do
  local rest = string.sub(key, #head + 1)
  if string.find(rest, '^%d+}:') then
    keys[#keys + 1] = rest
  end
end
return { now, 'page', server, page[1], keys }
`,
  walkOld: `${lib}
local pattern = arg()
local cursor = arg()
local count = arg()
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
  or string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)')
  or ''
if cursor == '' then
  return { now, 'page', server, '', {} }
end
local head = string.match(base, '^[^{]*')
local literal = string.gsub(head, '[%*%?%[%]%^\\\\]', '\\\\%0')
local page = redis.call('SCAN', cursor, 'MATCH', literal .. pattern, 'COUNT', count)
local keys = {}
for i, key in ipairs(page[2]) do
  keys[i] = string.sub(key, #head + 1)
end
return { now, 'page', server, page[1], keys }
`,
};
