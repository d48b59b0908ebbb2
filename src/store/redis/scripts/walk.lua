-- Reads one step of all keys of a prefix on the server that has a shard. SCAN is here, and not a
-- command of the client, because a script goes to the shard's server with every kind of client, and
-- can say which server that is.
--
-- KEYS[1]  a key of the shard
-- ARGV     '', SCAN's cursor or '' to ask for the server only, COUNT
-- Returns  now, 'page', the run id of the server, SCAN's next cursor, the keys without what all of
--          them begin with

local cursor = arg()
local count = arg()

-- Two keys that are not there: this raises while the shard's slot is being moved.
redis.call('EXISTS', base .. ':s:', base .. ':r:')
-- Dragonfly has no run id.
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
  or string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)')
  or ''
if cursor == '' then
  return { now, 'page', server, '', {} }
end

-- Up to the last colon: a prefix may have colons of its own, and begin that of other programs.
local head = string.match(base, '^(.*:)')
local pattern = string.gsub(head, '[%*%?%[%]%^\\]', '\\%0')
local page = redis.call('SCAN', cursor, 'MATCH', pattern .. '*', 'COUNT', count)
local keys = {}
for _, key in ipairs(page[2]) do
  local rest = string.sub(key, #head + 1)
  if string.find(rest, '^%d+}:') then
    keys[#keys + 1] = rest
  end
end

return { now, 'page', server, page[1], keys }
