-- The entries of sessions in their sets.

-- What has happened since `refresh_set_expiries` to each set whose entries have changed: how many
-- were `added`; the `latest` deadline of an entry that was written; and the latest deadline that an
-- entry `had` before it was removed or written anew, math.huge if that isn't known.
local changed_sets = {}

-- Expired entries of sets, as `check_sets` has found them, until they are dropped.
local expired_entries = {}

local function note_change(name, added, latest, had)
  local set = changed_sets[name]
  if not set then
    set = { added = 0, latest = 0, had = 0 }
    changed_sets[name] = set
  end
  set.added = set.added + added
  set.latest = math.max(set.latest, latest or 0)
  set.had = math.max(set.had, had or math.huge)
  return set
end

-- The first expired entries at the key of a set. `moment` is now (ms), as text.
local function list_expired(key, moment, most)
  return redis.call('ZRANGEBYSCORE', key, '-inf', '(' .. moment, 'LIMIT', 0, most)
end

local function read_expired_entries(name, most)
  return list_expired(derive_set_key(name), format_int(now), most)
end

-- A set's key may hold something else, such as a value of another program. A script that writes one
-- session asks each set that it will write, so that a wrong type stops it before its first write.
local function check_sets(id, names)
  for _, name in ipairs(names) do
    if not expired_entries[name] then
      expired_entries[name] = read_expired_entries(name, 8)
      if derive_plain_key(name) then
        redis.call('SISMEMBER', derive_plain_key(name), id)
      end
    end
  end
end

local function drop_entries(name, ids)
  if #ids > 0 then
    redis.pcall('ZREM', derive_set_key(name), unpack(ids))
    if derive_plain_key(name) then
      redis.pcall('SREM', derive_plain_key(name), unpack(ids))
    end
  end
end

-- Drops some expired entries: a part of every write and listing of a set, so that they never pile
-- up. It is bounded, and drops at least as many as were added. So a set never has more entries than
-- it has had live sessions at one time.
local function drop_expired_entries(name, added)
  drop_entries(name, read_expired_entries(name, math.max(8, added)))
end

-- I1: an entry's score is the session's deadline. `had` is the one that it had, 0 for none.
local function add_entry(name, id, deadline, had)
  local expired = expired_entries[name]
  if expired then
    drop_entries(name, expired) -- before, as the session's own may be among them
  end
  local added = redis.call('ZADD', derive_set_key(name), format_int(deadline), id)
  if derive_plain_key(name) then
    redis.call('SADD', derive_plain_key(name), id)
  end
  note_change(name, added, deadline, had).has_dropped = expired ~= nil
end

local function remove_entry(name, id, had)
  redis.call('ZREM', derive_set_key(name), id)
  if derive_plain_key(name) then
    redis.call('SREM', derive_plain_key(name), id)
  end
  note_change(name, 0, 0, had)
end

-- Sets a set's expiry by its last entry.
local function recompute_expiry(name)
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

-- Puts a set's expiry off until a moment (ms, as text), unless it expires later. GT leaves a key as
-- it is that has no expiry, as one that was just made.
local function put_off_expiry(key, moment, is_new)
  if redis.call('PEXPIREAT', key, moment, 'GT') == 0 and is_new then
    redis.call('PEXPIREAT', key, moment, 'NX')
  end
end

-- I3: a set lives as long as its last entry. Every script that changes entries ends with this.
-- Where an entry has left that may have been the last, the set is asked for its last one.
local function refresh_set_expiries()
  for name, set in pairs(changed_sets) do
    if not set.has_dropped then
      drop_expired_entries(name, set.added)
    end
    if set.had > set.latest then
      recompute_expiry(name)
    else
      local plain, moment = derive_plain_key(name), format_int(set.latest)
      put_off_expiry(derive_set_key(name), moment, set.added > 0)
      if plain then
        put_off_expiry(plain, moment, set.added > 0)
      end
    end
  end
  changed_sets = {}
end
