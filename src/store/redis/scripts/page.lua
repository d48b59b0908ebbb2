-- Reads one page of a set's sessions.
--
-- KEYS[1]  the set
-- ARGV     '', the set's name, deadline and id to go on after or '', how many sessions, '1' for
--          their fields
-- Returns  now, 'page', deadline and id to go on after, and for each session: its id, its fields

local name = arg()
local after = arg()
local after_id = arg()
local count = number()
local with_fields = arg() == '1'

local function one()
  return 1
end

local ids, next_after, next_id = page(KEYS[1], after, after_id, count, count, one)
local sessions = {}
for _, id in ipairs(ids) do
  local fields
  if with_fields then
    fields = redis.call('HGETALL', session_key(id))
  else
    local found = own(id)
    fields = found.created
      and {
        '@c', found.created, '@s', found.seen, '@i', found.idle, '@a', found.absolute,
        '@l', found.lineage,
      } or {}
  end
  if #fields > 0 then
    sessions[#sessions + 1] = { id, fields }
  else
    will_touch(id, {})
  end
end
look() -- what is not there may have not arrived yet
drop_expired(name)

return { now, 'page', next_after, next_id, sessions }
