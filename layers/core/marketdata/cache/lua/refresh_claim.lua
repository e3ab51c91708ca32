-- Is a refresh of the asset lists due, and ours?
-- KEYS: the last claim, '<time (ms)> <claims in a row while a list was missing>'. ARGV: now (ms),
-- the time between two refreshes (ms), and 1 if a list is missing. Then it is tried again sooner:
-- after a minute, then each time after four times as long, so that no budget bleeds out on a list
-- that cannot be had. Answers 1 to the winner, 0 to all others.

-- include: numbers.lua

local now, interval, missing = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3] == '1'
local at, tries = string.match(redis.call('GET', KEYS[1]) or '', '^(%S+) (%S+)$')
at, tries = finite(at or ''), finite(tries or '') or 0
local gap = interval
if missing and tries > 0 then
  gap = math.min(interval, 60000 * 4 ^ (tries - 1))
end
-- A time ahead of now was written by a clock that ran ahead; it must not stop the refreshes.
if at and at <= now + 60000 and now - at < gap then
  return 0
end
redis.call('SET', KEYS[1], whole(now) .. ' ' .. whole(missing and math.min(tries + 1, 20) or 0))
return 1
