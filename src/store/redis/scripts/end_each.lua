-- Ends one page of some sessions of a set, by their lineages: those that are still in the set.
--
-- KEYS[1]   the set
-- ARGV[1]   the moment after which nothing is done (ms)
-- ARGV[2]   the set's name
-- ARGV[3]   how many keys to touch
-- ARGV[4]   '1' if replicas are waited for, or ''
-- ARGV[5]   how they are ended, for the feed
-- ARGV[6]   who ends them and why, for the feed
-- ARGV[7…]  a list: lineages
-- Returns   now, 'page', how many were ended, how many of the list the page has
--           now, 'late'

local not_after = tonumber(ARGV[1])
local name = ARGV[2]
local budget = tonumber(ARGV[3])
local is_waited_for = ARGV[4] == '1'
local how = ARGV[5]
local cause = ARGV[6]
local lineages = read_list(7)

if is_late(not_after) then
  return { now, 'late' }
end

local doomed, removals = {}, {}
local taken, touched = 0, 0
for _, lineage in ipairs(lineages) do
  if touched >= budget then
    break
  end
  taken = taken + 1
  local current, found, trail = follow_name(lineage)
  touched = touched + 1 + #found.names + #trail
  if found.created and has_name(found.names, name) then
    doomed[#doomed + 1] = { id = current, trail = trail, lineage = found.lineage }
    note_removals(removals, found.names, current)
  end
end
check_removals(removals)

if is_waited_for and #doomed == 0 then
  write_for_wait()
end
delete_sessions(doomed)
remove_entries(removals)
refresh_set_expiries()
note_all_ended(how, cause, doomed)
publish_feed()

return { now, 'page', #doomed, taken }
