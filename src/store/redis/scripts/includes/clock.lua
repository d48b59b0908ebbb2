-- The server's time, which is read once a script: in µs, and in ms.

local clock = redis.call('TIME')

local micros = clock[1] * 1000000 + clock[2]

local now = math.floor(micros / 1000)

-- Whether the caller has stopped waiting. A script that only reads is given no moment, and isn't
-- late.
local function is_late(not_after)
  return not_after ~= nil and now > not_after
end
