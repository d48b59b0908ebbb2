-- The entry of a session in a set that has no plain set beside it, for scripts that nearly every
-- session passes: without tables of what has changed, and with each number written as text once.
-- includes/entries.lua does the rest.

-- I1 and I3: writes an entry whose deadline (ms, as text) is no earlier than before, so the set's
-- expiry can only be put off. `expired` entries, from `list_expired`, are dropped first: the
-- session's own may be among them.
local function write_entry(set, id, deadline, expired)
  if #expired > 0 then
    redis.pcall('ZREM', set, unpack(expired))
  end
  put_off_expiry(set, deadline, redis.call('ZADD', set, deadline, id) > 0)
end
