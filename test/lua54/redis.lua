-- A stand-in for Redis that runs scripts on Lua 5.4, as Dragonfly does. It shows that they load and
-- do there what they do on Lua 5.1, and nothing else: promises are tested on real servers.
--
-- It speaks RESP2 over stdin and stdout, for one client. The time comes from outside: CLOCK and µs,
-- to which nothing is answered. Where servers differ it is the strict one: to scripts scores are
-- numbers, and floats; what they send or answer is text or whole; and nothing that Lua 5.1 alone
-- has is there.

local clock = 0

-- By name: kind ('hash', 'zset', 'set', 'string'), value, expires (ms).
local keys = {}

local unpack = table.unpack
local OK, NOTHING = { ok = 'OK' }, false

local function fail(text)
  error({ err = text }, 0)
end

local function now()
  return clock // 1000
end

-- Keys ----------------------------------------------------------------------------------------

-- A sorted set has its members' scores, and its entries in their order.
local function new(kind)
  return kind == 'zset' and { scores = {}, entries = {} } or {}
end

local EMPTY = { string = false, hash = {}, set = {}, zset = new('zset') }

local function at(name)
  local key = keys[name]
  if key and key.expires and key.expires <= now() then
    keys[name] = nil
    return nil
  end
  return key
end

-- The value of a key of this kind, to be read.
local function read(name, kind)
  local key = at(name)
  if key and key.kind ~= kind then
    fail('WRONGTYPE Operation against a key holding the wrong kind of value')
  end
  return key and key.value or EMPTY[kind]
end

local function write(name, kind)
  if not at(name) then
    keys[name] = { kind = kind, value = new(kind) }
  end
  return read(name, kind)
end

-- A key with nothing in it is gone.
local function tidy(name)
  if keys[name] and next(keys[name].value) == nil then
    keys[name] = nil
  end
end

local function names_of(map)
  local names = {}
  for name in pairs(map) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

local function remove(name, kind, members)
  local value, removed = read(name, kind), 0
  for _, member in ipairs(members) do
    if value[member] ~= nil then
      value[member] = nil
      removed = removed + 1
    end
  end
  tidy(name)
  return removed
end

-- All in one step of SCAN and the like.
local function page(list)
  return { '0', list }
end

-- Sorted sets ---------------------------------------------------------------------------------

local function before(a, b)
  return a.score < b.score or a.score == b.score and a.member < b.member
end

-- Where an entry stands or would, from 1.
local function place(entries, entry)
  local low, high = 1, #entries + 1
  while low < high do
    local middle = (low + high) // 2
    if before(entries[middle], entry) then
      low = middle + 1
    else
      high = middle
    end
  end
  return low
end

local function leave(set, member)
  local score = set.scores[member]
  if score then
    table.remove(set.entries, place(set.entries, { member = member, score = score }))
    set.scores[member] = nil
  end
  return score and 1 or 0
end

local function enter(set, member, score)
  local left = leave(set, member)
  local entry = { member = member, score = score }
  table.insert(set.entries, place(set.entries, entry), entry)
  set.scores[member] = score
  return 1 - left
end

-- A function that says whether a score is on this side of a bound.
local function bound(text, lower)
  local exclusive = string.sub(text, 1, 1) == '('
  local number = string.gsub(text, '^%(', '')
  local infinite = { ['+inf'] = math.huge, ['-inf'] = -math.huge }
  local value = infinite[number] or tonumber(number)
  if not value then
    fail('ERR min or max is not a float')
  end
  return function(score)
    if score == value then
      return not exclusive
    end
    return lower and score > value or not lower and score < value
  end
end

