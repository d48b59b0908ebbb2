-- Changes one page of a set's sessions. No deadline moves.
--
-- KEYS[1]   the set
-- ARGV[1]   the moment after which nothing is done (ms)
-- ARGV[2]   the set's name
-- ARGV[3]   a word for this operation
-- ARGV[4]   the deadline to go on after (ms), or '' on the first page
-- ARGV[5]   the id to go on after among those of that deadline, or ''
-- ARGV[6]   how many sessions
-- ARGV[7]   how many keys to touch
-- ARGV[8…]  the changes (includes/changes.lua)
-- Returns   now, 'page', deadline and id to go on after, when each changed one was created (µs)
--           now, 'too-large', bytes
--           now, 'too-many', references
--           now, 'full', field, how many sessions it may have
--           now, 'late'

local not_after = tonumber(ARGV[1])
local set = KEYS[1]
local name = ARGV[2]
local operation = ARGV[3]
local after = ARGV[4]
local after_id = ARGV[5]
local limit = tonumber(ARGV[6])
local budget = tonumber(ARGV[7])
local changes = read_changes(8)

if is_late(not_after) then
  return { now, 'late' }
end

local sessions = {}

-- Reads a session and what its change does. How many keys that touches.
local function prepare(id)
  local found = read_own_fields(id)
  local live = found.created and has_name(found.names, name)
  local session = { found = found, created = live and found.created }
  session.names, session.added, session.removed = derive_names_after(found.names, changes)
  sessions[id] = session
  return 1 + #session.added + #session.removed
end

local ids, next_after, next_id = read_page(set, after, after_id, limit, budget, prepare)
for _, id in ipairs(ids) do
  check_types(id, sessions[id].added)
  check_types(id, sessions[id].removed)
end
check_types('', { name }) -- its expired entries are dropped

-- A session that is used between two pages moves ahead, so a later page has it again. `@u` says
-- that it has had its change, so that what was written to it since stays (I7).
local paged = after ~= '' or next_after ~= ''
local changed, todo = {}, {}
for _, id in ipairs(ids) do
  local session = sessions[id]
  if session.created then
    changed[#changed + 1] = session.created
    session.operations = paged and redis.call('HGET', derive_session_key(id), '@u') or ''
    if not string.find(session.operations, operation, 1, true) then
      todo[#todo + 1] = id
    end
  end
end

local entering = {}
for _, id in ipairs(todo) do
  for _, entered in ipairs(sessions[id].added) do
    entering[entered] = (entering[entered] or 0) + 1
  end
  if #sessions[id].added > 0 and #sessions[id].names > MAX_REFERENCES then
    return { now, 'too-many', #sessions[id].names }
  end
  local bytes = count_bytes_after(derive_session_key(id), changes)
  if bytes > changes.max_bytes then
    return { now, 'too-large', bytes }
  end
end

for entered, count in pairs(entering) do
  local bound = changes.limits and changes.limits.fields[parse_field(entered)]
  if bound and count + count_live(entered, {}) > bound.most then
    return { now, 'full', bound.field, bound.most }
  end
end

for _, id in ipairs(todo) do
  local key, session = derive_session_key(id), sessions[id]
  local changes_sets = #session.added + #session.removed > 0
  write_fields(key, changes, session.found, changes_sets and session.names)
  if paged then
    redis.call('HSET', key, '@u', string.sub(operation .. ' ' .. session.operations, 1, 62))
  end
  for _, gone in ipairs(session.removed) do
    remove_entry(gone, id)
  end
  for _, entered in ipairs(session.added) do
    add_entry(entered, id, redis.call('PEXPIRETIME', key))
  end
end
note_change(name, 0)
refresh_set_expiries()

return { now, 'page', next_after, next_id, changed }
