-- How many live sessions a set has; no session is read.
--
-- KEYS[1]  the set
-- ARGV     ''
-- Returns  now, 'count', how many

return { now, 'count', redis.call('ZCOUNT', KEYS[1], int(now), '+inf') }
