-- WAIT counts only what its connection has written. So a script that a WAIT follows, and that finds
-- nothing to do, writes a key and deletes it before another command can see it. DEL is allowed when
-- memory is full, and once it has run, HSET is allowed too.

local function write_for_wait()
  redis.call('DEL', derive_wait_key())
  redis.call('HSET', derive_wait_key(), '@', '')
  redis.call('DEL', derive_wait_key())
end
