-- Changes one page of a set's sessions. No deadline moves.
--
-- KEYS[1]  the set
-- ARGV     not after, the set's name, deadline and id to go on after or '', how many sessions,
--          how many keys to touch, the field changes
-- Returns  now, 'page', deadline and id to go on after, when each that was changed was created (µs)
--          or now, 'too-large', bytes

local name = arg()
local after = arg()
local after_id = arg()
local count = number()
local budget = number()
local changes = field_changes()

local sessions = {}
local function prepare(id)
  local found = own(id)
  local session = { created = found.created and lists(found.names, name) and found.created }
  session.after, session.added, session.removed = names_after(found.names, changes)
  sessions[id] = session
  return 1 + #session.added + #session.removed
end

local ids, next_after, next_id = page(KEYS[1], after, after_id, count, budget, prepare)
for _, id in ipairs(ids) do
  will_touch(id, sessions[id].added)
  will_touch(id, sessions[id].removed)
end
look()

for _, id in ipairs(ids) do
  local bytes = sessions[id].created and bytes_after(session_key(id), changes) or 0
  if bytes > changes.max_bytes then
    return { now, 'too-large', bytes }
  end
end

local changed = {}
for _, id in ipairs(ids) do
  local session = sessions[id]
  if session.created then
    local key = session_key(id)
    write_fields(key, changes, session.after, #session.added + #session.removed > 0)
    for _, gone in ipairs(session.removed) do
      leave(gone, id)
    end
    for _, entered in ipairs(session.added) do
      enter(entered, id, redis.call('PEXPIRETIME', key))
    end
    changed[#changed + 1] = session.created
  end
end
drop_expired(name)

return { now, 'page', next_after, next_id, changed }
