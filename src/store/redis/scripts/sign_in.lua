-- Ends the session that an id leads to, and makes another; it makes one whatever the id leads to.
--
-- KEYS[1]  the hash that the id names
-- ARGV     not after, id, the new id, idle timeout or '', absolute timeout or '', for how long (ms)
--          tombstones stay, encoded names of the identity fields, a count and for each field that is
--          kept: field, the same encoded, then the field changes, of which nothing is unset
-- Returns  now and one of: 'signed-in', 1 if a session was ended, its times, its lineage, its fields
--          'too-large', bytes | 'too-many', references

local id = arg()
local to = arg()
local idle = number()
local timeout = number()
local tombstone_stays = number()
local identity = fields_in(arg())
local keep = args()
local changes = field_changes()

local function signed_in(found, ended)
  return { now, 'signed-in', ended, whole(to, found) }
end

-- The new id is fresh and random: if it is there, this is the same command once more.
local done = own(to)
if done.created then
  return signed_in(done, 1)
end

local current, found, trail = resolve(id, MAX_RENEWALS)
local fields, bytes = fields_set(changes, {})
local names = changes.names
local way_in = found.created and #trail <= MAX_HOPS
if way_in and owner(found.names, changes, identity) ~= 'another' then
  local set = {}
  for i = 1, #fields, 2 do
    set[fields[i]] = true
  end
  local kept = {}
  for i = 1, #keep, 2 do
    local text = not set[keep[i]] and redis.call('HGET', session_key(current), keep[i])
    if text then
      kept[keep[i + 1]] = true
      fields[#fields + 1] = keep[i]
      fields[#fields + 1] = text
      bytes = bytes + #keep[i] + #text
    end
  end
  for _, name in ipairs(found.names) do
    if kept[field_of(name)] then
      names[#names + 1] = name
    end
  end
end

if #names > MAX_REFERENCES then
  return { now, 'too-many', #names }
end

will_touch(current, found.names)
will_touch_all(trail)
will_point(found)
will_touch(to, names)
look()

if bytes > changes.max_bytes then
  return { now, 'too-large', bytes }
end

local had_identity = identifies(found.names, identity)
local named = named_of(changes.names, identity)
-- Made first, so that memory being full stops all of it.
local made = make(to, names, fields, idle, timeout and now + timeout)
if found.created then
  bury(current, found, trail, tombstone_stays, by_sign_in(had_identity, named))
elseif not found.tombstone and not found.target then
  replace(id, tombstone_stays, '@x', by_sign_in(false, named))
end

return signed_in(made, found.created and 1 or 0)
