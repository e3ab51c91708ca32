-- Is a refresh of the asset lists due, and does this caller get it?
-- KEYS: the last claim, '<time (ms)> <claims in a row while a list was missing>'. ARGV: now (ms, ''
-- for the clock of Redis), the time between two refreshes (ms), and 1 if a list is missing. A missing
-- list is tried again after a minute, and then each time after four times as long as before. So a list
-- that cannot be fetched does not use up a budget. Reply: 1 if the caller gets the refresh, else 0.

-- include: values.lua

local now, interval, missing = time_now(ARGV[1]), tonumber(ARGV[2]), ARGV[3] == '1'
drop_other_type(KEYS[1], 'string')
local at, tries = string.match(redis.call('GETRANGE', KEYS[1], 0, 63), '^(%S+) (%S+)$')
at, tries = finite(at or ''), finite(tries or '') or 0
local gap = interval
if missing and tries > 0 then
  gap = math.min(interval, 60000 * 4 ^ (tries - 1))
end
-- A claim in the future was made before the clock of Redis went back; it must not stop the refreshes.
if at and at <= now + JUMP_MS and now - at < gap then
  return 0
end
redis.call('SET', KEYS[1], whole(now) .. ' ' .. whole(missing and math.min(tries + 1, 20) or 0))
return 1
