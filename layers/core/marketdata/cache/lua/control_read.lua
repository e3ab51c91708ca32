-- What is the state of breakers and ledgers? This script changes nothing.
--
-- KEYS  last slot, clocks of workers, then ledgers and breakers.
-- ARGV  now (ms, '' for the clock of Redis), and JSON {policy, grid_ms, clocks_ms, ledgers: [{place,
--       limits}], breakers: [place]}. A place is one in KEYS. With grid_ms the state is that at the last
--       multiple of grid_ms, so that the answer does not change with every millisecond.
-- Reply JSON {now, slot, clocks: [[worker, offset]], ledgers: [{hold, at, limits: [{used, reset}]}],
--       breakers: [...]}.

-- include: values.lua
-- include: breaker_rules.lua
-- include: ledger.lua
-- include: budget_windows.lua

local now, asked = time_now(ARGV[1]), cjson.decode(ARGV[2])
local at_ms = asked.grid_ms and now - now % asked.grid_ms or now

local function ledger_state(key, limits)
  local ledger = ledger_read(key, at_ms)
  local state = { hold = ledger.hold, limits = {} }
  local _, at = ledger_room(ledger, limits, 'active', 1, 1)
  state.at = at
  for place, limit in ipairs(limits) do
    local first
    for _, entry in pairs(ledger.counts[limit[2]] or {}) do
      local leaves = leaves_at(limit[2], entry.bucket)
      first = first and math.min(first, leaves) or leaves
    end
    state.limits[place] = { used = ledger_used(ledger, limit[2]), reset = first }
  end
  return state
end

local function breaker_state(key)
  local breaker = breaker_read(key)
  local state = {
    state = breaker.state, since = breaker.since, reason = breaker.reason,
    generation = breaker.generation, success_at = breaker.success_at,
    error = breaker.error and #breaker.error <= 2000 and breaker.error or nil,
  }
  if breaker.state ~= 'closed' then
    state.probe_due = breaker_probe_due(breaker, at_ms, asked.policy)
    state.probing = breaker.state == 'half_open' and state.probe_due > at_ms
  end
  return state
end

-- The clocks that were wrong in the last minute.
local function wrong_clocks()
  local flat, clocks = fields_of(KEYS[2]) or {}, {}
  for place = 1, #flat, 2 do
    local offset, seen = string.match(flat[place + 1], '^(%-?%d+) (%d+)$')
    offset, seen = finite(offset or ''), finite(seen or '')
    if offset and math.abs(now - seen) <= asked.clocks_ms then
      table.insert(clocks, { string.sub(flat[place], 1, 100), offset })
    end
  end
  return clocks
end

local slot = redis.call('TYPE', KEYS[1]).ok == 'string' and redis.call('GETRANGE', KEYS[1], 0, 63) or ''
local state = { now = now, slot = finite(slot), clocks = wrong_clocks(), ledgers = {}, breakers = {} }
for place, ledger in ipairs(asked.ledgers) do
  state.ledgers[place] = ledger_state(KEYS[ledger.place], ledger.limits)
end
for place, key in ipairs(asked.breakers) do
  state.breakers[place] = breaker_state(KEYS[key])
end
return cjson.encode(state)