local function between(name, low, high)
  local above, below, found = bound(low, true), bound(high, false), {}
  for _, entry in ipairs(read(name, 'zset').entries) do
    if above(entry.score) and below(entry.score) then
      found[#found + 1] = entry
    end
  end
  return found
end

local function reversed(list)
  local other = {}
  for i = #list, 1, -1 do
    other[#other + 1] = list[i]
  end
  return other
end

-- By index from 0, negative ones from the end; both ends are in it.
local function slice(list, first, last)
  first = first < 0 and math.max(first + #list, 0) or first
  last = last < 0 and last + #list or last
  local part = {}
  for i = first + 1, math.min(last + 1, #list) do
    part[#part + 1] = list[i]
  end
  return part
end

local function whole(text)
  local number = math.tointeger(tonumber(text))
  if not number then
    fail('ERR value is not an integer or out of range')
  end
  return number
end

-- Words after the fixed arguments of a command, as options with this many values each.
local function options(args, from, known)
  local found, i = {}, from
  while i <= #args do
    local word = string.upper(args[i])
    local values = known[word]
    if not values then
      fail('ERR syntax error')
    end
    found[word] = { unpack(args, i + 1, i + values) }
    i = i + 1 + values
  end
  return found
end

local function limited(list, limit)
  if not limit then
    return list
  end
  local offset, count = whole(limit[1]), whole(limit[2])
  return slice(list, offset, count < 0 and -1 or offset + count - 1)
end

local function members(entries, with_scores)
  local list = {}
  for _, entry in ipairs(entries) do
    list[#list + 1] = entry.member
    if with_scores then
      list[#list + 1] = { score = entry.score }
    end
  end
  return list
end

-- Commands ------------------------------------------------------------------------------------
-- A score is answered as { score = number }: what it becomes depends on who asks.

local commands = {}

function commands.PING()
  return { ok = 'PONG' }
end

function commands.TIME()
  return { tostring(clock // 1000000), tostring(clock % 1000000) }
end

function commands.INFO(section)
  local told = {
    server = '# Server\r\ndragonfly_version:stand-in\r\nredis_version:7.4.0\r\n',
    replication = '# Replication\r\nmaster_replid:abcdef\r\n',
  }
  return told[section] or told.server
end

function commands.EXISTS(...)
  local count = 0
  for _, name in ipairs({ ... }) do
    count = count + (at(name) and 1 or 0)
  end
  return count
end

function commands.DEL(...)
  local count = commands.EXISTS(...)
  for _, name in ipairs({ ... }) do
    keys[name] = nil
  end
  return count
end

function commands.RENAME(from, to)
  if not at(from) then
    fail('ERR no such key')
  end
  keys[to], keys[from] = keys[from], nil
  return OK
end

function commands.GET(name)
  return read(name, 'string')
end

function commands.SET(name, value, ...)
  local given = options({ ... }, 1, { PXAT = 1, PX = 1 })
  local expires = given.PXAT and whole(given.PXAT[1])
    or given.PX and now() + whole(given.PX[1])
  keys[name] = { kind = 'string', value = value, expires = expires }
  return OK
end

function commands.PEXPIREAT(name, moment, ...)
  local key, given = at(name), options({ ... }, 1, { GT = 0, NX = 0 })
  if not key or given.GT and (key.expires or math.huge) >= whole(moment) then
    return 0
  end
  if given.NX and key.expires then
    return 0
  end
  key.expires = whole(moment)
  return 1
end

function commands.PEXPIRETIME(name)
  local key = at(name)
  return key and (key.expires or -1) or -2
end

local published = {}

function commands.SPUBLISH(channel, text)
  published[#published + 1] = channel
  published[#published + 1] = text
  return 0
end

-- What was published: a command of this stand-in's own.
function commands.PUBLISHED()
  local all = published
  published = {}
  return all
end

function commands.SCAN(_, ...)
  local given = options({ ... }, 1, { MATCH = 1, COUNT = 1 })
  -- Literal but for stars, which is what is asked for here.
  local pattern = string.gsub(given.MATCH[1], '\\(.)', '%1')
  pattern = '^' .. string.gsub(string.gsub(pattern, '%W', '%%%0'), '%%%*', '.*') .. '$'
  local found = {}
  for _, name in ipairs(names_of(keys)) do
    if at(name) and string.find(name, pattern) then
      found[#found + 1] = name
    end
  end
  return page(found)
end

function commands.HGET(name, field)
  return read(name, 'hash')[field] or NOTHING
end

function commands.HMGET(name, ...)
  local hash, values = read(name, 'hash'), {}
  for i, field in ipairs({ ... }) do
    values[i] = hash[field] or NOTHING
  end
  return values
end

function commands.HGETALL(name)
  local hash, list = read(name, 'hash'), {}
  for _, field in ipairs(names_of(hash)) do
    list[#list + 1] = field
    list[#list + 1] = hash[field]
  end
  return list
end

function commands.HKEYS(name)
  return names_of(read(name, 'hash'))
end

function commands.HSET(name, ...)
  local hash, given, added = write(name, 'hash'), { ... }, 0
  if #given == 0 or #given % 2 == 1 then
    fail("ERR wrong number of arguments for 'hset' command")
  end
  for i = 1, #given, 2 do
    added = added + (hash[given[i]] and 0 or 1)
    hash[given[i]] = given[i + 1]
  end
  return added
end

function commands.HDEL(name, ...)
  return remove(name, 'hash', { ... })
end

function commands.SADD(name, ...)
  local set, added = write(name, 'set'), 0
  for _, member in ipairs({ ... }) do
    added = added + (set[member] and 0 or 1)
    set[member] = true
  end
  return added
end

function commands.SREM(name, ...)
  return remove(name, 'set', { ... })
end

function commands.SISMEMBER(name, member)
  return read(name, 'set')[member] and 1 or 0
end

function commands.SMEMBERS(name)
  return names_of(read(name, 'set'))
end

function commands.SSCAN(name)
  return page(names_of(read(name, 'set')))
end

function commands.ZADD(name, score, member)
  local number = tonumber(score)
  if not number then
    fail('ERR value is not a valid float')
  end
  return enter(write(name, 'zset'), member, number + 0.0)
end

function commands.ZREM(name, ...)
  local set, removed = read(name, 'zset'), 0
  for _, member in ipairs({ ... }) do
    removed = removed + leave(set, member)
  end
  if at(name) and #set.entries == 0 then
    keys[name] = nil
  end
  return removed
end

function commands.ZCARD(name)
  return #read(name, 'zset').entries
end

function commands.ZCOUNT(name, low, high)
  return #between(name, low, high)
end

function commands.ZSCORE(name, member)
  local score = read(name, 'zset').scores[member]
  return score and { score = score } or NOTHING
end

function commands.ZRANK(name, member)
  local set = read(name, 'zset')
  local score = set.scores[member]
  return score and place(set.entries, { member = member, score = score }) - 1 or NOTHING
end

function commands.ZRANGE(name, first, last, ...)
  local given = options({ ... }, 1, { BYSCORE = 0, REV = 0, LIMIT = 2, WITHSCORES = 0 })
  local entries
  if given.BYSCORE then
    entries = given.REV and reversed(between(name, last, first)) or between(name, first, last)
    entries = limited(entries, given.LIMIT)
  else
    entries = slice(read(name, 'zset').entries, whole(first), whole(last))
  end
  return members(entries, given.WITHSCORES)
end

function commands.ZRANGEBYSCORE(name, low, high, ...)
  local given = options({ ... }, 1, { LIMIT = 2, WITHSCORES = 0 })
  return members(limited(between(name, low, high), given.LIMIT), given.WITHSCORES)
end

function commands.ZSCAN(name)
  return page(members(read(name, 'zset').entries, true))
end

-- Scripts -------------------------------------------------------------------------------------

local function invoke(name, args)
  local command = commands[string.upper(name)]
  if not command then
    fail("ERR unknown command '" .. name .. "', with args beginning with: ")
  end
  return command(unpack(args))
end

-- A client gets texts where a script gets numbers.
local function for_script(reply)
  if type(reply) ~= 'table' or reply.ok then
    return reply
  end
  if reply.score then
    return reply.score
  end
  local list = {}
  for i, part in ipairs(reply) do
    list[i] = for_script(part)
  end
  return list
end

local function call(name, ...)
  local args = { ... }
  for i = 1, select('#', ...) do
    local arg = args[i]
    if math.type(arg) == 'integer' then
      args[i] = tostring(arg)
    elseif type(arg) ~= 'string' then
      fail('ERR ' .. name .. ' was given ' .. tostring(arg) .. ', which is neither text nor whole')
    end
  end
  return for_script(invoke(name, args))
end

-- A reply, also where that is an error.
local function attempt(work, ...)
  local done, reply = pcall(work, ...)
  if done or type(reply) == 'table' then
    return reply
  end
  return { err = 'ERR ' .. tostring(reply) }
end

local function pcall_of(...)
  return attempt(call, ...)
end

-- The JSON of a list of texts: scripts encode nothing else.
local function encode(list)
  local texts = {}
  for i = 1, #list do
    if type(list[i]) ~= 'string' then
      fail('ERR cjson was given ' .. tostring(list[i]) .. ', which is no text')
    end
    texts[i] = '"' .. string.gsub(list[i], '[%c"\\]', function(byte)
      return string.format('\\u%04x', string.byte(byte))
    end) .. '"'
  end
  return '[' .. table.concat(texts, ',') .. ']'
end

-- A script may use Lua 5.4 without the extras of Lua 5.1, and no globals of its own.
local function environment(names, args)
  local shown = {
    KEYS = names, ARGV = args, redis = { call = call, pcall = pcall_of },
    cjson = { encode = encode },
    string = string, table = table, math = math, type = type, select = select, next = next,
    pairs = pairs, ipairs = ipairs, tonumber = tonumber, tostring = tostring,
    error = error, assert = assert, pcall = pcall,
    setmetatable = setmetatable, getmetatable = getmetatable,
  }
  local function unknown(_, name)
    if name == 'unpack' then
      return nil -- which a script asks for where there is no table.unpack
    end
    fail('ERR a script uses the global ' .. tostring(name))
  end
  setmetatable(shown, { __index = unknown })
  return setmetatable({}, { __index = shown, __newindex = unknown })
end

-- A script's answer: arrays end at the first nil.
local function answer(value)
  if type(value) == 'table' and not (value.ok or value.err) then
    local list = {}
    for i = 1, #value do
      list[i] = answer(value[i])
    end
    return list
  end
  if math.type(value) == 'float' then
    fail('ERR a script answers ' .. tostring(value) .. ', which is no whole number')
  end
  if value == true then
    return 1
  end
  return value or NOTHING
end

-- A script as a function of its environment.
local function compiled(source)
  local script, problem = load('local _ENV = ...; ' .. source, '=script', 't')
  if not script then
    fail('ERR Error compiling script: ' .. problem)
  end
  return script
end

local function run(script, count, ...)
  local given = { ... }
  local names = { unpack(given, 1, whole(count)) }
  local args = { unpack(given, whole(count) + 1) }
  local done, reply = xpcall(script, function(reason)
    local is_reply = type(reason) == 'table'
    return is_reply and reason or { err = 'ERR ' .. debug.traceback(tostring(reason)) }
  end, environment(names, args))
  if not done then
    error(reply, 0)
  end
  return answer(reply)
end

local loaded = {}

-- Takes the text of a script that is called by its digest, which is not made here.
function commands.LEARN(digest, source)
  loaded[digest] = compiled(source)
  return OK
end

function commands.EVAL(source, ...)
  return run(compiled(source), ...)
end

function commands.EVALSHA(digest, ...)
  if not loaded[digest] then
    fail('NOSCRIPT No matching script. Please use EVAL.')
  end
  return run(loaded[digest], ...)
end

-- RESP2 ---------------------------------------------------------------------------------------

local function line()
  local text = io.read('L')
  return text and string.gsub(text, '\r\n$', '')
end

local function command()
  local head = line()
  if not head then
    return nil
  end
  local args = {}
  for i = 1, whole(string.sub(head, 2)) do
    local length = whole(string.sub(line(), 2))
    args[i] = length == 0 and '' or io.read(length)
    io.read(2)
  end
  return table.remove(args, 1), args
end

local function send(reply)
  if reply == NOTHING or reply == nil then
    io.write('$-1\r\n')
  elseif math.type(reply) == 'integer' then
    io.write(':', reply, '\r\n')
  elseif type(reply) == 'string' then
    io.write('$', #reply, '\r\n', reply, '\r\n')
  elseif reply.ok then
    io.write('+', reply.ok, '\r\n')
  elseif reply.err then
    io.write('-', (string.gsub(reply.err, '%c+', ' ')), '\r\n')
  elseif reply.score then
    send(string.format('%.17g', reply.score))
  else
    io.write('*', #reply, '\r\n')
    for _, part in ipairs(reply) do
      send(part)
    end
  end
end

io.stdout:setvbuf('full')
for name, args in command do
  if name == 'CLOCK' then
    clock = whole(args[1])
  else
    send(attempt(invoke, name, args))
    io.flush()
  end
end
