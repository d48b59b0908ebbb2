-- Compares one page of a set's entries with the sessions they name, and mends what is wrong: entries
-- of sessions that are gone or not of this set, their scores, the set's time to live.
--
-- KEYS[1]  the sorted set, or the plain set
-- ARGV     not after, the set's name without mark, 'r' for the sorted set or 'm' for the plain one,
--          the cursor of ZSCAN or SSCAN, COUNT, '1' to mend
-- Returns  now, 'mended', how many entries were added, removed, what else was corrected, the next
--          cursor

local name = '=' .. arg()
local kind = arg()
local cursor = arg()
local size = arg()
local page = kind == 'r' and redis.call('ZSCAN', KEYS[1], cursor, 'COUNT', size)
  or redis.call('SSCAN', KEYS[1], cursor, 'COUNT', size)
local mends = arg() == '1'

local ids = {}
for i = 1, #page[2], kind == 'r' and 2 or 1 do
  ids[#ids + 1] = page[2][i]
  will_touch(page[2][i], { name })
end
will_touch('', { name })
look()

local added, removed, corrected = 0, 0, 0

local last = redis.call('ZRANGE', set_key(name), -1, -1, 'WITHSCORES')[2]
if cursor == '0' and last and redis.call('PEXPIRETIME', KEYS[1]) ~= tonumber(last) then
  corrected = 1
  unsettled[name] = true
end

local function listed(found)
  for _, own_name in ipairs(found.created and found.names or {}) do
    if bare(own_name) == bare(name) then
      return own_name
    end
  end
end

for _, id in ipairs(ids) do
  local own_name = listed(own(id))
  local score = tonumber(redis.call('ZSCORE', set_key(name), id))
  local member = redis.call('SISMEMBER', plain_key(name), id) == 1
  local deadline = redis.call('PEXPIRETIME', session_key(id))
  if not own_name then
    -- One that has expired is nothing wrong: it goes with the set, or when that is written.
    if not score or score >= now then
      removed = removed + 1
      if mends then
        leave(name, id)
      end
    end
  elseif deadline > 0 then -- else the session itself is to be mended first
    local missing = not score or (plain_key(own_name) and not member)
    if missing then
      added = added + 1
    elseif score ~= deadline then
      corrected = corrected + 1
    end
    if mends and (missing or score ~= deadline) then
      enter(own_name, id, deadline)
    end
    if member and not plain_key(own_name) then
      removed = removed + 1
      if mends then
        redis.call('SREM', plain_key(name), id)
      end
    end
  end
end

if mends then
  settle()
end

return { now, 'mended', added, removed, corrected, page[1] }
