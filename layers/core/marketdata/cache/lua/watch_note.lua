-- Which symbols do clients ask for? The most recently requested symbols are kept. Of the symbols that no asset
-- list knows only a few are kept: those that were requested first.
--
-- KEYS  watched, unlisted, due. `watched` has the time of the last request of each symbol, `unlisted` the time
--       of the first request of each watched symbol that no list knows.
-- ARGV  now (ms, '' for the clock of Redis), JSON {most, most_unlisted, answered_ms, listed: [symbol],
--       unlisted: [symbol]}. An unlisted symbol that is due later than answered_ms from now was looked for
--       and not found; it is not watched again, because that would change nothing.
-- Reply: the requested symbols that are not watched, because there is no place for them.

-- include: values.lua

local now, asked = time_now(ARGV[1]), cjson.decode(ARGV[2])
for place = 1, 3 do
  drop_other_type(KEYS[place], 'zset')
end
for _, symbol in ipairs(asked.listed) do
  redis.call('ZADD', KEYS[1], 'GT', whole(now), symbol)
  redis.call('ZREM', KEYS[2], symbol)
end
for _, symbol in ipairs(asked.unlisted) do
  local due = finite(redis.call('ZSCORE', KEYS[3], symbol) or '')
  local answered = due and due > now + asked.answered_ms
  local has_place = redis.call('ZSCORE', KEYS[2], symbol)
  if not answered and (has_place or redis.call('ZCARD', KEYS[2]) < asked.most_unlisted) then
    redis.call('ZADD', KEYS[2], 'NX', whole(now), symbol)
    redis.call('ZADD', KEYS[1], 'GT', whole(now), symbol)
  end
end
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - asked.most)
local without_place = {}
for _, symbols in ipairs({ asked.listed, asked.unlisted }) do
  for _, symbol in ipairs(symbols) do
    if not redis.call('ZSCORE', KEYS[1], symbol) then table.insert(without_place, symbol) end
  end
end
return without_place
