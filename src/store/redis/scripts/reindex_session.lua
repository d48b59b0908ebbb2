-- Compares one session with its sets and mends what is wrong: its time to live, the list of its
-- sets, its entries. Of a session that is right nothing is written.
--
-- KEYS[1]  the session's hash
-- ARGV     not after, id, '1' to mend, a count and for each declared reference: field, the same
--          encoded, '1' if the session had it when it was read, its text, the names of its sets
-- Returns  now, 'mended', how many entries were added, removed, what else was corrected

local id = arg()
local mends = arg() == '1'
local read = args()

local key = KEYS[1]
local found = own(id)
local changes = { replaced = {}, names = {} }
for i = 1, #read, 5 do
  -- What has been written since was read by nobody here: it stays as its writer left it.
  if redis.call('HGET', key, read[i]) == (read[i + 2] == '1' and read[i + 3]) then
    changes.replaced[read[i + 1]] = true
    for _, name in ipairs(words(read[i + 4])) do
      changes.names[#changes.names + 1] = name
    end
  end
end
local after, fresh, removed = names_after(found.names, changes)
will_touch(id, after)
will_touch(id, removed)
if found.lineage then
  will_point(found)
end
look()

local expires = redis.call('PEXPIRETIME', key)
local count = { added = 0, removed = 0, corrected = 0 }
local function answer()
  return { now, 'mended', count.added, count.removed, count.corrected }
end

local seen, idle = tonumber(found.seen), tonumber(found.idle)
local deadline =
  math.min(seen and idle and seen + idle or math.huge, tonumber(found.absolute) or math.huge)
if not found.created or deadline == math.huge then
  deadline = expires -- an alias, a tombstone, or no whole session: it goes when it goes
end

local pointer = found.lineage and pointer_key(found.lineage)
local leads_to = pointer and redis.call('GET', pointer)

if deadline < now then
  -- I3: what has expired and stays, or would never expire.
  if expires ~= -2 then
    count.removed = leads_to == id and 2 or 1
    for _, name in ipairs(found.names) do
      if redis.call('ZSCORE', set_key(name), id) then
        count.removed = count.removed + 1
      end
    end
    if mends then
      redis.call('DEL', key)
      if leads_to == id then
        unpoint(found)
      end
      for _, name in ipairs(found.names) do
        leave(name, id)
      end
      settle()
    end
  end
  return answer()
end
if not found.created then
  return answer()
end

local lost = found.parts -- parts of a list of names whose count is gone
while redis.call('HEXISTS', key, '@r' .. int(lost + 1)) == 1 do
  lost = lost + 1
end
local relisted = #fresh + #removed > 0 or lost > found.parts
found.parts = lost
if relisted then
  count.corrected = count.corrected + 1
end
if expires ~= deadline then
  count.corrected = count.corrected + 1
end

local astray = pointer
  and (leads_to ~= id or redis.call('PEXPIRETIME', pointer) ~= deadline)
if astray then
  count.corrected = count.corrected + 1
end

local kept, left, entering = {}, {}, {}
for _, name in ipairs(after) do
  kept[bare(name)] = true
end
for _, name in ipairs(removed) do
  left[bare(name)] = true
  if not kept[bare(name)] and redis.call('ZSCORE', set_key(name), id) then
    count.removed = count.removed + 1
  end
end
for _, name in ipairs(after) do
  local score = redis.call('ZSCORE', set_key(name), id)
  local plain = plain_key(name)
  if not score or (plain and redis.call('SISMEMBER', plain, id) == 0) then
    count.added = count.added + 1
    entering[#entering + 1] = name
  elseif tonumber(score) ~= deadline then
    count.corrected = count.corrected + 1
    entering[#entering + 1] = name
  elseif left[bare(name)] then
    entering[#entering + 1] = name
  end
end

if mends then
  if relisted then
    write_fields(key, { set = {}, unset = {} }, found, after)
  end
  for _, name in ipairs(removed) do
    leave(name, id)
  end
  for _, name in ipairs(entering) do
    enter(name, id, deadline)
  end
  settle()
  if expires ~= deadline then
    redis.call('PEXPIREAT', key, int(deadline))
  end
  if astray then
    point(id, found, deadline)
  end
end

return answer()
