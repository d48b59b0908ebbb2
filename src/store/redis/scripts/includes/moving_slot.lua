-- While a slot moves key by key, a key that is on the other node reads as absent, and only a
-- command of several keys is refused. A script that writes declares a second key, which never
-- exists, and so isn't begun. A script that only reads sends this where it hasn't found a key,
-- before it takes that for gone. Neither of these keys ever exists, so it raises until the move has
-- ended.

local function refuse_moving_slot()
  redis.call('EXISTS', base .. ':s:', base .. ':r:')
end
