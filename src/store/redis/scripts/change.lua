-- Changes one session and pushes its idle deadline forward: set, unset, touch and rotate are this.
--
-- KEYS[1]  the hash that the id names
-- ARGV     not after, id, the name of a set it must be in or '', new idle timeout or '', new absolute
--          timeout or '', new absolute deadline or '', '1' if all other fields go, '1' if it is made
--          where there is none, the new id or '', 'always' or 'identity-changes', grace (ms),
--          encoded names of the identity fields, the field changes
-- Returns  now and one of: 'changed', id, 1 if rotated, its times, all its fields if rotated
--          'gone' | 'superseded', '1' if it had an identity | 'alias' | 'too-large', bytes
--          'elsewhere'

local id = arg()
local where = arg()
local new_idle = number()
local timeout = number()
local new_absolute = number() or (timeout and now + timeout)
local replaces = arg() == '1'
local creates = arg() == '1'
local to = arg()
local when = arg()
local grace = number()
local identity = fields_in(arg())
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
    return { now, 'changed', final, 1, times(found), redis.call('HGETALL', session_key(final)) }
  end
  return { now, 'changed', final, 0, times(found), {} }
end

-- The new id is fresh and random: if it is there, this is the same command once more.
local done = to ~= '' and own(to)
if done and done.created then
  return changed(to, done)
end

local current, found, trail = resolve(id)
if replaces then
  replace_others(current, found)
end
local after, added, removed = names_after(found.names, changes)
will_touch(current, found.names)
will_touch(current, added)
for _, old in ipairs(trail) do
  will_touch(old, {})
end
if to ~= '' then
  will_touch(to, {})
end
look()

local makes = creates and not (found.created or found.tombstone or found.target)
if not found.created and not makes then
  if found.tombstone or found.target then
    return { now, 'superseded', found.tombstone or '1' } -- or more than three rotations ago
  end
  return { now, 'gone' } -- I4
end

if where ~= '' and not makes and not lists(found.names, where) then
  return { now, 'elsewhere' }
end

local signs_in = identifies(added, identity) or identifies(removed, identity)
local rotates = to ~= '' and (signs_in or (when == 'always' and #trail == 0))
if to ~= '' and when == 'always' and not rotates then
  return { now, 'alias' }
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
  if signs_in then
    -- Whoever knows an old id must never reach the signed-in session.
    trail[#trail + 1] = current
    for _, old in ipairs(trail) do
      replace(old, grace, '@x', identifies(found.names, identity) and '1' or '0')
    end
  else
    replace(current, grace, '@to', to)
  end
end

for _, name in ipairs(after) do
  enter(name, final, deadline)
end
settle()

local answer = changed(final, found)
if held > deadline then
  redis.call('PEXPIREAT', session_key(final), int(deadline))
end
return answer
