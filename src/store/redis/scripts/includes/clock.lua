-- The server's time, read once in each script, in µs and in ms.

local clock = redis.call('TIME')

local micros = clock[1] * 1000000 + clock[2]

local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- Whether the caller has stopped waiting. A dry run has no such moment, and is never late.
local function is_late(not_after)
  return not_after ~= nil and now > not_after
end
