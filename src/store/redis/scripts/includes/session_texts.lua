-- Sessions of a set in an answer. Each is one text: a client parses that in a fraction of the time
-- that a list of fields takes, and the server makes it faster. Each session has its own, because
-- cjson keeps a buffer as large as the largest text that it has made.

-- A session as a JSON array: of its fields field, value, …, and last its id. `fields` has them, and
-- gets the id.
local function encode_session(id, fields)
  fields[#fields + 1] = id
  return cjson.encode(fields)
end
