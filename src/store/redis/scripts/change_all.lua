-- Changes one page of a set's sessions. No deadline moves.
--
-- KEYS[1]  the set
-- ARGV     not after, the set's name, a word for this operation, deadline and id to go on after or
--          '', how many sessions, how many keys to touch, the field changes
-- Returns  now, 'page', deadline and id to go on after, when each that was changed was created (µs)
--          or now and: 'too-large', bytes | 'too-many', references

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

-- A session that is used between two pages moves ahead and is met again: `@u` tells that it has had
-- its change, so that what it wrote since stands (I7).
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
