-- Changes of a session's fields. As arguments they are:
--
--   max bytes
--   a list: for each changed reference field its encoded name, and the names of its sets
--   the limits of these fields (includes/limits.lua)
--   a list: field, value, … to set
--   a list: fields to unset

-- How many values the references of a session may have together. Each is an entry that every touch
-- renews.
local MAX_REFERENCES = 1000

-- The changes that begin at ARGV[at].
local function read_changes(at)
  local changes = { max_bytes = tonumber(ARGV[at]), replaced = {}, names = {} }
  local references
  references, at = read_list(at + 1)
  for i = 1, #references, 2 do
    changes.replaced[references[i]] = true
    for _, name in ipairs(split_words(references[i + 1])) do
      changes.names[#changes.names + 1] = name
    end
  end
  changes.limits, at = read_limits(at)
  changes.set, at = read_list(at)
  changes.unset = read_list(at)
  return changes
end

-- The names of a session's sets after the changes, the added ones and the removed ones.
local function derive_names_after(names, changes)
  local wanted, had, after, added, removed = {}, {}, {}, {}, {}
  for _, name in ipairs(changes.names) do
    wanted[name] = true
  end
  for _, name in ipairs(names) do
    had[name] = true
    if changes.replaced[parse_field(name)] and not wanted[name] then
      removed[#removed + 1] = name
    else
      after[#after + 1] = name
    end
  end
  for _, name in ipairs(changes.names) do
    if not had[name] then
      added[#added + 1] = name
      after[#after + 1] = name
    end
  end
  return after, added, removed
end

-- Whether a session that gets these bytes surely has no more than `max_bytes` then. Its names and
-- values have at most twice as many bytes as its hash takes in memory: of all texts, the 20
-- characters of the least integer are stored in the fewest bytes, which are 10. All fields are
-- measured (SAMPLES 0): else a few would stand for all where the hash is a table.
local function fits_surely(key, bytes, max_bytes)
  local memory = redis.pcall('MEMORY', 'USAGE', key, 'SAMPLES', '0')
  return type(memory) == 'number' and bytes + 2 * memory <= max_bytes
end

-- How many bytes a session's fields have after the changes, if that is more than they may have;
-- else a number that is no more. A small session isn't read.
local function count_bytes_after(key, changes)
  local set, bytes = changes.set, 0
  if #set == 0 then
    return 0
  end
  for i = 1, #set do
    bytes = bytes + #set[i]
  end
  if fits_surely(key, bytes, changes.max_bytes) then
    return bytes
  end
  local replaced = {}
  for i = 1, #set, 2 do
    replaced[set[i]] = true
  end
  for _, field in ipairs(changes.unset) do
    replaced[field] = true
  end
  local fields = redis.call('HGETALL', key)
  for i = 1, #fields, 2 do
    if not replaced[fields[i]] and string.sub(fields[i], 1, 1) ~= '@' then
      bytes = bytes + #fields[i] + #fields[i + 1]
    end
  end
  return bytes
end

-- The fields that the changes set, but for those of `without`, as field, value, …, and their bytes.
local function select_set_fields(changes, without)
  local dropped, fields, bytes = {}, {}, 0
  for _, field in ipairs(without) do
    dropped[field] = true
  end
  for i = 1, #changes.set, 2 do
    if not dropped[changes.set[i]] then
      fields[#fields + 1] = changes.set[i]
      fields[#fields + 1] = changes.set[i + 1]
      bytes = bytes + #changes.set[i] + #changes.set[i + 1]
    end
  end
  return fields, bytes
end

-- Replaces the stored names of a session's sets. `parts` is how many parts they had before.
local function write_names(key, parts, names)
  redis.call('HDEL', key, '@r')
  call_in_batches('HDEL', key, list_part_fields(parts))
  call_in_batches('HSET', key, encode_names(names))
end

-- With fields to set this is the script's first write, so that nothing is done if memory is full.
-- `after` has the names of the session's sets from now on; it is false if they stay the same.
local function write_fields(key, changes, found, after)
  call_in_batches('HSET', key, changes.set)
  call_in_batches('HDEL', key, changes.unset)
  if after then
    write_names(key, found.parts, after)
  end
end
