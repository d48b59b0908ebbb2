-- Ends one session: its hash, its entries and the aliases it was reached by.
--
-- KEYS[1]  the hash that the id names
-- ARGV     not after, id, '1' if the id is a name, the name of a set it must be in or '', for how long
--          (ms) tombstones stay, of which lineage alone or '', '1' if replicas are waited for, or ''
-- Returns  now, 'ended', its lineage or '' where there was none

local id = arg()
local by_name = arg() == '1'
local name = arg()
local stays = number()
local of_lineage = arg()
local waited_for = arg() == '1'

local current, found, trail
if by_name then
  current, found, trail = resolve_name(id)
else
  current, found, trail = resolve(id, MAX_RENEWALS)
end
will_touch(current, found.names)
will_touch_all(trail)
will_point(found, id)
will_mark(waited_for)
look()

if not found.created or (name ~= '' and not lists(found.names, name)) then
  mark(waited_for)
  return { now, 'ended', '' }
end

local lineage = lineage_of(current, found)
if of_lineage ~= '' and of_lineage ~= lineage then
  stays = 0
end
bury(current, found, trail, stays, BY_DELETE)

return { now, 'ended', lineage }
