-- Numbers as Redis stores them: Lua would write a time in milliseconds as 1.7e+12.

local function whole(number)
  return string.format('%.0f', number)
end

-- The number in a text, or nil for anything that is not a finite one.
local function finite(text)
  local number = tonumber(text)
  if number and number == number and math.abs(number) < 2 ^ 53 then
    return number
  end
end

-- The fields of a hash as a flat list; nil when the key holds something else.
local function fields_of(key)
  local kind = redis.call('TYPE', key).ok
  if kind == 'hash' or kind == 'none' then
    return redis.call('HGETALL', key)
  end
end

-- A command with many arguments, sent in parts: Lua's stack holds only a few thousand.
local function in_parts(list, size, call)
  for first = 1, #list, size do
    call(unpack(list, first, math.min(first + size - 1, #list)))
  end
end
