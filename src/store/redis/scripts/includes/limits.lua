-- How many live sessions a value may have. `limits` has, by the encoded names of `fields`: `field`,
-- the name as it is; `most`; and `rejects`, whether one more is rejected. Where there are several
-- shards it has also, by the names of sets, their `bounds`: how many sessions this shard's part may
-- have at `most` beside those of the other shards, and how many places are `reserved`.

-- How many sessions of full sets a script reads at most, and how many keys it touches to end some.
local MAX_READ_FOR_ROOM = 300

-- The limits that begin at ARGV[at], as two lists: encoded name, field, how many at most, '1' to
-- reject one more; and for each set with a bound its name, how many at most, how many are reserved.
-- Nil where there are none.
local function read_limits(at)
  if ARGV[at] == '0' and ARGV[at + 1] == '0' then
    return nil, at + 2
  end
  local limits = { fields = {}, bounds = {} }
  local list, next_argument = read_list(at)
  for i = 1, #list, 4 do
    limits.fields[list[i]] = {
      field = list[i + 1], most = tonumber(list[i + 2]), rejects = list[i + 3] == '1',
    }
  end
  list, next_argument = read_list(next_argument)
  for i = 1, #list, 3 do
    limits.bounds[list[i]] = { most = tonumber(list[i + 1]), reserved = tonumber(list[i + 2]) }
  end
  return limits, next_argument
end

-- Of a session that was found at an id: what says which of two is older.
local function describe_age(id, found)
  return { created = tonumber(found.created), lineage = derive_lineage(id, found) }
end

local function is_older(one, other)
  if one.created ~= other.created then
    return one.created < other.created
  end
  return one.lineage < other.lineage
end

-- How many live sessions a set has, without those of `left_out`.
local function count_live(name, left_out)
  local key = derive_set_key(name)
  local count = redis.call('ZCOUNT', key, format_int(now), '+inf')
  for id in pairs(left_out) do
    local deadline = tonumber(redis.call('ZSCORE', key, id))
    if deadline and deadline >= now then
      count = count - 1
    end
  end
  return count
end

-- The live sessions of a set, the oldest first, without those of `left_out`.
local function list_by_age(name, left_out)
  local sessions = {}
  local key = derive_set_key(name)
  for _, id in ipairs(redis.call('ZRANGE', key, format_int(now), '+inf', 'BYSCORE')) do
    local found = not left_out[id] and read_own_fields(id)
    if found and found.created and has_name(found.names, name) then
      local session = describe_age(id, found)
      session.id, session.found = id, found
      sessions[#sessions + 1] = session
    end
  end
  table.sort(sessions, is_older)
  return sessions
end

-- Notes in the plan whether a set that rejects has room for one more session.
local function plan_rejection(plan, name, limit, bound)
  bound = bound or { most = limit.most, reserved = 0 }
  local count = count_live(name, plan.left_out)
  if count >= bound.most then
    plan.refusal = { now, 'full', limit.field, limit.most }
  elseif count + bound.reserved >= bound.most and not plan.refusal then
    plan.refusal = { now, 'reserved' }
  end
end

-- Notes in the plan the oldest sessions of a full set that one more session takes the places of.
local function plan_endings(plan, name, limit, own)
  local count = count_live(name, plan.left_out)
  if count < limit.most then
    return
  end
  plan.read = plan.read + count
  if plan.read > MAX_READ_FOR_ROOM then
    plan.refusal = { now, 'crowded' }
    return
  end
  local sessions = list_by_age(name, plan.left_out)
  for i = 1, #sessions - limit.most + 1 do
    local oldest = sessions[i]
    if own and is_older(own, oldest) then
      plan.refusal = { now, 'full', limit.field, limit.most }
      return
    end
    plan.left_out[oldest.id] = true
    plan.doomed[#plan.doomed + 1] = oldest
    plan.touched = plan.touched + 1 + #oldest.found.names
    check_sets(oldest.id, oldest.found.names)
  end
  if plan.touched > MAX_READ_FOR_ROOM and #plan.doomed > 1 then
    plan.refusal = { now, 'crowded' }
  end
end

-- Finds room for one more session in each set of the names that has a limit: `plan.doomed` are the
-- sessions to end for it; `plan.refusal` is the answer where there is no room, or where finding it
-- takes more than one script. `leaving` are the ids of sessions that are ended anyway. `own` is the
-- session that enters ({ created =, lineage = }), nil for a new one. Called before the script
-- writes.
local function plan_room(names, limits, leaving, own)
  local plan = { doomed = {}, left_out = {}, read = 0, touched = 0 }
  for _, id in ipairs(leaving) do
    plan.left_out[id] = true
  end
  -- Those that reject come last: the sessions that are ended for others make room.
  for _, rejects in ipairs({ false, true }) do
    for _, name in ipairs(names) do
      local limit = limits.fields[parse_field(name)]
      if limit and limit.rejects == rejects then
        if rejects then
          plan_rejection(plan, name, limit, limits.bounds[strip_mark(name)])
        else
          plan_endings(plan, name, limit, own)
        end
        if plan.refusal and plan.refusal[2] ~= 'reserved' then
          return plan
        end
      end
    end
  end
  return plan
end

-- The ids that these lead to, of sessions that their caller is about to end.
local function list_leaving(ids)
  local leaving = {}
  for i, id in ipairs(ids) do
    leaving[i] = follow_aliases(id, MAX_RENEWALS)
  end
  return leaving
end

-- Ends the sessions whose places a limit gives to another.
local function end_doomed(plan)
  for _, session in ipairs(plan.doomed) do
    end_session(session.id, session.found, {}, {
      how = 'limit', cause = NO_CAUSE, tombstone = BY_DELETE, stays = 0,
    })
  end
end
