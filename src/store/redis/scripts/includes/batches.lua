-- Lists that may be longer than `unpack` takes at once, which is about 8,000 values.

local unpack = table.unpack or unpack

local MAX_BATCH = 4000

-- One batch of a list's values, from an index on.
local function unpack_batch(list, from)
  return unpack(list, from, math.min(from + MAX_BATCH - 1, #list))
end

local function delete_keys(keys)
  for from = 1, #keys, MAX_BATCH do
    redis.call('DEL', unpack_batch(keys, from))
  end
end

local function append_list(list, values)
  local size = #list
  for i = 1, #values do
    list[size + i] = values[i]
  end
end

-- Adds values to a list.
local function append(list, ...)
  for i = 1, select('#', ...) do
    list[#list + 1] = (select(i, ...))
  end
end

local function call_in_batches(command, key, list)
  for from = 1, #list, MAX_BATCH do
    redis.call(command, key, unpack_batch(list, from))
  end
end
