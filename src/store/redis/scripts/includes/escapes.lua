-- Ids in answers that a client sends back, and in messages. Clients decode text: bytes that aren't
-- valid text would come back changed, and the same page would be read again and again. In a
-- message, a space or a colon would end the id.

local function escape_id(id)
  if not string.find(id, '[^%w_-]') then
    return id
  end
  return (string.gsub(id, '[^%w_-]', function(byte)
    return string.format('%%%02X', string.byte(byte))
  end))
end

local function unescape_id(text)
  return (string.gsub(text, '%%(%x%x)', function(byte)
    return string.char(tonumber(byte, 16))
  end))
end
