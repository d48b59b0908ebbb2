-- Pages of a set, in the order of deadlines.

-- Reads the next ids of a set: at most `limit`, with a total cost of at most `budget`, but at least
-- one. Also returns the deadline and the id to go on after, which are '' at the end.
--
-- A session in use only moves ahead: touching puts off its deadline, rotating keeps it. So a
-- session that stays in the set from the first page to the last is read, whatever its id. For that,
-- a page ends between two deadlines. If more sessions share one millisecond than a page holds, it
-- ends among them, after an id.
local function read_page(key, after, escaped_id, limit, budget, count_cost)
  local from
  local after_id = unescape_id(escaped_id)
  if after == '' then
    from = redis.call('ZCOUNT', key, '-inf', '(' .. format_int(now))
  elseif after_id == '' then
    from = redis.call('ZCOUNT', key, '-inf', after)
  elseif tonumber(redis.call('ZSCORE', key, after_id)) == tonumber(after) then
    from = redis.call('ZRANK', key, after_id) + 1
  else
    from = redis.call('ZCOUNT', key, '-inf', '(' .. after)
  end
  local entries = redis.call('ZRANGE', key, from, from + limit, 'WITHSCORES')
  local ids, deadlines = {}, {}
  for i = 1, #entries, 2 do
    ids[#ids + 1] = entries[i]
    deadlines[#deadlines + 1] = entries[i + 1]
  end
  local taken, spent = 0, 0
  while taken < #ids and taken < limit do
    spent = spent + count_cost(ids[taken + 1])
    if taken > 0 and spent > budget then
      break
    end
    taken = taken + 1
  end
  if taken == #ids then
    return ids, '', ''
  end
  local last = taken
  while last > 0 and deadlines[last] == deadlines[taken + 1] do
    last = last - 1
  end
  local next_id = ''
  if last == 0 then
    last = taken
    next_id = ids[last]
  end
  for i = last + 1, #ids do
    ids[i] = nil
  end
  return ids, format_score(deadlines[last]), escape_id(next_id)
end
