-- Is this slot ours, and what is due in it?
-- KEYS: last slot, due, watched, refused, timetables. ARGV: the slot (s), now (ms), how far ahead a stored slot
-- may be (s), how long a symbol is watched (ms), how long a due time is remembered (ms), how many
-- due times are kept beside the active ones, and the active symbols, one a line.
-- Answers nil to the loser; else {due active, new, due watched, refused, timetables, slot claimed
-- before}. The first three are one text each, a line per item, since a client reads one long text
-- many times faster than thousands of short ones; lines of the first and third are symbols and due
-- times (0: never priced) in turn. The next two are flat lists; the last is nil before the first
-- slot and after a clock that ran ahead.

-- include: numbers.lua

local slot, now = tonumber(ARGV[1]), tonumber(ARGV[2])
local ahead_s, watched_ms, memory_ms, kept = tonumber(ARGV[3]), ARGV[4], ARGV[5], ARGV[6]

local last = finite(redis.call('GET', KEYS[1]) or '')
if last and last >= slot and last <= slot + ahead_s then
  return false
end
redis.call('SET', KEYS[1], whole(slot))

local active, ours = {}, {}
for symbol in string.gmatch(ARGV[7], '[^\n]+') do
  table.insert(active, symbol)
  ours[symbol] = true
end

redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', whole(now - watched_ms))
local watched = {}
for _, symbol in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
  if not ours[symbol] then
    table.insert(watched, symbol)
    ours[symbol] = true
  end
end

-- Due times of symbols that nobody wants any more: the old ones, or the oldest if too many.
local spare = redis.call('ZCARD', KEYS[2]) - #active - kept
local oldest = spare > 0 and redis.call('ZRANGE', KEYS[2], 0, spare + #watched)
  or redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', whole(now - memory_ms))
local unwanted = {}
for _, symbol in ipairs(oldest) do
  if not ours[symbol] then
    table.insert(unwanted, symbol)
  end
end
in_parts(unwanted, 1000, function(...) redis.call('ZREM', KEYS[2], ...) end)

local function scores_of(symbols)
  local scores = {}
  in_parts(symbols, 1000, function(...)
    for _, score in ipairs(redis.call('ZMSCORE', KEYS[2], ...)) do
      table.insert(scores, score) -- false where there is none
    end
  end)
  return scores
end

local due_active, new, due_watched = {}, {}, {}
for place, score in ipairs(scores_of(active)) do
  if not score or tonumber(score) <= now then
    table.insert(due_active, active[place])
    table.insert(due_active, score and whole(score) or '0')
  end
end
for place, score in ipairs(scores_of(watched)) do
  if not score then
    table.insert(new, watched[place])
  elseif tonumber(score) <= now then
    table.insert(due_watched, watched[place])
    table.insert(due_watched, whole(score))
  end
end

redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', whole(now))
local refused, timetables = redis.call('ZRANGE', KEYS[4], 0, -1), fields_of(KEYS[5]) or {}
local before = last and last < slot and whole(last) or false
local function lines(items)
  return table.concat(items, '\n')
end
return { lines(due_active), lines(new), lines(due_watched), refused, timetables, before }
