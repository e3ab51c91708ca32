-- The history of one symbol: two texts, one with a price for each minute, one with a price for each hour.
--
-- A text begins with two numbers of eight digits, the first and the last step (minutes or hours since 1970).
-- Then the prices follow: ';<price>' for a price one step after the price before it, else
-- ';<steps since the price before>:<price>'. The first price is that of the first step. history.py reads
-- these texts.

local HISTORY_PRICE_LENGTH = 32 -- a longer price is not recorded, so that a text's size is bounded

local function history_header(first, last)
  return string.format('%08.0f%08.0f', first, last)
end

-- Drop prices older than `keep` steps from a text.
local function history_trim(key, last, keep)
  local text = redis.call('GET', key)
  local step, first, from = tonumber(text:sub(1, 8)), nil, nil
  for at, record in text:sub(17):gmatch('();([^;]*)') do
    local steps = record:match('^(%d+):')
    if at > 1 then step = step + (tonumber(steps or '1') or 1) end
    if step > last - keep then
      first, from = step, at
      break
    end
  end
  if not first then return redis.call('DEL', key) end
  local kept = text:sub(16 + from):gsub('^;%d+:', ';', 1)
  redis.call('SET', key, history_header(first, last) .. kept)
end

-- Record a price for its step, unless that step or a later one has a price already.
local function history_add(key, step, price, keep, life_s)
  if #price > HISTORY_PRICE_LENGTH then return end
  local header = redis.pcall('GETRANGE', key, 0, 15)
  local digits = type(header) == 'string' and header:match('^%d+$') and #header == 16
  local first, last
  if digits then first, last = tonumber(header:sub(1, 8)), tonumber(header:sub(9)) end
  -- A last step that is far ahead was written by a wrong clock; it must not stop the history.
  if not digits or last > step + keep or step - last > keep then
    redis.call('DEL', key)
    redis.call('SET', key, history_header(step, step) .. ';' .. price, 'EX', life_s)
    return
  end
  if step <= last then return end
  local gap = step - last == 1 and ';' or string.format(';%.0f:', step - last)
  redis.call('APPEND', key, gap .. price)
  redis.call('SETRANGE', key, 8, string.format('%08.0f', step))
  if step - first > keep + math.ceil(keep / 12) then history_trim(key, step, keep) end
  redis.call('EXPIRE', key, life_s)
end
