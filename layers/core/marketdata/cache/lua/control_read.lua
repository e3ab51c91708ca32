-- How do breakers and ledgers stand? Changes nothing.
-- KEYS: last slot, then ledgers and breakers. ARGV: now (ms) and JSON
-- {policy, ledgers: [{place, limits}], breakers: [place]}; a place is one in KEYS.
-- Answers JSON {slot, ledgers: [{hold, at, limits: [{used, reset}]}], breakers: [...]}.

-- include: numbers.lua
-- include: breaker_rules.lua
-- include: budget_windows.lua

local now, asked = tonumber(ARGV[1]), cjson.decode(ARGV[2])

local function ledger_told(key, limits)
  local ledger = ledger_read(key, now)
  local told = { hold = ledger.hold, limits = {} }
  local _, at = ledger_room(ledger, limits, 'active', 1, 1)
  told.at = at
  for place, limit in ipairs(limits) do
    local first
    for _, entry in pairs(ledger.counts[limit[2]] or {}) do
      local leaves = leaves_at(limit[2], entry.bucket)
      first = first and math.min(first, leaves) or leaves
    end
    told.limits[place] = { used = ledger_used(ledger, limit[2]), reset = first }
  end
  return told
end

local function breaker_told(key)
  local breaker = breaker_read(key)
  local told = {
    state = breaker.state, since = breaker.since, reason = breaker.reason,
    generation = breaker.generation, success_at = breaker.success_at, error = breaker.error,
  }
  if breaker.state ~= 'closed' then
    told.probe_due = breaker_probe_due(breaker, now, asked.policy)
    told.probing = breaker.state == 'half_open' and told.probe_due > now
  end
  return told
end

local told = { slot = finite(redis.call('GET', KEYS[1]) or ''), ledgers = {}, breakers = {} }
for place, ledger in ipairs(asked.ledgers) do
  told.ledgers[place] = ledger_told(KEYS[ledger.place], ledger.limits)
end
for place, key in ipairs(asked.breakers) do
  told.breakers[place] = breaker_told(KEYS[key])
end
return cjson.encode(told)
