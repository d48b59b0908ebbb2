-- Changes one session as its caller commands: when it ends, what is left of it, and whether it is
-- made where there is none. A change of the user merges, and may give the session a new id.
--
-- KEYS[1]   the hash at the id
-- ARGV[1]   the moment after which nothing is done (ms)
-- ARGV[2]   the id
-- ARGV[3]   the name of a set that the session must be in, or ''
-- ARGV[4]   new idle timeout (ms), or ''
-- ARGV[5]   new absolute timeout (ms), or ''
-- ARGV[6]   new absolute deadline (ms), which counts before the timeout, or ''
-- ARGV[7]   '1' if all other fields go, or ''
-- ARGV[8]   '1' to make the session where there is none, 'anew' also where one was ended, or ''
-- ARGV[9]   the new id where the user changes, or ''
-- ARGV[10]  for how long a tombstone stays (ms)
-- ARGV[11]  encoded names of the identity fields
-- ARGV[12]  of those, the encoded names of the fields that count with their first value only
-- ARGV[13…] the changes (includes/changes.lua)
-- Returns   now, 'changed', id, 1 if it is new, its times, its lineage, all its fields if the id is
--           new
--           now, 'full', field, how many sessions it may have
--           now, 'reserved' where its place is another's for the moment
--           now, 'crowded' where room takes more than one script
--           now, 'superseded', its tombstone
--           now, 'gone'
--           now, 'elsewhere' where it is not in the set
--           now, 'too-large', bytes
--           now, 'too-many', references
--           now, 'late'

local not_after = tonumber(ARGV[1])
local id = ARGV[2]
local where = ARGV[3]
local new_idle = tonumber(ARGV[4])
local new_timeout = tonumber(ARGV[5])
local new_deadline = tonumber(ARGV[6])
local replaces = ARGV[7] == '1'
local creates = ARGV[8]
local to = ARGV[9]
local tombstone_stays = tonumber(ARGV[10])
local identity = parse_fields(ARGV[11])
local first_only = parse_fields(ARGV[12])
local changes = read_changes(13)

if is_late(not_after) then
  return { now, 'late' }
end

-- Makes the changes unset all fields that they don't set, with the references of those.
local function unset_others(current, found)
  local kept = {}
  for i = 1, #changes.set, 2 do
    kept[changes.set[i]] = true
  end
  for _, field in ipairs(redis.call('HKEYS', derive_session_key(current))) do
    if not kept[field] and string.sub(field, 1, 1) ~= '@' then
      changes.unset[#changes.unset + 1] = field
    end
  end
  for _, name in ipairs(found.names) do
    changes.replaced[parse_field(name)] = true
  end
end

-- Whether the sets that the session enters and leaves change who the user is.
local function changes_identity(found, added, removed)
  local had = {}
  for _, name in ipairs(found.names) do
    had[parse_field(name)] = true
  end
  local counted = {}
  for field in pairs(identity) do
    counted[field] = not (first_only[field] and had[field])
  end
  return has_field(added, counted) or has_field(removed, counted)
end

-- The new id is fresh and random: if a session has it, this command was sent before.
local done = to ~= '' and read_own_fields(to)
if done and done.created then
  return answer_changed(to, done, 1)
end

local current, found, trail = follow_aliases(id, MAX_HOPS)
if replaces then
  unset_others(current, found)
end
local after, added, removed = derive_names_after(found.names, changes)
if #added > 0 and #after > MAX_REFERENCES then
  return { now, 'too-many', #after }
end
check_sets(current, found.names)
check_sets(current, added)
local room
if changes.limits then
  local own = found.created and describe_age(current, found)
  room = plan_room(added, changes.limits, {}, own)
end

local ended = creates == 'anew' and found.tombstone == BY_DELETE
local makes = creates ~= ''
  and not (found.created or found.target)
  and (ended or not found.tombstone)
if not found.created and not makes then
  return answer_absent(found, changes, identity)
end
if where ~= '' and not makes and not has_name(found.names, where) then
  return { now, 'elsewhere' }
end

if makes then
  current = id -- also where an alias is there, whose session has ended
end
local key = derive_session_key(current)
if room and room.refusal then
  return room.refusal
end
local bytes = count_bytes_after(key, changes)
if bytes > changes.max_bytes then
  return { now, 'too-large', bytes }
end

if makes then
  found.created, found.idle, found.absolute = format_int(micros), NO_TIME, NO_TIME
  redis.call('HSET', key, '@', found.created .. ' ' .. format_int(now) .. ' - -')
  redis.call('HDEL', key, '@p')
end

local rotates = to ~= '' and changes_identity(found, added, removed)
local named = encode_named(changes.names, identity)
local answer = write_session(current, found, trail, changes, {
  after = after, added = added, removed = removed, pushes = true,
  idle = new_idle, absolute = new_deadline or (new_timeout and now + new_timeout),
  to = rotates and to, for_good = true, stays = tombstone_stays,
  tombstone = encode_sign_in(has_field(found.names, identity), named),
})
if room then
  end_doomed(room)
end
publish_feed()

return answer
