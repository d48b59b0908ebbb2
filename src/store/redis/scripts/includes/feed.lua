-- What a script does to sessions is published on the shard's channel, for those who listen. One
-- message has it all, a line for each kind (docs/design.md, "The feed"). It is the script's last
-- step, so nothing is heard of that hasn't happened.

-- Publishes a text. Returns why it could not be: without the right to the channel the feed is lost,
-- and the script has done its work all the same.
local function publish(text)
  local reply = redis.pcall('SPUBLISH', base .. ':e', text)
  return type(reply) == 'table' and reply.err or nil
end
