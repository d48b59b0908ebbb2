-- Publishes a hello on the shard's channel, by the same right as the scripts that end sessions.
--
-- KEYS[1]   any key of the shard
-- ARGV[1]   not used: '', as in every script that only reads
-- ARGV[2]   its nonce
-- Returns   now, 'said'
--           now, 'refused', why

local nonce = ARGV[2]

-- While its slot moves, the node that answers may not be the one that has the listeners.
refuse_moving_slot()

local refusal = publish('hello ' .. nonce)
if refusal then
  return { now, 'refused', refusal }
end
return { now, 'said' }
