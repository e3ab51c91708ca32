-- May these calls be made? For each request a breaker permit and reserved calls, or neither.
--
-- KEYS  ledgers and breakers.
-- ARGV  now (ms, '' for the clock of Redis), a token that no other call uses, and JSON {policy,
--       requests: [{breaker, ledger, limits, calls, least, extra, use, run_ms, ask, job, size}],
--       ledgers: [{place, limits, born, turns, expected, wall}], room}. breaker, ledger and place are
--       places in KEYS. The calls happen within run_ms. born and turns are what the caller has seen of a
--       ledger. expected is the time that the caller expects by its steady clock, wall is the time of its
--       wall clock. `room`, if given, is the sum of the sizes of all jobs that are granted calls. A job that is
--       larger than the rest of `room` is granted nothing, and nothing is counted for it; a smaller job after
--       it may be granted calls. After all requests have been answered, up to `extra` more calls are granted
--       to each request that was granted any, as far as the budget has room.
-- Reply JSON {now, grants: [{calls, generation, probe, end_ms, use, reason, at}], repaired: [key]} and the
--       fields and values of each ledger. If a ledger has lost what the caller has seen, nothing is
--       decided, and the reply is JSON {lost, repaired}.

-- include: values.lua
-- include: breaker_rules.lua
-- include: ledger.lua
-- include: budget_windows.lua

local now, token, asked = time_now(ARGV[1]), ARGV[2], cjson.decode(ARGV[3])
local ledgers, breakers, grants, repaired = {}, {}, {}, {}

local function decide(request, ledger, breaker, probe_token)
  local denied = { calls = 0, generation = breaker.generation, use = request.use, end_ms = now }
  local permit = 'pass'
  if request.ask then
    permit, denied.reason, denied.at = breaker_permit(breaker, now, asked.policy)
  end
  if not permit then return denied end
  local use, wanted = request.use, request.calls
  if permit == 'probe' then
    use, wanted = 'probe', request.least
  end
  local calls, at, reason = ledger_room(ledger, request.limits, use, request.least, wanted)
  if calls == 0 then
    denied.reason, denied.at = reason, at
    return denied
  end
  local end_ms = now + request.run_ms
  ledger_count(ledger, request.limits, use, end_ms, calls)
  ledger_turn(ledger)
  if permit == 'probe' then
    breaker_begin_probe(breaker, now, asked.policy, probe_token)
  end
  local probe = permit == 'probe' and probe_token or nil
  return { calls = calls, generation = breaker.generation, use = use, probe = probe, end_ms = end_ms }
end

for _, seen in ipairs(asked.ledgers) do
  local ledger = ledger_read(KEYS[seen.place], now, seen.expected, seen.wall)
  if ledger.damaged then
    ledger_repair(ledger, seen.limits)
    table.insert(repaired, ledger.key)
  end
  if seen.born and ledger_lost(ledger, seen.born, seen.turns) then
    return { cjson.encode({ lost = true, repaired = repaired }) }
  end
  ledgers[seen.place] = ledger
end
for _, ledger in pairs(ledgers) do
  ledger_prune(ledger)
end
local left, has_place = asked.room or math.huge, {}
for place, request in ipairs(asked.requests) do
  local ledger = ledgers[request.ledger]
  local breaker = breakers[request.breaker]
  if not breaker then
    breaker = breaker_read(KEYS[request.breaker])
    if breaker_repair(breaker) then table.insert(repaired, breaker.key) end
    breakers[request.breaker] = breaker
  end
  if request.size > left and not has_place[request.job] then
    grants[place] = {
      calls = 0, generation = breaker.generation, use = request.use, end_ms = now, reason = 'no_room',
    }
  else
    grants[place] = decide(request, ledger, breaker, token .. ':' .. place)
    if grants[place].calls > 0 and not has_place[request.job] then
      has_place[request.job], left = true, left - request.size
    end
  end
end
for place, request in ipairs(asked.requests) do
  local grant, extra = grants[place], request.extra or 0
  if grant.calls > 0 and extra > 0 then
    local ledger = ledgers[request.ledger]
    local room = ledger_room(ledger, request.limits, grant.use, 1, extra)
    if room > 0 then
      ledger_count(ledger, request.limits, grant.use, grant.end_ms, room)
      grant.calls = grant.calls + room
    end
  end
end
local answer = { cjson.encode({ now = now, grants = grants, repaired = repaired }) }
for _, seen in ipairs(asked.ledgers) do
  table.insert(answer, fields_of(KEYS[seen.place]) or {})
end
return answer
