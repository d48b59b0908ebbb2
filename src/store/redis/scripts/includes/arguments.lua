-- A list among the arguments is a count, followed by that many arguments. Several names in one
-- argument are separated by spaces.

-- The list at ARGV[at], and where the argument after it is.
local function read_list(at)
  local count = tonumber(ARGV[at])
  if count <= MAX_BATCH then
    return { unpack(ARGV, at + 1, at + count) }, at + count + 1
  end
  local list = {}
  for i = 1, count do
    list[i] = ARGV[at + i]
  end
  return list, at + count + 1
end

local function split_words(text)
  local list = {}
  for word in string.gmatch(text or '', '%S+') do
    list[#list + 1] = word
  end
  return list
end
