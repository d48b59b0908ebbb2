-- Changes one session and pushes its idle deadline forward: set, unset, touch and rotate are this.
-- One that names another user than the session's makes another session in its place.
--
-- KEYS[1]   the hash at the id
-- ARGV[1]   the moment after which nothing is done (ms)
-- ARGV[2]   the id
-- ARGV[3]   the name of a set that the session must be in, or ''
-- ARGV[4]   new idle timeout (ms), or ''
-- ARGV[5]   new absolute timeout (ms), or ''
-- ARGV[6]   new absolute deadline (ms), which counts before the timeout, or ''
-- ARGV[7]   '1' if all other fields go, or ''
-- ARGV[8]   '1' to make the session where there is none, 'anew' also where one was ended, or ''
-- ARGV[9]   the new id of a rotation, or ''
-- ARGV[10]  when the id changes: 'always', 'credentials', 'user-changes', 'never' or
--           'identity-changes'
-- ARGV[11]  for how long an alias stays (ms); 0 for none
-- ARGV[12]  for how long a tombstone stays (ms)
-- ARGV[13]  encoded names of the identity fields
-- ARGV[14]  of those, the encoded names of the fields that count with their first value only
-- ARGV[15]  idle timeout of a session in its place (ms), or ''
-- ARGV[16]  absolute timeout of a session in its place (ms), or ''
-- ARGV[17…] a list: fields that a session in its place does not get
-- ARGV[…]   the changes (includes/changes.lua)
-- Returns   now, 'changed', id, 1 if it is new, its times, its lineage, all its fields if the id is
--           new
--           now, 'ended' by a rotation through an alias without grace
--           now, 'alias' where a rotation comes through an alias, or is one too many
--           now, 'signs-in' where the changes name another user, and the id is never to change
--           now, 'superseded', its tombstone
--           now, 'gone'
--           now, 'elsewhere' where it is not in the set
--           now, 'too-large', bytes
--           now, 'too-many', references
--           now, 'late'

local not_after = tonumber(ARGV[1])
local id = ARGV[2]
local where = ARGV[3]
local new_idle = tonumber(ARGV[4])
local new_timeout = tonumber(ARGV[5])
local new_deadline = tonumber(ARGV[6])
local replaces = ARGV[7] == '1'
local creates = ARGV[8]
local to = ARGV[9]
local when = ARGV[10]
local grace = tonumber(ARGV[11])
local tombstone_stays = tonumber(ARGV[12])
local identity = parse_fields(ARGV[13])
local first_only = parse_fields(ARGV[14])
local fresh_idle = tonumber(ARGV[15])
local fresh_timeout = tonumber(ARGV[16])
local without, next_argument = read_list(17)
local changes = read_changes(next_argument)

if is_late(not_after) then
  return { now, 'late' }
end

local new_absolute = new_deadline or (new_timeout and now + new_timeout)

