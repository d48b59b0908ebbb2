-- What a script does to sessions is published on the shard's channel, for those who listen. One
-- message has it all, a line for each kind (docs/design.md, "The feed"). It is the script's last
-- step, so nothing is heard of that hasn't happened.

-- The message, and how the line begins that it ends with, if more sessions may follow there.
local feed = { parts = {}, line = '' }

local function begin_line(text)
  feed.parts[#feed.parts + 1] = (#feed.parts > 0 and '\n' or '') .. text
end

-- The cause of an ending that no caller asked for.
local NO_CAUSE = '- -'

-- How a session was ended that another one replaces, with these names. A sign-in with no user is a
-- sign-out.
local function describe_replacement(names, identity)
  return has_field(names, identity) and 'sign-in' or 'delete'
end

-- Notes that sessions were ended: how, by whose cause (as the caller has encoded it), and of each
-- its `id`, and its `lineage` if that is another.
local function note_all_ended(how, cause, sessions)
  if #sessions == 0 then
    return
  end
  local line = 'ended ' .. format_int(now) .. ' ' .. how .. ' ' .. cause
  if feed.line ~= line then
    feed.line = line
    begin_line(line)
  end
  for _, session in ipairs(sessions) do
    local id, lineage = session.id, session.lineage
    local other = lineage and lineage ~= id
    feed.parts[#feed.parts + 1] =
      ' ' .. escape_id(id) .. (other and ':' .. escape_id(lineage) or '')
  end
end

local function note_ended(how, cause, id, lineage)
  note_all_ended(how, cause, { { id = id, lineage = lineage } })
end

local function note_rotated(from, to, lineage)
  feed.line = ''
  local ids = { escape_id(from), escape_id(to), escape_id(lineage) }
  begin_line('rotated ' .. format_int(now) .. ' ' .. table.concat(ids, ' '))
end

-- Notes that a session's deadline was brought forward. Who waits for it to expire would do so until
-- the old deadline. One that was put off isn't noted: that is found when the old one has passed.
local function note_shortened(id, lineage, deadline)
  feed.line = ''
  local times = format_int(now) .. ' ' .. format_int(deadline)
  begin_line('shortened ' .. times .. ' ' .. escape_id(id) .. ' ' .. escape_id(lineage or id))
end

-- Publishes a text. Returns why it could not be: without the right to the channel the feed is lost,
-- and the script has done its work all the same.
local function publish(text)
  local reply = redis.pcall('SPUBLISH', base .. ':e', text)
  return type(reply) == 'table' and reply.err or nil
end

-- Publishes what was noted, if anything was.
local function publish_feed()
  if #feed.parts > 0 then
    publish(table.concat(feed.parts))
  end
end
