-- Compares one session with its sets and fixes what is wrong: its time to live, the list of its
-- sets, its entries. Nothing is written for a session that is right.
--
-- KEYS[1]   the session's hash
-- ARGV[1]   the moment after which nothing is done (ms), or '' of a dry run
-- ARGV[2]   its id
-- ARGV[3]   '1' to fix what is wrong, '' to count it
-- ARGV[4…]  a list, for each declared reference: field, the same encoded, '1' if the session had it
--           when it was read, its text, the names of its sets
-- Returns   now, 'reindexed', how many entries were added, removed, what else was corrected
--           now, 'late'

local not_after = tonumber(ARGV[1])
local key = KEYS[1]
local id = ARGV[2]
local fixes = ARGV[3] == '1'
local read = read_list(4)

if is_late(not_after) then
  return { now, 'late' }
end

local found = read_own_fields(id)
local changes = { replaced = {}, names = {} }
for i = 1, #read, 5 do
  -- A field that was written since it was read isn't compared: its writer has updated the sets.
  if redis.call('HGET', key, read[i]) == (read[i + 2] == '1' and read[i + 3]) then
    changes.replaced[read[i + 1]] = true
    for _, name in ipairs(split_words(read[i + 4])) do
      changes.names[#changes.names + 1] = name
    end
  end
end
local after, fresh, removed = derive_names_after(found.names, changes)
check_types(id, after)
check_types(id, removed)
if not fixes then
  refuse_moving_slot() -- a script that writes would not have begun
end

local expires = redis.call('PEXPIRETIME', key)
local count = { added = 0, removed = 0, corrected = 0 }
local function answer()
  return { now, 'reindexed', count.added, count.removed, count.corrected }
end

local deadline = derive_deadline(found)
if not found.created or deadline == math.huge then
  deadline = expires -- an alias, a tombstone or a damaged session keeps its expiry
end

local pointer = found.lineage and derive_pointer_key(found.lineage)
local leads_to = pointer and redis.call('GET', pointer)

if deadline < now then
  -- I3: nothing stays that has expired, or would never expire.
  if expires ~= -2 then
    count.removed = leads_to == id and 2 or 1
    for _, name in ipairs(found.names) do
      if redis.call('ZSCORE', derive_set_key(name), id) then
        count.removed = count.removed + 1
      end
    end
    if fixes then
      redis.call('DEL', key)
      if leads_to == id then
        delete_pointer(found)
      end
      for _, name in ipairs(found.names) do
        remove_entry(name, id)
      end
      refresh_set_expiries()
    end
  end
  return answer()
end
if not found.created then
  return answer()
end

local names_are_wrong = #fresh + #removed > 0
if names_are_wrong then
  count.corrected = count.corrected + 1
end
if expires ~= deadline then
  count.corrected = count.corrected + 1
end

local pointer_is_wrong = pointer
  and (leads_to ~= id or redis.call('PEXPIRETIME', pointer) ~= deadline)
if pointer_is_wrong then
  count.corrected = count.corrected + 1
end

local kept, left, missing = {}, {}, {}
for _, name in ipairs(after) do
  kept[strip_mark(name)] = true
end
for _, name in ipairs(removed) do
  left[strip_mark(name)] = true
  if not kept[strip_mark(name)] and redis.call('ZSCORE', derive_set_key(name), id) then
    count.removed = count.removed + 1
  end
end
for _, name in ipairs(after) do
  local score = redis.call('ZSCORE', derive_set_key(name), id)
  local plain = derive_plain_key(name)
  if not score or (plain and redis.call('SISMEMBER', plain, id) == 0) then
    count.added = count.added + 1
    missing[#missing + 1] = name
  elseif tonumber(score) ~= deadline then
    count.corrected = count.corrected + 1
    missing[#missing + 1] = name
  elseif left[strip_mark(name)] then
    missing[#missing + 1] = name
  end
end

if fixes then
  if names_are_wrong then
    write_names(key, found.parts, after)
  end
  for _, name in ipairs(removed) do
    remove_entry(name, id)
  end
  for _, name in ipairs(missing) do
    add_entry(name, id, deadline)
  end
  refresh_set_expiries()
  if expires ~= deadline then
    redis.call('PEXPIREAT', key, format_int(deadline))
  end
  if pointer_is_wrong then
    write_pointer(id, found, deadline)
  end
end

return answer()
