-- Reads one step of all keys of a pattern on the server that has KEYS[1], which stands for a slot and
-- is no key of anything. What the client puts before all keys is put before the pattern, too.
--
-- KEYS[1]  {…}:
-- ARGV     '', the pattern, SCAN's cursor or '' to ask for the server only, COUNT
-- Returns  now, 'page', the run id of the server, SCAN's next cursor, the keys without what the client
--          puts before all of them

local pattern = arg()
local cursor = arg()
local count = arg()

-- Dragonfly has no run id.
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
  or string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)')
  or ''
if cursor == '' then
  return { now, 'page', server, '', {} }
end

local head = string.match(base, '^[^{]*')
local literal = string.gsub(head, '[%*%?%[%]%^\\]', '\\%0')
local page = redis.call('SCAN', cursor, 'MATCH', literal .. pattern, 'COUNT', count)
local keys = {}
for i, key in ipairs(page[2]) do
  keys[i] = string.sub(key, #head + 1)
end

return { now, 'page', server, page[1], keys }
