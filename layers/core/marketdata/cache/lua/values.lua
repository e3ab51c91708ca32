-- Functions for all scripts: the time, numbers as Redis stores them, and keys with a value of another type.

local JUMP_MS = 2000 -- clocks that differ by more than this are wrong

-- The present time (epoch ms): the clock of Redis, unless a test or the simulated day passes one.
local function time_now(given)
  if given ~= '' then return tonumber(given) end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- A whole number as text; Lua would write a time in milliseconds as 1.7e+12.
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

-- Delete a key that holds another type of value than ours. Return whether that was so.
local function drop_other_type(key, kind)
  local found = redis.call('TYPE', key).ok
  if found == kind or found == 'none' then return false end
  redis.call('DEL', key)
  return true
end

-- The fields of a hash as a flat list; nil if the key holds another type of value.
local function fields_of(key)
  local kind = redis.call('TYPE', key).ok
  if kind == 'hash' or kind == 'none' then
    return redis.call('HGETALL', key)
  end
end

-- Call a function with parts of a long list: Lua's stack holds only a few thousand arguments.
local function in_parts(list, size, call)
  for first = 1, #list, size do
    call(unpack(list, first, math.min(first + size - 1, #list)))
  end
end
