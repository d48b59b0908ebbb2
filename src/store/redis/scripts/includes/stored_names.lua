-- The names of a session's sets as its hash keeps them: in `@r`, or, where they are more than 64
-- bytes, in `@r1`, `@r2`, … and `@r` is the number of those. One longer value would end the hash's
-- compact encoding.

local MAX_PART_BYTES = 64

-- No session has more names, so none has more parts. This bounds what a number that was written by
-- hand makes the server read.
local MAX_PARTS = 1000

local function list_part_fields(count)
  local fields = {}
  for i = 1, count do
    fields[i] = '@r' .. i
  end
  return fields
end

-- Reads the names, given the value of `@r`. Also returns how many parts they have beside it.
local function read_names(key, first)
  if first and string.find(first, '^[^%d%s]%S*$') then
    return { first }, 0 -- one name, as most sessions have
  end
  local digits = string.match(first or '', '^%d+$')
  if not digits then
    return split_words(first), 0
  end
  local count = math.min(tonumber(digits), MAX_PARTS)
  local fields, names = list_part_fields(count), {}
  for from = 1, count, MAX_BATCH do
    for _, part in ipairs(redis.call('HMGET', key, unpack_batch(fields, from))) do
      for _, name in ipairs(split_words(part)) do
        names[#names + 1] = name
      end
    end
  end
  return names, count
end

-- The names as field, value, …
local function encode_names(names)
  local parts = {}
  for _, name in ipairs(names) do
    local last = parts[#parts]
    if last and #last + 1 + #name <= MAX_PART_BYTES then
      parts[#parts] = last .. ' ' .. name
    else
      parts[#parts + 1] = name
    end
  end
  if #parts < 2 then
    return parts[1] and { '@r', parts[1] } or {}
  end
  local fields = { '@r', format_int(#parts) }
  for i, field in ipairs(list_part_fields(#parts)) do
    fields[#fields + 1] = field
    fields[#fields + 1] = parts[i]
  end
  return fields
end
