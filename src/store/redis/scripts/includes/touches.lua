-- A write to a session's fields counts as use where a read would: touch-delay.ts has the same rule.

local TOUCHES_PER_IDLE_TIMEOUT = 20

local MAX_TOUCH_DELAY_MS = 60000

-- Whether a write pushes the idle deadline forward. A session that was last seen in the future is
-- one of a clock that was set back.
local function is_touch_due(seen, idle)
  local since = math.abs(now - (tonumber(seen) or 0))
  idle = tonumber(idle)
  return since >= MAX_TOUCH_DELAY_MS or (idle and since >= idle / TOUCHES_PER_IDLE_TIMEOUT)
end

-- Writes fields of a session (`set`: field, value, …) that is used, and its times, as `found` has
-- them. It is the script's first write. Returns the deadline from now on, and until when the key is
-- held; if that is later, the script ends by letting the key expire at its deadline.
--
-- PEXPIREAT deletes a key whose moment has come, by a clock that runs on during the script. The
-- next write would then make a part of the session anew, and it would never expire. So the key has
-- at least a second.
local function write_use(key, found, set)
  local deadline = derive_deadline(found)
  local held_until = math.max(deadline, now + 1000)
  if #set == 0 then
    -- Needs no memory: touching works when it is full.
    redis.call('PEXPIREAT', key, format_int(held_until))
    redis.call('HSET', key, '@', encode_times(found))
  else
    append(set, '@', encode_times(found))
    call_in_batches('HSET', key, set)
    redis.call('PEXPIREAT', key, format_int(held_until))
  end
  return deadline, held_until
end
