-- Changes one session and pushes its idle deadline forward: set, unset, touch and rotate are this.
-- A change that names another user makes another session in its place.
--
-- KEYS[1]   the hash at the id
-- ARGV[1]   the moment after which nothing is done (ms)
-- ARGV[2]   the id
-- ARGV[3]   the name of a set that the session must be in, or ''
-- ARGV[4]   new idle timeout (ms), or ''
-- ARGV[5]   the new id of a rotation, or ''
-- ARGV[6]   when the id changes: 'always', 'credentials', 'user-changes' or 'never'
-- ARGV[7]   for how long an alias stays (ms); 0 for none
-- ARGV[8]   for how long a tombstone stays (ms)
-- ARGV[9]   encoded names of the identity fields
-- ARGV[10]  idle timeout of a session in its place (ms), or ''
-- ARGV[11]  absolute timeout of a session in its place (ms), or ''
-- ARGV[12]  when the credentials were read (ms), or ''
-- ARGV[13]  who ends the session that is there and why, if it ends, for the feed
-- ARGV[14]  ids of sessions that its caller ends with one that is replaced; no limit counts them
-- ARGV[15…] a list: fields that a session in its place does not get
-- ARGV[…]   the changes (includes/changes.lua)
-- Returns   now, 'changed', id, 1 if it is new, its times, its lineage, all its fields if the id is
--           new
--           now, 'ended' by a rotation through an alias without grace
--           now, 'alias' where a rotation comes through an alias, or is one too many
--           now, 'signs-in' where the changes name another user, and the id is never to change
--           now, 'cleared' where a set that the changes name was cleared since then
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
local to = ARGV[5]
local when = ARGV[6]
local grace = tonumber(ARGV[7])
local tombstone_stays = tonumber(ARGV[8])
local identity = parse_fields(ARGV[9])
local fresh_idle = tonumber(ARGV[10])
local fresh_timeout = tonumber(ARGV[11])
local as_of = tonumber(ARGV[12])
local cause = ARGV[13]
local others = split_words(ARGV[14])
local without, next_argument = read_list(15)
local changes = read_changes(next_argument)

if is_late(not_after) then
  return { now, 'late' }
end

-- Lists the ids of the aliases that lead to a session, from the last one back.
local function list_aliases(found)
  local ids, before = {}, found.previous
  while before and #ids < MAX_RENEWALS do
    local alias = read_own_fields(before)
    if not alias.target then
      break
    end
    ids[#ids + 1] = before
    before = alias.previous
  end
  return ids
end

-- The new id is fresh and random: if a session has it, this command was sent before.
local done = to ~= '' and read_own_fields(to)
if done and done.created then
  return answer_changed(to, done, 1)
end

local current, found, trail = follow_aliases(id, MAX_HOPS)
local after, added, removed = derive_names_after(found.names, changes)
if #added > 0 and #after > MAX_REFERENCES then
  return { now, 'too-many', #after }
end
local aliases = {}
if when == 'always' then
  aliases = list_aliases(found)
end
check_sets(current, found.names)
check_sets(current, added)
local owned_by = to ~= '' and when ~= 'credentials'
  and compare_identities(found.names, changes, identity)
local is_replaced = owned_by == 'another' or owned_by == 'nobody'
local room
if changes.limits then
  if is_replaced then
    local leaving = list_leaving(others)
    leaving[#leaving + 1] = current
    room = plan_room(changes.names, changes.limits, leaving)
  else
    room = plan_room(added, changes.limits, {}, found.created and describe_age(current, found))
  end
end

if not found.created then
  return answer_absent(found, changes, identity)
end
if where ~= '' and not has_name(found.names, where) then
  return { now, 'elsewhere' }
end
if was_cleared(as_of, changes.names) then
  return { now, 'cleared' }
end

-- Whether the session gets a new id, and whether that is for good: no old id leads to the new one.
local rotates, for_good = false, false
local had_identity = has_field(found.names, identity)
local named = encode_named(changes.names, identity)
if when == 'credentials' then
  rotates, for_good = true, true
elseif to ~= '' then
  if is_replaced then
    if when == 'never' then
      return { now, 'signs-in' }
    end
    if room and room.refusal then
      return room.refusal
    end
    local fields, bytes = select_set_fields(changes, without)
    if bytes > changes.max_bytes then
      return { now, 'too-large', bytes }
    end
    -- The new session is made first, so that nothing is done if memory is full.
    local made =
      make_session(to, changes.names, fields, fresh_idle, fresh_timeout and now + fresh_timeout)
    end_session(current, found, trail, {
      how = describe_replacement(changes.names, identity), cause = cause,
      tombstone = encode_sign_in(had_identity, named), stays = tombstone_stays,
    })
    if room then
      end_doomed(room)
    end
    publish_feed()
    return answer_changed(to, made, 1)
  end
  for_good = when == 'always' and owned_by == 'same'
  rotates = for_good or (when == 'always' and #trail == 0 and #aliases < MAX_RENEWALS)
  if when == 'always' and not rotates then
    if grace > 0 or #trail == 0 then
      return { now, 'alias' }
    end
    end_session(current, found, trail, {
      how = 'delete', cause = cause,
      tombstone = encode_sign_in(had_identity), stays = tombstone_stays,
    })
    publish_feed()
    return { now, 'ended' }
  end
end

if room and room.refusal then
  return room.refusal
end
local bytes = count_bytes_after(derive_session_key(current), changes)
if bytes > changes.max_bytes then
  return { now, 'too-large', bytes }
end

-- A write to fields alone counts as use where a read would.
local writes_fields = #changes.set + #changes.unset > 0
local answer = write_session(current, found, trail, changes, {
  after = after, added = added, removed = removed, idle = new_idle,
  pushes = rotates or new_idle or not writes_fields or is_touch_due(found.seen, found.idle),
  to = rotates and to, for_good = for_good, grace = grace, alias = aliases[1],
  stays = tombstone_stays, tombstone = encode_sign_in(had_identity, named),
})
if room then
  end_doomed(room)
end
publish_feed()

return answer
