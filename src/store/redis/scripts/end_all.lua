-- Ends one page of a set's sessions, from its beginning. I5: called until nothing is left.
--
-- KEYS[1]  the set
-- ARGV     not after, the set's name, an id or a lineage to leave alone or '', when that one was
--          created (µs) or '' on the first page, how many keys to touch, '1' if replicas are waited
--          for, or '', the name of a set to look at where this one is empty, or ''
-- Returns  now, 'page', when each that was ended was created (µs), how many entries are left,
--          the id that the one to leave alone has now, when it was created, how many live sessions
--          the other set has, or -1 where this one was not empty

local name = arg()
local except = arg()
local spared = arg()
local budget = number()
local waited_for = arg() == '1'
local other = arg()

if except ~= '' then
  local to, found = resolve_name(except)
  if found.created then
    except = to
    spared = found.created
  end
  will_touch(except, { name })
  will_point(found, except)
end

local doomed, touched = {}, 0
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], 0, budget)) do
  if id ~= except then
    if touched >= budget then
      break
    end
    local found = own(id)
    if found.created and found.created == spared then
      except = id -- rotated since the last page, with nothing left at its old id
    else
      -- I2: what is not there, or not of this set, loses its entry and nothing else.
      local live = found.created and lists(found.names, name)
      local names = live and found.names or { name }
      will_touch(id, names)
      will_point(found)
      doomed[#doomed + 1] = {
        id = id, names = names, created = live and found.created, lineage = live and found.lineage,
      }
      touched = touched + 1 + #names
    end
  end
end
will_mark(waited_for)
look()

mark(waited_for and #doomed == 0)
local ended = {}
for _, session in ipairs(doomed) do
  if session.created then
    redis.call('DEL', session_key(session.id))
    unpoint(session)
    ended[#ended + 1] = session.created
  end
  for _, entered in ipairs(session.names) do
    leave(entered, session.id)
  end
end
settle()

local left = redis.call('ZCARD', KEYS[1])
local empty = #doomed == 0 and left == 0
if except ~= '' and redis.call('ZSCORE', KEYS[1], except) then
  left = left - 1
end

return { now, 'page', ended, left, except, spared, empty and count_instead(other, true) or -1 }
