-- Counts the live sessions of a set, without reading any.
--
-- KEYS[1]   the set
-- ARGV[1]   not used: '', as in every script that only reads
-- ARGV[2]   the name of a set to count where this one is empty, or ''
-- Returns   now, 'count', how many, how many the other set has

local set = KEYS[1]
local other = ARGV[2]

local count = redis.call('ZCOUNT', set, format_int(now), '+inf')

return { now, 'count', count, count == 0 and count_lookalikes(other) or 0 }
