-- Ends the session that an id leads to, if any, and makes another in any case.
--
-- KEYS[1]   the hash at the id
-- ARGV[1]   the moment after which nothing is done (ms)
-- ARGV[2]   the id
-- ARGV[3]   the new id
-- ARGV[4]   idle timeout (ms), or ''
-- ARGV[5]   absolute timeout (ms), or ''
-- ARGV[6]   for how long tombstones stay (ms)
-- ARGV[7]   encoded names of the identity fields
-- ARGV[8]   when the credentials were read (ms), or ''
-- ARGV[9]   who ends the session at the id and why, for the feed
-- ARGV[10]  ids of sessions that its caller ends, which no limit counts
-- ARGV[11…] a list, for each field that is kept: field, the same encoded
-- ARGV[…]   the changes (includes/changes.lua), which unset nothing
-- Returns   now, 'signed-in', 1 if a session was ended, the new one's times, what it kept (field,
--           value, …)
--           now, 'repeated', its times, all its fields: the command was sent before
--           now, 'cleared' where one of its sets was cleared since then
--           now, 'full', field, how many sessions it may have
--           now, 'reserved' where its place is another's for the moment
--           now, 'crowded' where room takes more than one script
--           now, 'too-large', bytes
--           now, 'too-many', references
--           now, 'late'

local not_after = tonumber(ARGV[1])
local id = ARGV[2]
local to = ARGV[3]
local idle = tonumber(ARGV[4])
local timeout = tonumber(ARGV[5])
local tombstone_stays = tonumber(ARGV[6])
local identity = parse_fields(ARGV[7])
local as_of = tonumber(ARGV[8])
local cause = ARGV[9]
local others = split_words(ARGV[10])
local keep, next_argument = read_list(11)
local changes = read_changes(next_argument)

if is_late(not_after) then
  return { now, 'late' }
end

-- The new id is fresh and random: if a session has it, this command was sent before.
local done = read_times(to)
if done.created then
  local fields = redis.call('HGETALL', derive_session_key(to))
  return { now, 'repeated', encode_times(done), fields }
end

local current, found, trail = follow_aliases(id, MAX_RENEWALS)
local fields, names, kept = changes.set, changes.names, {}
local way_in = found.created and #trail <= MAX_HOPS
local keeps = way_in and #keep > 0
if keeps and compare_identities(found.names, changes, identity) ~= 'another' then
  local set = {}
  for i = 1, #fields, 2 do
    set[fields[i]] = true
  end
  local kept_fields = {}
  for i = 1, #keep, 2 do
    local text = not set[keep[i]] and redis.call('HGET', derive_session_key(current), keep[i])
    if text then
      kept_fields[keep[i + 1]] = true
      append(kept, keep[i], text)
    end
  end
  for _, name in ipairs(found.names) do
    if kept_fields[parse_field(name)] then
      names[#names + 1] = name
    end
  end
end
append_list(fields, kept)

if #names > MAX_REFERENCES then
  return { now, 'too-many', #names }
end

-- Nearly every sign-in is of a session that is in no set, goes by nothing read before, and has no
-- limits.
local names_text = table.concat(names, ' ')
local is_simple = #found.names == 0
  and not as_of
  and not changes.limits
  and can_make_simply(names_text, fields)

local room
if not is_simple then
  check_sets(current, found.names)
  check_sets(to, names)
  if changes.limits then
    local leaving = list_leaving(others)
    leaving[#leaving + 1] = current
    room = plan_room(changes.names, changes.limits, leaving)
  end
  if was_cleared(as_of, names) then
    return { now, 'cleared' }
  end
  if room and room.refusal then
    return room.refusal
  end
end

local bytes = #table.concat(fields)
if bytes > changes.max_bytes then
  return { now, 'too-large', bytes }
end

local had_identity = has_field(found.names, identity)
local named = encode_named(changes.names, identity)
local ending = {
  how = describe_replacement(names, identity), cause = cause,
  tombstone = encode_sign_in(had_identity, named), stays = tombstone_stays,
}
-- The new session is made first, so that nothing is done if memory is full.
local made
if is_simple then
  made = make_simply(to, names_text, fields, idle, timeout)
  if found.created then
    end_without_entries(current, found, trail, ending)
  end
else
  made = make_session(to, names, fields, idle, timeout and now + timeout)
  if found.created then
    end_session(current, found, trail, ending)
  else
    refresh_set_expiries()
  end
end
if not found.created and not found.tombstone and not found.target then
  replace_hash(id, tombstone_stays, encode_tombstone(ending.tombstone))
end
if room then
  end_doomed(room)
end
publish_feed()

return { now, 'signed-in', found.created and 1 or 0, encode_times(made), kept }
