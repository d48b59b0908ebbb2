-- Scans one step of all keys of the server that has KEYS[1], for the keys of a prefix or of a
-- pattern. A script runs SCAN because every kind of client sends a script to the key's server, and
-- the script can say which server that is.
--
-- KEYS[1]   a key of a shard, which tells the prefix, or, for a pattern, `{…}:`, which stands for a
--           slot
-- ARGV[1]   not used: '', as in every script that only reads
-- ARGV[2]   SCAN's cursor, or '' to ask for the server only
-- ARGV[3]   COUNT
-- ARGV[4]   a pattern for keys without what the client puts before all of them; '' for the prefix
-- Returns   now, 'page', the run id of the server, SCAN's next cursor, the keys without what
--           all of them begin with: the prefix, or what the client puts before all keys

local cursor = ARGV[2]
local count = ARGV[3]
local pattern = ARGV[4]

local is_of_prefix = pattern == ''
if is_of_prefix then
  -- Neither key ever exists, so this raises while the shard's slot is moving.
  redis.call('EXISTS', base .. ':s:', base .. ':r:')
end

-- Dragonfly has no run id.
local server = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
  or string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)')
  or ''
if cursor == '' then
  return { now, 'page', server, '', {} }
end

-- The prefix ends at the last colon. It may have colons itself, and another program's prefix may
-- begin with it.
local head = string.match(base, is_of_prefix and '^(.*:)' or '^[^{]*')
local literal = string.gsub(head, '[%*%?%[%]%^\\]', '\\%0')
local match = literal .. (is_of_prefix and '*' or pattern)
local found = redis.call('SCAN', cursor, 'MATCH', match, 'COUNT', count)
local keys = {}
for _, key in ipairs(found[2]) do
  local rest = string.sub(key, #head + 1)
  if not is_of_prefix or string.find(rest, '^%d+}:') then
    keys[#keys + 1] = rest
  end
end

return { now, 'page', server, found[1], keys }
