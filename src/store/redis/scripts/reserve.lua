-- Reserves a place in a set whose limit rejects, for a session that is about to enter, or gives it
-- back. Who reserves later counts those before: so no two sessions enter by the same place, though
-- no script sees all shards.
--
-- KEYS[1]   the reservations of the set, in the shard that has them
-- ARGV[1]   the moment after which nothing is done (ms)
-- ARGV[2]   a word for this one, which no other has
-- ARGV[3]   for how long it is kept (ms); 0 to give it back
-- Returns   now, 'reserved', how many others there are
--           now, 'late'

local not_after = tonumber(ARGV[1])
local key = KEYS[1]
local place = ARGV[2]
local stays = tonumber(ARGV[3])

if is_late(not_after) then
  return { now, 'late' }
end

look_at_key(key)
refuse_moving_slot()

-- A process that died has given nothing back.
local expired =
  redis.call('ZRANGEBYSCORE', key, '-inf', '(' .. format_int(now), 'LIMIT', 0, MAX_BATCH)
expired[#expired + 1] = place
redis.call('ZREM', key, unpack(expired))
local others = redis.call('ZCOUNT', key, format_int(now), '+inf')
if stays > 0 then
  redis.call('ZADD', key, format_int(now + stays), place)
  local last = redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')[2]
  redis.call('PEXPIREAT', key, format_int(tonumber(last)))
end

return { now, 'reserved', others }
