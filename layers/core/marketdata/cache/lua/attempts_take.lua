-- May these calls be made? For each want a breaker permit and reserved calls, or neither.
-- KEYS: ledgers and breakers. ARGV: now (ms), a token that no other call uses, and JSON
-- {policy, wants: [{breaker, ledger, limits, calls, least, extra, use, until_ms, ask, job, size}],
-- ledgers: [{place, born, turns}], room}; breaker, ledger and place are places in KEYS, born and turns what
-- the caller has seen of a ledger. A job whose size is more than what is left of `room`, if there is
-- one, is granted nothing, and nothing is counted for it; smaller ones after it may be. Up to `extra`
-- more calls are granted after all wants have got theirs, as far as the budget has room. Answers nil,
-- and decides nothing, if a ledger has lost some of that; else JSON
-- [{calls, generation, probe, use, reason, at}] and the fields and values of each ledger.

-- include: numbers.lua
-- include: breaker_rules.lua
-- include: budget_windows.lua

local now, token, asked = tonumber(ARGV[1]), ARGV[2], cjson.decode(ARGV[3])
local ledgers, breakers, grants = {}, {}, {}

local function decide(want, ledger, breaker, probe_token)
  local generation = breaker.generation
  local leave, reason, at = 'pass', nil, nil
  if want.ask then
    leave, reason, at = breaker_permit(breaker, now, asked.policy)
  end
  if not leave then
    return { calls = 0, generation = generation, use = want.use, reason = reason, at = at }
  end
  local probing = leave == 'probe'
  local use, calls = want.use, want.calls
  if probing then
    use, calls = 'probe', want.least
  end
  local room, room_at = ledger_room(ledger, want.limits, use, want.least, calls)
  if room == 0 then
    reason = ledger.hold > now and 'held' or 'budget_exhausted'
    return { calls = 0, generation = generation, use = want.use, reason = reason, at = room_at }
  end
  ledger_count(ledger, want.limits, use, want.until_ms, room)
  ledger_turn(ledger)
  if probing then
    breaker_begin_probe(breaker, now, asked.policy, probe_token)
  end
  return {
    calls = room, generation = breaker.generation, use = use, probe = probing and probe_token or nil,
  }
end

for _, seen in ipairs(asked.ledgers) do
  local ledger = ledger_read(KEYS[seen.place], now)
  if seen.born and ledger_lost(ledger, seen.born, seen.turns) then
    return false
  end
  ledgers[seen.place] = ledger
end
for _, seen in ipairs(asked.ledgers) do
  ledger_prune(ledgers[seen.place])
end
local left, has_place = asked.room or math.huge, {}
for place, want in ipairs(asked.wants) do
  local ledger = ledgers[want.ledger]
  local breaker = breakers[want.breaker] or breaker_read(KEYS[want.breaker])
  breakers[want.breaker] = breaker
  if want.size > left and not has_place[want.job] then
    local generation = breaker.generation
    grants[place] = { calls = 0, generation = generation, use = want.use, reason = 'no_room' }
  else
    grants[place] = decide(want, ledger, breaker, token .. ':' .. place)
    if grants[place].calls > 0 and not has_place[want.job] then
      has_place[want.job], left = true, left - want.size
    end
  end
end
for place, want in ipairs(asked.wants) do
  local grant, extra = grants[place], want.extra or 0
  if grant.calls > 0 and extra > 0 then
    local room = ledger_room(ledgers[want.ledger], want.limits, grant.use, 1, extra)
    if room > 0 then
      ledger_count(ledgers[want.ledger], want.limits, grant.use, want.until_ms, room)
      grant.calls = grant.calls + room
    end
  end
end
local answer = { cjson.encode(grants) }
for _, seen in ipairs(asked.ledgers) do
  table.insert(answer, fields_of(KEYS[seen.place]) or {})
end
return answer
