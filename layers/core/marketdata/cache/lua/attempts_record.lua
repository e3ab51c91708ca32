-- What came of these attempts? Breakers are told, unused calls given back, holds noted, and it is
-- set when symbols are due next and which are not to be asked for.
-- KEYS: due, refused, recorded, then ledgers and breakers. ARGV: now (ms), the name of this report
-- ('' if it has none; a named one counts once), and JSON {policy, refusals_kept, refused_ms,
-- reports_ms, results: [...], due: [symbol, ms, ...], refused: [...]}.
-- Answers JSON [{result, before, after, reason, generation}]; result is a place in results.

-- include: numbers.lua
-- include: breaker_rules.lua
-- include: budget_windows.lua

local now, name, told = tonumber(ARGV[1]), ARGV[2], cjson.decode(ARGV[3])
local ledgers, breakers, transitions = {}, {}, {}

local function settle(result, ledger)
  if ledger.broken then
    return
  end
  ledger_settle(ledger, result.limits, result.use, result.end_ms, result.granted, result.used)
  if result.hold_until_ms then
    ledger_hold(ledger, result.hold_until_ms)
  end
end

local function note(result, breaker)
  if result.effect == 'success' then
    breaker_set(breaker, 'success_at', math.max(now, breaker.success_at or 0))
  end
  if result.error then
    breaker_set(breaker, 'error', result.error)
  end
end

if name ~= '' then
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', whole(now - told.reports_ms))
  if redis.call('ZADD', KEYS[3], 'NX', whole(now), name) == 0 then
    return '[]'
  end
end

for place, result in ipairs(told.results) do
  local ledger = ledgers[result.ledger] or ledger_read(KEYS[result.ledger], now)
  local breaker = breakers[result.breaker] or breaker_read(KEYS[result.breaker])
  ledgers[result.ledger], breakers[result.breaker] = ledger, breaker
  settle(result, ledger)
  local change = breaker_record(breaker, result, now, told.policy)
  if change then
    change.result = place
    table.insert(transitions, change)
  end
  note(result, breaker)
end

-- Only ever later: a report that is late must not make a symbol due that another has priced.
in_parts(told.due, 1000, function(...) redis.call('ZADD', KEYS[1], 'GT', ...) end)
in_parts(told.refused, 1000, function(...) redis.call('ZADD', KEYS[2], ...) end)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', whole(now))
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - told.refusals_kept)
if #transitions == 0 then
  return '[]'
end
return cjson.encode(transitions)
