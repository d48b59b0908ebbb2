-- Makes a session.
--
-- KEYS[1]   the session's hash
-- ARGV[1]   the moment after which nothing is done (ms)
-- ARGV[2]   its id
-- ARGV[3]   idle timeout (ms), or ''
-- ARGV[4]   absolute timeout (ms), or ''
-- ARGV[5]   the names of its sets
-- ARGV[6]   when the credentials were read (ms), or ''
-- ARGV[7…]  a list: field, value, …
-- ARGV[…]   the limits of its sets (includes/limits.lua)
-- Returns   now, 'created', its times
--           now, 'cleared' where one of its sets was cleared since then
--           now, 'full', field, how many sessions it may have
--           now, 'reserved' where its place is another's for the moment
--           now, 'crowded' where room takes more than one script
--           now, 'late'

local not_after = tonumber(ARGV[1])
local key = KEYS[1]
local id = ARGV[2]
local idle = tonumber(ARGV[3])
local timeout = tonumber(ARGV[4])
local names_text = ARGV[5]
local as_of = tonumber(ARGV[6])
local fields, next_argument = read_list(7)
local limits = read_limits(next_argument)

if is_late(not_after) then
  return { now, 'late' }
end

-- Nearly every session is made here, with few helpers: one that goes by nothing read before, and
-- without limits.
local is_simple = not as_of and not limits and can_make_simply(names_text, fields)
if is_simple and not redis.call('HGET', key, '@') then
  return { now, 'created', encode_times(make_simply(id, names_text, fields, idle, timeout)) }
end

local names = split_words(names_text)

-- The id is fresh and random: if a session has it, this command was sent before.
local found = read_times(id)
if found.created then
  return { now, 'created', encode_times(found) }
end

check_sets(id, names)
if was_cleared(as_of, names) then
  return { now, 'cleared' }
end
local room
if limits then
  room = plan_room(names, limits, {})
  if room.refusal then
    return room.refusal
  end
end

found = make_session(id, names, fields, idle, timeout and now + timeout)
refresh_set_expiries()
if room then
  end_doomed(room)
  publish_feed()
end

return { now, 'created', encode_times(found) }
