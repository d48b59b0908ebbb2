-- Reads one page of a set's sessions.
--
-- KEYS[1]   the set
-- ARGV[1]   not used: '', as in every script that only reads
-- ARGV[2]   the set's name
-- ARGV[3]   the deadline to go on after (ms), or '' on the first page
-- ARGV[4]   the id to go on after among those of that deadline, or ''
-- ARGV[5]   how many sessions
-- ARGV[6]   '1' for their fields, or ''
-- Returns   now, 'page', deadline and id to go on after, and the sessions as texts

local set = KEYS[1]
local name = ARGV[2]
local after = ARGV[3]
local after_id = ARGV[4]
local limit = tonumber(ARGV[5])
local with_fields = ARGV[6] == '1'

local function count_one()
  return 1
end

local ids, next_after, next_id = read_page(set, after, after_id, limit, limit, count_one)
local sessions = {}
for _, id in ipairs(ids) do
  local fields = with_fields and redis.call('HGETALL', derive_session_key(id)) or read_ages(id)
  if #fields > 0 then
    sessions[#sessions + 1] = encode_session(id, fields)
  end
end
if #sessions < #ids then
  refuse_moving_slot() -- a missing key may still be on the other node
end
drop_expired_entries(name, 0)

return { now, 'page', next_after, next_id, sessions }
