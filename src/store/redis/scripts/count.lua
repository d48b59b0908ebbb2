-- Counts the live sessions of a set, without reading any.
--
-- KEYS[1]   the set
-- ARGV[1]   not used: '', as in every script that only reads
-- ARGV[2]   the name of a set to count where this one is empty, or ''
-- Returns   now, 'count', how many, how many the other set has

local set = KEYS[1]
local other = ARGV[2]

local from = format_int(now)
local count = redis.call('ZCOUNT', set, from, '+inf')
if count > 0 or other == '' then
  return { now, 'count', count, 0 }
end

-- The helpers for names would cost a third of the whole script, and this is seldom reached.
local tag = string.match(set, '^(.-}):')
local name = string.gsub(other, '^=', '')
return { now, 'count', count, redis.call('ZCOUNT', tag .. ':r:' .. name, from, '+inf') }
