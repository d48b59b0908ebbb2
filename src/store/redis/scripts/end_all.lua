-- Ends one page of a set's sessions, from its beginning. I5: called until nothing is left.
--
-- KEYS[1]   the set
-- ARGV[1]   the moment after which nothing is done (ms)
-- ARGV[2]   the set's name
-- ARGV[3]   an id or a lineage of the session to spare, or ''
-- ARGV[4]   when that one was created (µs), or '' on the first page
-- ARGV[5]   how many keys to touch
-- ARGV[6]   '1' if replicas are waited for, or ''
-- ARGV[7]   the name of a set to count where this one is empty, or ''
-- ARGV[8]   who ends them and why, for the feed
-- ARGV[9]   '1' if the set counts as cleared from then on, or ''
-- Returns   now, 'page', when each ended session was created (µs), how many entries are left, the
--           current id of the session to spare, when that one was created (µs), how many live
--           sessions the other set has, or -1 where this one was not empty
--           now, 'late'

local not_after = tonumber(ARGV[1])
local set = KEYS[1]
local name = ARGV[2]
local except = ARGV[3]
local spared_created = ARGV[4]
local budget = tonumber(ARGV[5])
local is_waited_for = ARGV[6] == '1'
local other = ARGV[7]
local cause = ARGV[8]
local leaves_mark = ARGV[9] == '1'

if is_late(not_after) then
  return { now, 'late' }
end

if except ~= '' then
  local to, found = follow_name(except)
  if found.created then
    except = to
    spared_created = found.created
  end
  look_at_session(except, { name })
  look_at_pointer(found, except)
end

local doomed, touched = {}, 0
for _, id in ipairs(redis.call('ZRANGE', set, 0, budget)) do
  if except == '' or id ~= except then
    if touched >= budget then
      break
    end
    local found = read_own_fields(id)
    if spared_created ~= '' and found.created == spared_created then
      except = id -- rotated since the last page, with nothing left at its old id
    else
      -- I2: what is not there, or not of this set, loses its entry and nothing else.
      local live = found.created and has_name(found.names, name)
      local names = live and found.names or { name }
      look_at_session(id, names)
      look_at_pointer(found)
      doomed[#doomed + 1] = {
        id = id, names = names, created = live and found.created, lineage = live and found.lineage,
      }
      touched = touched + 1 + #names
    end
  end
end
if is_waited_for then
  look_at_key(derive_wait_key())
end
if leaves_mark then
  look_at_key(derive_clearing_key(name))
end
refuse_moving_slot()

if is_waited_for and #doomed == 0 then
  write_for_wait()
end
local ended = {}
for _, session in ipairs(doomed) do
  if session.created then
    redis.call('DEL', derive_session_key(session.id))
    delete_pointer(session)
    ended[#ended + 1] = session.created
    note_ended('clear', cause, session.id, session.lineage)
  end
  for _, entered in ipairs(session.names) do
    remove_entry(entered, session.id)
  end
end
refresh_set_expiries()
if leaves_mark then
  mark_cleared(name)
end

local left = redis.call('ZCARD', set)
local empty = #doomed == 0 and left == 0
if except ~= '' and redis.call('ZSCORE', set, except) then
  left = left - 1
end
-- A page that ends nothing is the last one, even if a copy made by hand is spared as well.
if #doomed == 0 then
  left = 0
end

publish_feed()
return { now, 'page', ended, left, except, spared_created, empty and count_lookalikes(other) or -1 }
