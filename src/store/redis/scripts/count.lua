-- How many live sessions a set has; no session is read.
--
-- KEYS[1]  the set
-- ARGV     '', the name of a set to look at where this one is empty, or ''
-- Returns  now, 'count', how many, how many the other set has

local count = redis.call('ZCOUNT', KEYS[1], int(now), '+inf')

return { now, 'count', count, count_instead(arg(), count == 0) }
