-- The entries of sessions in their sets.

-- For each set whose entries have changed since `refresh_set_expiries`, how many were added.
local changed_sets = {}

local function note_change(name, added)
  changed_sets[name] = (changed_sets[name] or 0) + added
end

-- I1: an entry's score is the session's deadline.
local function add_entry(name, id, deadline)
  redis.call('ZADD', derive_set_key(name), format_int(deadline), id)
  if derive_plain_key(name) then
    redis.call('SADD', derive_plain_key(name), id)
  end
  note_change(name, 1)
end

local function remove_entry(name, id)
  redis.call('ZREM', derive_set_key(name), id)
  if derive_plain_key(name) then
    redis.call('SREM', derive_plain_key(name), id)
  end
  note_change(name, 0)
end

-- Drops some expired entries: a part of every write and listing of a set, so that they never pile
-- up. It is bounded, and drops at least as many as were added. So a set never has more entries than
-- it has had live sessions at one time.
local function drop_expired_entries(name, added)
  local key = derive_set_key(name)
  local most = math.max(8, added)
  local expired =
    redis.call('ZRANGEBYSCORE', key, '-inf', '(' .. format_int(now), 'LIMIT', 0, most)
  if #expired > 0 then
    redis.pcall('ZREM', key, unpack(expired))
    if derive_plain_key(name) then
      redis.pcall('SREM', derive_plain_key(name), unpack(expired))
    end
  end
end

-- I3: a set lives as long as its last entry. Every script that changes entries ends with this.
local function refresh_set_expiries()
  for name, added in pairs(changed_sets) do
    drop_expired_entries(name, added)
    local key = derive_set_key(name)
    local deadline = tonumber(redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')[2])
    -- A score that isn't a time was written by hand. It stops no operation; `reindex` removes it.
    local sane = deadline and deadline < 2 ^ 52
    for _, one in ipairs({ key, derive_plain_key(name) }) do
      if sane and redis.call('PEXPIRETIME', one) ~= deadline then
        redis.call('PEXPIREAT', one, format_int(deadline))
      end
    end
  end
  changed_sets = {}
end
