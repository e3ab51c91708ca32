-- Which symbols do clients ask for? The most recently requested ones are kept.
-- KEYS: watched. ARGV: now (ms, '' for the clock of Redis), how many are kept, the symbols.

-- include: values.lua

local now = time_now(ARGV[1])
drop_other_type(KEYS[1], 'zset')
for i = 3, #ARGV do
  redis.call('ZADD', KEYS[1], 'GT', whole(now), ARGV[i])
end
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - tonumber(ARGV[2]))
