-- Is a refresh of the asset lists due, and ours?
-- KEYS: when the last one was claimed (ms). ARGV: now (ms), the least time between two (ms).
-- Answers 1 to the winner, 0 to all others.

-- include: numbers.lua

local now, gap = tonumber(ARGV[1]), tonumber(ARGV[2])
local last = finite(redis.call('GET', KEYS[1]) or '')
-- A time ahead of now was written by a clock that ran ahead; it must not stop the refreshes.
if last and last <= now + 60000 and now - last < gap then
  return 0
end
redis.call('SET', KEYS[1], whole(now))
return 1
