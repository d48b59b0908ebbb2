-- How many live sessions a value may have. `limits` has, by the encoded names of fields: `field`,
-- the name as it is; `most`; and `rejects`, whether one more is rejected.

-- The limits that begin at ARGV[at], as a list: encoded name, field, how many at most, '1' to
-- reject one more.
local function read_limits(at)
  local limits = {}
  local list, next_argument = read_list(at)
  for i = 1, #list, 4 do
    limits[list[i]] = {
      field = list[i + 1], most = tonumber(list[i + 2]), rejects = list[i + 3] == '1',
    }
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

-- Finds room for one more session in each set of the names that has a limit: `plan.doomed` are the
-- sessions to end for it; `plan.full` is the answer where there is no room. `leaving` is the id of
-- a session that the script ends anyway. `own` is the one that enters ({ created =, lineage = }),
-- nil for a new one. Called before the script writes.
local function plan_room(names, limits, leaving, own)
  local plan = { doomed = {} }
  local left_out = { [leaving or ''] = true }
  for _, rejects in ipairs({ false, true }) do
    for _, name in ipairs(names) do
      local limit = limits[parse_field(name)]
      local counts = limit and limit.rejects == rejects
        and redis.call('ZCOUNT', derive_set_key(name), format_int(now), '+inf') >= limit.most
      local sessions = counts and list_by_age(name, left_out) or {}
      for i = 1, counts and #sessions - limit.most + 1 or 0 do
        local oldest = sessions[i]
        if rejects or (own and is_older(own, oldest)) then
          plan.full = { now, 'full', limit.field, limit.most }
          return plan
        end
        left_out[oldest.id] = true
        plan.doomed[#plan.doomed + 1] = oldest
        look_at_session(oldest.id, oldest.found.names)
        look_at_pointer(oldest.found)
      end
    end
  end
  return plan
end

-- Ends the sessions whose places a limit gives to another.
local function end_doomed(plan)
  for _, session in ipairs(plan.doomed) do
    end_session(session.id, session.found, {}, {
      how = 'limit', cause = NO_CAUSE, tombstone = BY_DELETE, stays = 0,
    })
  end
end
