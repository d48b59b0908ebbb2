-- Numbers as text. Lua 5.4, which Dragonfly has, would write a whole float as "1.0".

local function format_int(n)
  return string.format('%.0f', n)
end

-- A score with all its digits. Lua 5.4 gets scores as numbers, Lua 5.1 as text.
local function format_score(score)
  return type(score) == 'string' and score or string.format('%.17g', score)
end
