-- Has a ledger lost what a worker has seen of it? Then the worker's word counts.
-- KEYS: the ledger. ARGV: now (ms), born and turns as the worker has seen them, and the fields and
-- values that it saw. Answers {born, turns} as they are now, as text.
--
-- Of two counts of a bucket the larger one holds, so never fewer are counted than either knows, and
-- what many remember alike is counted once. (A call that was settled in between has moved, and may
-- count twice until its window is over.) Pace is not given back: what is lost with it is evenness,
-- no limit, and a service that has lost its quotes too needs the next call soon.

-- include: numbers.lua
-- include: budget_windows.lua

local now, born, turns = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local ledger = ledger_read(KEYS[1], now)
if ledger_lost(ledger, born, turns) then
  if not ledger.born or ledger.born == born then
    -- A ledger of its own from now on, so that others who remember more will tell it too.
    redis.call('HSET', KEYS[1], 'born', whole(math.max(now, born + 1)))
  end
  for i = 4, #ARGV, 2 do
    local field, value = ARGV[i], finite(ARGV[i + 1])
    local window, bucket = string.match(field, '^(%d+):(%d+):[rno]$')
    local counts = window and leaves_at(tonumber(window), tonumber(bucket)) > now
    if value and (counts or field == 'hold' or field == 'turns') then
      if value > (finite(redis.call('HGET', KEYS[1], field) or '') or 0) then
        redis.call('HSET', KEYS[1], field, whole(value))
      end
    end
  end
end
return redis.call('HMGET', KEYS[1], 'born', 'turns')
