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
-- Returns   now, 'page', how many were ended, how many entries are left, the current id of the
--           session to spare, when that one was created (µs), how many live sessions the other set
--           has, or -1 where this one was not empty
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
end

local ids = redis.call('ZRANGE', set, 0, budget)
local doomed, removals = {}, {}
local touched, spares, is_last = 0, false, #ids <= budget
for _, id in ipairs(ids) do
  if except ~= '' and id == except then
    spares = true
  elseif touched >= budget then
    is_last = false
    break
  else
    local names, lineage, created = read_membership(id, spared_created ~= '')
    if created == spared_created then
      except, spares = id, true -- rotated since the last page, with nothing left at its old id
    else
      -- I2: what is not there, or not of this set, loses its entry and nothing else. A session with
      -- damaged times is ended with the others.
      if has_name(names, name) then
        doomed[#doomed + 1] = { id = id, lineage = lineage }
      else
        names = { name }
      end
      note_removals(removals, names, id)
      touched = touched + 1 + #names
    end
  end
end
check_removals(removals, name)

if is_waited_for and touched == 0 then
  write_for_wait()
end
delete_sessions(doomed)
remove_entries(removals, is_last and not spares and name or nil)
refresh_set_expiries()
if leaves_mark then
  mark_cleared(name, touched > 0)
end

-- A page that ends nothing is the last one, even if a copy made by hand is spared as well.
local left = 0
if not is_last and touched > 0 then
  left = redis.call('ZCARD', set)
  if except ~= '' and redis.call('ZSCORE', set, except) then
    left = left - 1
  end
end

note_all_ended('clear', cause, doomed)
publish_feed()
local alike = #ids == 0 and count_lookalikes(other) or -1
return { now, 'page', #doomed, left, except, spared_created, alike }