-- Adds to the changes that all fields that they do not set go, and their references with them.
local function unset_others(current, found)
  local kept = {}
  for i = 1, #changes.set, 2 do
    kept[changes.set[i]] = true
  end
  for _, field in ipairs(redis.call('HKEYS', derive_session_key(current))) do
    if not kept[field] and string.sub(field, 1, 1) ~= '@' then
      changes.unset[#changes.unset + 1] = field
    end
  end
  for _, name in ipairs(found.names) do
    changes.replaced[parse_field(name)] = true
  end
end

local function answer_changed(final, found)
  if final == to then
    return { now, 'changed', final, 1, read_whole(final, found) }
  end
  return { now, 'changed', final, 0, list_times(found), derive_lineage(final, found), {} }
end

-- The ids of the aliases that lead to a session one after the other.
local function list_aliases(found)
  local ids, before = {}, found.previous
  while before and #ids < MAX_RENEWALS do
    local alias = read_own_fields(before)
    if not alias.target then
      break
    end
    ids[#ids + 1] = before
    before = alias.previous
  end
  return ids, before or nil
end

-- Whether sets that come and go change who the user is, where a change merges.
local function changes_identity(found, added, removed)
  local had = {}
  for _, name in ipairs(found.names) do
    had[parse_field(name)] = true
  end
  local counted = {}
  for field in pairs(identity) do
    counted[field] = not (first_only[field] and had[field])
  end
  return has_field(added, counted) or has_field(removed, counted)
end

-- What a tombstone tells this change. A change that names less than the sign-in named isn't a
-- sign-in that was sent twice. A session made of it would take the sign-in's place.
local function derive_tombstone(tombstone)
  local given = parse_fields(encode_named(changes.names, identity))
  for _, field in ipairs(split_words(string.sub(tombstone, 2))) do
    if next(given) and not given[field] then
      return encode_sign_in(true)
    end
  end
  return string.sub(tombstone, 1, 1)
end

-- The new id is fresh and random: if it is there, this is the same command once more.
local done = to ~= '' and read_own_fields(to)
if done and done.created then
  return answer_changed(to, done)
end

local current, found, trail = follow_aliases(id, MAX_HOPS)
if replaces then
  unset_others(current, found)
end
local after, added, removed = derive_names_after(found.names, changes)
if #added > 0 and #after > MAX_REFERENCES then
  return { now, 'too-many', #after }
end
local aliases, before_them = {}, nil
if when == 'always' then
  aliases, before_them = list_aliases(found)
end
look_at_session(current, found.names)
look_at_session(current, added)
look_at_ids(trail)
look_at_ids(aliases)
look_at_ids({ before_them })
look_at_pointer(found, to ~= '' and current)
if to ~= '' then
  look_at_session(to, {})
end
refuse_moving_slot()

local ended = creates == 'anew' and found.tombstone == BY_DELETE
local makes = creates ~= ''
  and not (found.created or found.target)
  and (ended or not found.tombstone)
if not found.created and not makes then
  if found.tombstone or found.target then
    -- An alias here means that the session was rotated more than three times since.
    local tombstone = found.tombstone and derive_tombstone(found.tombstone)
    return { now, 'superseded', tombstone or encode_sign_in(true) }
  end
  return { now, 'gone' } -- I4
end

if where ~= '' and not makes and not has_name(found.names, where) then
  return { now, 'elsewhere' }
end

-- Whether the session gets a new id. It is `for_good` where no old id may lead to the new one.
local rotates, for_good = false, false
if when == 'identity-changes' then
  for_good = changes_identity(found, added, removed)
  rotates = for_good
elseif when == 'credentials' then
  rotates, for_good = true, true
elseif to ~= '' then
  local owned_by = compare_identities(found.names, changes, identity)
  if owned_by == 'another' or owned_by == 'nobody' then
    if when == 'never' then
      return { now, 'signs-in' }
    end
    local fields, bytes = select_set_fields(changes, without)
    if bytes > changes.max_bytes then
      return { now, 'too-large', bytes }
    end
    local had_identity = has_field(found.names, identity)
    -- Made first, so that memory being full stops all of it.
    local made =
      make_session(to, changes.names, fields, fresh_idle, fresh_timeout and now + fresh_timeout)
    local named = encode_named(changes.names, identity)
    end_session(current, found, trail, tombstone_stays, encode_sign_in(had_identity, named))
    return answer_changed(to, made)
  end
  for_good = when == 'always' and owned_by == 'same'
  rotates = for_good or (when == 'always' and #trail == 0 and #aliases < MAX_RENEWALS)
  if when == 'always' and not rotates then
    if grace > 0 or #trail == 0 then
      return { now, 'alias' }
    end
    local had_identity = has_field(found.names, identity)
    end_session(current, found, trail, tombstone_stays, encode_sign_in(had_identity))
    return { now, 'ended' }
  end
end

local key = derive_session_key(current)
local bytes = count_bytes_after(key, changes)
if bytes > changes.max_bytes then
  return { now, 'too-large', bytes }
end

-- I6: both deadlines hold, and nothing moves the absolute one but a new one that is given.
local idle = new_idle or tonumber(found.idle)
local absolute = new_absolute or tonumber(found.absolute)
local deadline = math.min(idle and now + idle or math.huge, absolute or math.huge)
-- PEXPIREAT deletes a key whose moment has come, by a clock that runs on during the script, and the
-- next write would make a part of the session anew, for ever. So until the end it has a second.
local held = math.max(deadline, now + 1000)

local moved = #added + #removed > 0
if makes then
  found.created = format_int(micros)
  redis.call('HSET', key, '@c', found.created)
  redis.call('HDEL', key, '@x')
end
if #changes.set == 0 then
  redis.call('PEXPIREAT', key, format_int(held)) -- needs no memory: touching works when it is full
  write_fields(key, changes, found, moved and after)
else
  write_fields(key, changes, found, moved and after)
  redis.call('PEXPIREAT', key, format_int(held))
end
found.seen = format_int(now)
redis.call('HSET', key, '@s', found.seen)
if new_idle then
  found.idle = format_int(new_idle)
  redis.call('HSET', key, '@i', found.idle)
end
if new_absolute then
  found.absolute = format_int(new_absolute)
  redis.call('HSET', key, '@a', found.absolute)
end
for _, name in ipairs(removed) do
  remove_entry(name, current)
end

local final = current
if rotates then
  final = to
  for _, name in ipairs(found.names) do
    remove_entry(name, current)
  end
  redis.call('RENAME', key, derive_session_key(to))
  found.lineage = derive_lineage(current, found)
  redis.call('HSET', derive_session_key(to), '@l', found.lineage)
  if for_good or grace == 0 then
    local named = encode_named(changes.names, identity)
    local tombstone = encode_sign_in(has_field(found.names, identity), named)
    trail[#trail + 1] = current
    for _, old in ipairs(trail) do
      replace_hash(old, tombstone_stays, '@x', tombstone)
    end
    redis.call('HDEL', derive_session_key(to), '@p')
  else
    replace_hash(current, grace, '@to', to, aliases[1])
    redis.call('HSET', derive_session_key(to), '@p', current)
  end
end

for _, name in ipairs(after) do
  add_entry(name, final, deadline)
end
write_pointer(final, found, deadline)
refresh_set_expiries()

local answer = answer_changed(final, found)
if held > deadline then
  redis.call('PEXPIREAT', derive_session_key(final), format_int(deadline))
end
return answer
