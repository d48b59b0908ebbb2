-- WAIT tells of what its connection has written. So a script that is followed by a WAIT and finds
-- nothing to do writes a key that is gone again before another command can see it. DEL needs no
-- memory, and after it HSET needs none either.

local function write_for_wait()
  redis.call('DEL', derive_wait_key())
  redis.call('HSET', derive_wait_key(), '@', '')
  redis.call('DEL', derive_wait_key())
end
