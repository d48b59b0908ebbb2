-- Changes one session and pushes its idle deadline forward: set, unset, touch and rotate are this.
-- One that names another user than the session's makes another session in its place.
--
-- KEYS[1]  the hash that the id names
-- ARGV     not after, id, the name of a set it must be in or '', new idle timeout or '', new absolute
--          timeout or '', new absolute deadline or '', '1' if all other fields go, '1' if it is made
--          where there is none or 'anew' if also where one was ended, the rotation (the new id or '',
--          'always', 'credentials', 'user-changes', 'never' or 'identity-changes', for how long (ms) an
--          alias and a tombstone stay, encoded names of the identity fields and of those of them that
--          count with their first value only, idle and absolute timeout or '' of a session in its
--          place, a count and fields that this one does not get), the field changes
-- Returns  now and one of: 'changed', id, 1 if the id is new, its times, its lineage, all its fields
--          if the id is new
--          'gone' | 'superseded', its tombstone | 'too-large', bytes
--          'ended' | 'alias' | 'signs-in' | 'elsewhere' | 'too-many', references

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

-- Adds to the changes that all fields that they do not set go, and their references with them.
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

-- The ids of the aliases that lead to a session one after the other.
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

-- Whether sets that come and go change who the user is, where a change merges.
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

-- What a tombstone tells this change. One that names less than the sign-in has named is no sign-in that
-- was sent twice: to make a session of it would take the sign-in's place.
local function told(tombstone)
  local given = fields_in(named_of(changes.names, identity))
  for _, field in ipairs(words(string.sub(tombstone, 2))) do
    if next(given) and not given[field] then
      return by_sign_in(true)
    end
  end
  return string.sub(tombstone, 1, 1)
end

-- The new id is fresh and random: if it is there, this is the same command once more.
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

-- What becomes of its id: a new one, which is `for_good` where whoever knows an old one must never
-- reach it, or that of another session.
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
    -- Made first, so that memory being full stops all of it.
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

-- I6: both deadlines hold, and nothing moves the absolute one but a new one that is given.
local idle = new_idle or tonumber(found.idle)
local absolute = new_absolute or tonumber(found.absolute)
local deadline = math.min(idle and now + idle or math.huge, absolute or math.huge)
-- PEXPIREAT deletes a key whose moment has come, by a clock that runs on during the script, and the
-- next write would make a part of the session anew, for ever. So until the end it has a second.
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
