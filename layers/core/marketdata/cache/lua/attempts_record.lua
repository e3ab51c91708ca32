-- Record the results of attempts: count them in breakers, give back unused calls, note until when providers
-- are not called, set when symbols are due next, and note which symbols a provider excludes.
--
-- KEYS  due, exclusions, recorded, clocks, then ledgers and breakers.
-- ARGV  now (ms, '' for the clock of Redis), the name of this report ('' if it has none; a named report
--       counts once), and JSON {policy, exclusions_kept, excluded_ms, due_ahead_ms, reports_ms,
--       results: [...], due: [ms, symbol, ...], excluded: [...], ahead: [name, ms, ...]}.
-- Reply JSON [{result, before, after, reason, generation}]; result is a place in results.

-- include: values.lua
-- include: breaker_rules.lua
-- include: ledger.lua
-- include: budget_windows.lua

local now, name, report = time_now(ARGV[1]), ARGV[2], cjson.decode(ARGV[3])
local ledgers, breakers, transitions = {}, {}, {}
for place = 1, 3 do
  drop_other_type(KEYS[place], 'zset')
end

local function settle(result, ledger)
  if ledger.damaged then return end -- attempts_take repairs it
  ledger_settle(ledger, result.limits, result.use, result.end_ms, result.granted, result.used, result.unsent)
  if result.hold_ms then
    ledger_hold(ledger, now + result.hold_ms)
  end
end

local function note(result, breaker)
  if result.effect == 'success' then
    breaker_set(breaker, 'success_at', math.max(now, breaker.success_at or 0))
  end
  if result.error then
    breaker_set(breaker, 'error', cjson.encode({ now, result.error[1], result.error[2] }))
  end
end

if name ~= '' then
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', whole(now - report.reports_ms))
  if redis.call('ZADD', KEYS[3], 'NX', whole(now), name) == 0 then
    return '[]'
  end
end

for place, result in ipairs(report.results) do
  local ledger = ledgers[result.ledger] or ledger_read(KEYS[result.ledger], now)
  local breaker = breakers[result.breaker] or breaker_read(KEYS[result.breaker])
  ledgers[result.ledger], breakers[result.breaker] = ledger, breaker
  if ledger.changed and not ledger.damaged then ledger_rewrite(ledger) end
  settle(result, ledger)
  local change = breaker_record(breaker, result, now, report.policy)
  if change then
    change.result = place
    table.insert(transitions, change)
  end
  note(result, breaker)
end

-- A due time is only moved later: a late report must not make a symbol due that another report has priced.
for place = 1, #report.due, 2 do
  report.due[place] = whole(math.min(report.due[place], now + report.due_ahead_ms))
end
in_parts(report.due, 1000, function(...) redis.call('ZADD', KEYS[1], 'GT', ...) end)
for _, excluded in ipairs(report.excluded) do
  redis.call('ZADD', KEYS[2], whole(now + report.excluded_ms), excluded)
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', whole(now))
redis.call('ZREMRANGEBYSCORE', KEYS[2], '(' .. whole(now + report.excluded_ms), '+inf')
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - report.exclusions_kept)
-- Sources whose times are ahead of our clock, beside the workers whose clocks are wrong.
drop_other_type(KEYS[4], 'hash')
for place = 1, #report.ahead, 2 do
  local source, ahead_ms = report.ahead[place], report.ahead[place + 1]
  if ahead_ms > 0 then
    redis.call('HSET', KEYS[4], source, whole(ahead_ms) .. ' ' .. whole(now))
  else
    redis.call('HDEL', KEYS[4], source)
  end
end
if #transitions == 0 then
  return '[]'
end
return cjson.encode(transitions)
