-- One breaker: closed, open or half_open. breaker.py describes these states.
--
-- A hash with the fields state, since, reason and generation; probe and probe_until while a probe is in
-- flight; 's:<second>' and 'f:<second>', the successes and failures of a closed breaker; stale, the number of
-- stale answers in a row; success_at and error, the last success and the last error, which decide nothing. A missing or unreadable breaker counts
-- as closed.

local LONGEST_TEXT = 2000
local TEXTS = { state = true, reason = true, probe = true, error = true }
local NUMBERS = { since = true, generation = true, probe_until = true, success_at = true, stale = true }
local STATES = { closed = true, open = true, half_open = true }

-- One field of a breaker. Return false if it cannot be read.
local function breaker_field(breaker, field, text)
  if #field > 32 or #text > LONGEST_TEXT then return false end
  local kind, second = string.match(field, '^([sf]):(%d+)$')
  if kind then
    local results = finite(text)
    breaker.counts[field] = { kind = kind, second = tonumber(second), results = results or 0 }
    return results ~= nil
  end
  if TEXTS[field] then breaker[field] = text end
  if NUMBERS[field] then breaker[field] = finite(text) end
  return breaker[field] ~= nil and (field ~= 'state' or STATES[text] ~= nil)
end

-- Return a breaker as {key, counts, readable, damaged, and the fields}. `damaged` are the fields that cannot
-- be read. `readable` is false if the key holds another type than a hash.
local function breaker_read(key)
  local breaker = { key = key, counts = {}, readable = true, damaged = {} }
  local flat = fields_of(key)
  if not flat then
    breaker.readable, flat = false, {}
  end
  for i = 1, #flat, 2 do
    if not breaker_field(breaker, flat[i], flat[i + 1]) then table.insert(breaker.damaged, flat[i]) end
  end
  breaker.state = STATES[breaker.state] and breaker.state or 'closed'
  breaker.generation = breaker.generation or 0
  return breaker
end

-- Remove fields that cannot be read. Return whether there were any.
local function breaker_repair(breaker)
  if not breaker.readable then
    redis.call('DEL', breaker.key)
    breaker.readable = true
    return true
  end
  in_parts(breaker.damaged, 500, function(...) redis.call('HDEL', breaker.key, ...) end)
  return #breaker.damaged > 0
end

local function breaker_set(breaker, name, value)
  if not breaker.readable then breaker_repair(breaker) end
  breaker[name] = value
  redis.call('HSET', breaker.key, name, type(value) == 'number' and whole(value) or value)
end

local function breaker_end_probe(breaker)
  breaker.probe, breaker.probe_until = nil, nil
  redis.call('HDEL', breaker.key, 'probe', 'probe_until')
end

local function breaker_clear_stale(breaker)
  breaker.stale = nil
  redis.call('HDEL', breaker.key, 'stale')
end

local function breaker_forget(breaker, fields)
  for _, field in ipairs(fields) do
    breaker.counts[field] = nil
  end
  in_parts(fields, 500, function(...) redis.call('HDEL', breaker.key, ...) end)
end

-- Change state. Every change begins a new generation with counts of zero.
local function breaker_turn(breaker, state, reason, now)
  local change = { before = breaker.state, after = state, generation = breaker.generation + 1 }
  change.reason = reason
  local counted = {}
  for field in pairs(breaker.counts) do
    table.insert(counted, field)
  end
  breaker_set(breaker, 'state', state)
  breaker_set(breaker, 'since', now)
  breaker_set(breaker, 'reason', reason or state == 'half_open' and breaker.reason or '')
  breaker_set(breaker, 'generation', change.generation)
  breaker_forget(breaker, counted)
  breaker_end_probe(breaker)
  breaker_clear_stale(breaker)
  return change
end

-- When the next probe may be given, for a breaker that is not closed.
local function breaker_probe_due(breaker, now, policy)
  local due, longest
  if breaker.state == 'open' then
    due, longest = (breaker.since or 0) + policy.open_ms, policy.open_ms
  else
    due = breaker.probe and breaker.probe_until or now
    longest = policy.probe_lease_ms
  end
  -- A time that is further ahead was written before the clock of Redis went back.
  return due > now + longest + JUMP_MS and now or due
end

-- Return 'pass' or 'probe'; else nil, the reason, and when a probe may be given.
local function breaker_permit(breaker, now, policy)
  if breaker.state == 'closed' then
    return 'pass'
  end
  local due = breaker_probe_due(breaker, now, policy)
  if due <= now then
    return 'probe'
  end
  return nil, breaker.state == 'open' and 'breaker_open' or 'probing', due
end

local function breaker_begin_probe(breaker, now, policy, token)
  if breaker.state == 'open' then
    breaker_turn(breaker, 'half_open', nil, now)
  end
  breaker_set(breaker, 'probe', token)
  breaker_set(breaker, 'probe_until', now + policy.probe_lease_ms)
end

-- Count a result of a closed breaker `times` times. Return the successes and failures of the window.
local function breaker_count(breaker, kind, times, now, policy)
  local this = math.floor(now / 1000)
  local field = kind .. ':' .. whole(this)
  local entry = breaker.counts[field] or { kind = kind, second = this, results = 0 }
  breaker.counts[field] = entry
  entry.results = entry.results + times
  breaker_set(breaker, field, entry.results)
  local seconds, old, sums = policy.window_ms / 1000, {}, { s = 0, f = 0 }
  for name, counted in pairs(breaker.counts) do
    if math.abs(this - counted.second) >= seconds then
      table.insert(old, name)
    else
      sums[counted.kind] = sums[counted.kind] + counted.results
    end
  end
  breaker_forget(breaker, old)
  return sums.s, sums.f
end

-- Count one more stale answer in a row. Return how many failures this answer counts as.
local function breaker_stale(breaker, policy)
  local in_a_row = (breaker.stale or 0) + 1
  breaker_set(breaker, 'stale', in_a_row)
  if in_a_row < policy.stale_answers then
    return 0
  end
  return in_a_row == policy.stale_answers and in_a_row or 1
end

local function breaker_record_closed(breaker, result, now, policy)
  if result.effect == 'trip' then
    return breaker_turn(breaker, 'open', result.reason or 'tripped', now)
  end
  if result.effect == 'success' then
    if breaker.stale and not result.unjudged then
      breaker_clear_stale(breaker)
    end
    breaker_count(breaker, 's', 1, now, policy)
    return nil
  end
  local times = result.effect == 'stale' and breaker_stale(breaker, policy) or 1
  if times == 0 then
    return nil
  end
  local successes, failures = breaker_count(breaker, 'f', times, now, policy)
  if failures >= policy.failures and failures >= successes then
    return breaker_turn(breaker, 'open', result.reason or 'failures', now)
  end
end

-- Record a result in the breaker. Return the change of state, or nil if the state stays.
local function breaker_record(breaker, result, now, policy)
  if result.generation ~= breaker.generation then
    return nil -- the result is of an earlier state
  end
  if breaker.state == 'closed' then
    return result.effect ~= 'neutral' and breaker_record_closed(breaker, result, now, policy) or nil
  end
  if breaker.state == 'open' or not breaker.probe or result.probe ~= breaker.probe then
    return nil -- only the probe in flight decides
  end
  if result.effect == 'neutral' then
    breaker_end_probe(breaker)
    return nil
  end
  if result.effect == 'success' then
    return breaker_turn(breaker, 'closed', nil, now)
  end
  local reason = result.reason or (result.effect == 'trip' and 'tripped' or 'probe_failed')
  return breaker_turn(breaker, 'open', reason, now)
end
