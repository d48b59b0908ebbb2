-- Whose a session is, as its references of the fields of `identity` say.

-- Whose the session is, compared with the user that the changes name: 'same', 'nobody' or
-- 'another'; nil if they name none. Each field is compared by itself, and the strictest result
-- counts.
local function compare_identities(names, changes, identity)
  local had, given, common = {}, {}, {}
  local held = {}
  for _, name in ipairs(names) do
    had[parse_field(name)] = true
    held[strip_mark(name)] = true
  end
  for _, name in ipairs(changes.names) do
    given[parse_field(name)] = true
    common[parse_field(name)] = common[parse_field(name)] or held[strip_mark(name)]
  end
  local strictest
  for field in pairs(identity) do
    if changes.replaced[field] then
      if had[field] and not common[field] then
        return 'another'
      elseif given[field] then
        strictest = (not had[field] or strictest == 'nobody') and 'nobody' or 'same'
      end
    end
  end
  return strictest
end

-- The fields that the names belong to, each after a space; '' if `fields` has one field only.
local function encode_named(names, fields)
  local list, known = '', {}
  if next(fields, next(fields)) then
    for _, name in ipairs(names) do
      local field = parse_field(name)
      if fields[field] and not known[field] then
        known[field] = true
        list = list .. ' ' .. field
      end
    end
  end
  return list
end
