-- Reserves places in a set whose limit rejects, for sessions that are about to enter, or gives them
-- back. Who reserves later counts those before: so no two sessions enter by the same place, though
-- no script sees all shards.
--
-- KEYS[1]   the reservations of the set, in the shard that has them
-- ARGV[1]   the moment after which nothing is done (ms)
-- ARGV[2]   a word that no other reservation has, a colon, and how many places
-- ARGV[3]   for how long they are kept (ms); 0 to give them back
-- Returns   now, 'reserved', how many places others have
--           now, 'late'

local not_after = tonumber(ARGV[1])
local key = KEYS[1]
local own = ARGV[2]
local stays = tonumber(ARGV[3])

if is_late(not_after) then
  return { now, 'late' }
end

-- A process that died has given nothing back.
local expired =
  redis.call('ZRANGEBYSCORE', key, '-inf', '(' .. format_int(now), 'LIMIT', 0, MAX_BATCH)
expired[#expired + 1] = own
redis.call('ZREM', key, unpack(expired))
local others = 0
for _, other in ipairs(redis.call('ZRANGE', key, 0, -1)) do
  others = others + (tonumber(string.match(other, ':(%d+)$')) or 1)
end
if stays > 0 then
  redis.call('ZADD', key, format_int(now + stays), own)
  local last = redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')[2]
  redis.call('PEXPIREAT', key, format_int(tonumber(last)))
end

return { now, 'reserved', others }
