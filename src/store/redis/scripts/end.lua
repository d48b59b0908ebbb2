-- Ends one session: deletes its hash, its entries and the aliases that led to it.
--
-- KEYS[1]   the hash at the id
-- ARGV[1]   the moment after which nothing is done (ms)
-- ARGV[2]   the id
-- ARGV[3]   '1' if it may also be a lineage
-- ARGV[4]   the name of a set that the session must be in, or ''
-- ARGV[5]   for how long tombstones stay (ms); 0 for none
-- ARGV[6]   the lineage that a session must have to leave tombstones; '' for any
-- ARGV[7]   '1' if replicas are waited for, or ''
-- ARGV[8]   who ends it and why, for the feed
-- Returns   now, 'ended', its lineage, or '' where there was none
--           now, 'late'

local not_after = tonumber(ARGV[1])
local id = ARGV[2]
local by_name = ARGV[3] == '1'
local where = ARGV[4]
local tombstone_stays = tonumber(ARGV[5])
local of_lineage = ARGV[6]
local is_waited_for = ARGV[7] == '1'
local cause = ARGV[8]

if is_late(not_after) then
  return { now, 'late' }
end

local current, found, trail
if by_name then
  current, found, trail = follow_name(id)
else
  current, found, trail = follow_aliases(id, MAX_RENEWALS)
end
check_types(current, found.names)

if not found.created or (where ~= '' and not has_name(found.names, where)) then
  if is_waited_for then
    write_for_wait()
  end
  return { now, 'ended', '' }
end

local lineage = derive_lineage(current, found)
if of_lineage ~= '' and of_lineage ~= lineage then
  tombstone_stays = 0
end
end_session(current, found, trail, {
  how = 'delete', cause = cause, tombstone = BY_DELETE, stays = tombstone_stays,
})
publish_feed()

return { now, 'ended', lineage }
