-- A clear leaves a mark beside its set: the moment when it was there. A login that goes by what was
-- read before that moment doesn't enter the set any more.

local CLEAR_MEMORY_MS = 3600000

-- How much earlier the moment counts than it says: clocks differ.
local AS_OF_MARGIN_MS = 2000

local function derive_clearing_key(name)
  return base .. ':c:' .. strip_mark(name)
end

-- A script that has written is not stopped where memory is full, so one that hasn't deletes first.
local function mark_cleared(name, has_written)
  local key = derive_clearing_key(name)
  if not has_written then
    redis.call('DEL', key)
  end
  redis.call('SET', key, format_int(now), 'PXAT', format_int(now + CLEAR_MEMORY_MS))
end

-- Whether one of the sets was cleared since what the caller goes by was read (`as_of`, in ms; nil:
-- the caller goes by nothing that may have changed). A moment in the future counts as now.
local function was_cleared(as_of, names)
  if not as_of then
    return false
  end
  local moment = math.min(as_of, now) - AS_OF_MARGIN_MS
  if moment < now - CLEAR_MEMORY_MS then
    return true
  end
  for _, name in ipairs(names) do
    local marked = redis.call('GET', derive_clearing_key(name))
    if marked and tonumber(marked) >= moment then
      return true
    end
  end
  return false
end
