-- Which symbols do clients ask for? The most recently asked for are remembered.
-- KEYS: watched. ARGV: now (ms), how many are kept, the symbols.

for i = 3, #ARGV do
  redis.call('ZADD', KEYS[1], 'GT', ARGV[1], ARGV[i])
end
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - tonumber(ARGV[2]))
