-- The name of a set is `field:value`, both encoded. It is `=field:value` where the ids are also
-- kept in a plain set.

local function has_mark(name)
  return string.byte(name) == 61
end

local function strip_mark(name)
  return has_mark(name) and string.sub(name, 2) or name
end

local function parse_field(name)
  return string.match(name, '^=?([^:]*):')
end

-- A text of encoded fields as { [field] = true }.
local function parse_fields(text)
  local fields = {}
  for _, field in ipairs(split_words(text)) do
    fields[field] = true
  end
  return fields
end

-- Whether one of the names is of one of the fields.
local function has_field(names, fields)
  for _, name in ipairs(names) do
    if fields[parse_field(name)] then
      return true
    end
  end
  return false
end

-- Whether the names include this one, with or without its mark.
local function has_name(names, wanted)
  if names[1] == wanted then
    return true
  end
  local bare = strip_mark(wanted)
  for _, name in ipairs(names) do
    if strip_mark(name) == bare then
      return true
    end
  end
  return false
end
