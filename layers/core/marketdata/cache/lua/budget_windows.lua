-- The ledger of one provider: how many calls are reserved or made, per rolling window.
--
-- A hash. Field '<window ms>:<bucket>:<kind>' counts calls of routine uses ('r'), for first prices
-- ('n'), those of symbols that no list knows ('u', in short windows only), or of other uses ('o').
-- A reserved call may happen at any time until its reservation's end, so it counts in the bucket
-- of that end, and until the whole bucket is older than the window: never too few are counted.
-- Field 'pace:<window ms>' is when the next routine call is due by even pacing. Field 'hold' is
-- when the provider may be called again at all. Names carry the window's length, not a place in
-- the settings, so that a change of limits loses nothing. 'born' is when the ledger was begun and
-- 'turns' how often it has granted since; by these two a worker recognises a ledger. 'seen' is when
-- it last granted: if that is in the future, the clock of Redis went back.

local BUCKETS = 120         -- per window: it is rounded up by less than a hundredth
local SKEW_MS = 2000        -- a reservation's end may be wrong by this much
local MINUTE_MS, DAY_MS = 60000, 86400000
local PACE_SLACK_MS = 5000  -- one tick: rounding to ticks must not slow the average pace
local LATEST_MS = 70 * DAY_MS -- a time further ahead than this is damaged

local ROUTINE = { active = true, watched = true }
local KINDS = { active = 'r', watched = 'r', new = 'n', unlisted = 'n' }
local LEAVES_HALF = { watched = true, new = true, unlisted = true }

local function width_of(window)
  return math.ceil(window / BUCKETS)
end

local function bucket_of(window, end_ms)
  -- Shorter windows would be lost in the allowance; their calls are sent at once, from one clock.
  local skew = window >= MINUTE_MS and SKEW_MS or 0
  return math.floor((end_ms + skew) / width_of(window))
end

local function leaves_at(window, bucket)
  return (bucket + 1) * width_of(window) + window
end

-- What routine uses may have of a long window: nine tenths, but at least one call.
local function routine_share(calls)
  return math.max(1, math.floor(calls * 0.9))
end

-- What first prices may have of a long window: half of the reserve, since clients decide how many
-- there are; the other half is for probes and lists. At least one call.
local function new_share(calls)
  return math.max(1, math.floor((calls - routine_share(calls)) / 2))
end

-- What first prices of symbols that no list knows may have of a short window: a tenth of the half that
-- clients' symbols may have, so that those who ask for junk hold up nobody. At least one call.
local function unlisted_share(calls)
  return math.max(1, math.floor(calls / 20))
end

local function kind_of(window, use)
  return use == 'unlisted' and window < DAY_MS and 'u' or KINDS[use] or 'o'
end

local TIMES = { hold = true, seen = true, born = true }

-- One field of a ledger. Return false if it cannot be read.
local function ledger_field(ledger, field, text)
  local value = #text <= 32 and finite(text) or nil
  local window, bucket, kind = string.match(field, '^(%d+):(%d+):([rnuo])$')
  local paced = string.match(field, '^pace:(%d+)$')
  local is_time = paced or TIMES[field]
  if not value or value < 0 or is_time and value > ledger.now + LATEST_MS then return false end
  if window then
    window, bucket = tonumber(window), tonumber(bucket)
    if window < 1000 or window > LATEST_MS then return false end
    ledger.counts[window] = ledger.counts[window] or {}
    ledger.counts[window][field] = { bucket = bucket, kind = kind, calls = value }
  elseif paced then
    ledger.pace[tonumber(paced)] = value
  elseif is_time or field == 'turns' then
    ledger[field] = value
  end
  return true
end

-- Move all times of a ledger by as much as the clock of Redis was moved.
local function ledger_shift(ledger, by)
  for window, entries in pairs(ledger.counts) do
    local moved = {}
    for _, entry in pairs(entries) do
      local bucket = math.max(0, math.ceil(entry.bucket + by / width_of(window)))
      local field = whole(window) .. ':' .. whole(bucket) .. ':' .. entry.kind
      local calls = entry.calls + (moved[field] and moved[field].calls or 0)
      moved[field] = { bucket = bucket, kind = entry.kind, calls = calls }
    end
    ledger.counts[window] = moved
  end
  for window, due in pairs(ledger.pace) do
    ledger.pace[window] = math.max(0, due + by)
  end
  ledger.hold = math.max(0, ledger.hold + by)
  ledger.seen = ledger.now
  ledger.changed = true
end

-- By how much the clock of Redis was moved since the ledger granted last. `expected` is the time that
-- a worker expects by its own steady clock, `wall` the time of its wall clock, nil if not known: without
-- them a step forwards looks like a pause. A worker that was started after the step knows it only by its
-- wall clock. If that clock is wrong, calls of long ago count once more, and never fewer. Other workers
-- of the same step find that it was dealt with.
local function clock_step(ledger, expected, wall)
  local seen = ledger.seen
  if not seen then return 0 end
  if seen > ledger.now + JUMP_MS then return ledger.now - math.max(seen, expected or seen) end
  local step = 0
  for _, time in pairs({ expected, wall }) do
    if ledger.now > time + JUMP_MS and seen <= time + JUMP_MS then
      step = math.max(step, ledger.now - time)
    end
  end
  return step
end

-- ledger = {key, now, counts = {[window] = {[field] = {bucket, kind, calls}}}, pace, hold, born, turns,
-- seen, old, damaged, changed}. A damaged ledger grants nothing until `ledger_repair`. `old` are the
-- fields of calls that have left their windows; `changed` says that Redis holds other fields.
local function ledger_read(key, now, expected, wall)
  local ledger = { key = key, now = now, counts = {}, pace = {}, hold = 0, turns = 0, old = {} }
  local flat = fields_of(key)
  ledger.damaged = flat == nil
  for i = 1, #(flat or {}), 2 do
    if not ledger_field(ledger, flat[i], flat[i + 1]) then ledger.damaged = true end
  end
  local step = clock_step(ledger, expected, wall)
  if step ~= 0 then ledger_shift(ledger, step) end
  for window, entries in pairs(ledger.counts) do
    local latest = now + window + LATEST_MS
    for field, entry in pairs(entries) do
      local leaves = leaves_at(window, entry.bucket)
      if leaves <= now or leaves > latest then
        entries[field] = nil
        table.insert(ledger.old, field)
        ledger.damaged = ledger.damaged or leaves > latest
      end
    end
  end
  return ledger
end

-- Write all fields of a ledger anew.
local function ledger_rewrite(ledger)
  local flat = {}
  local function add(field, value)
    table.insert(flat, field)
    table.insert(flat, value)
  end
  for _, entries in pairs(ledger.counts) do
    for field, entry in pairs(entries) do add(field, whole(entry.calls)) end
  end
  for window, due in pairs(ledger.pace) do add('pace:' .. whole(window), string.format('%.3f', due)) end
  for _, field in ipairs({ 'hold', 'born', 'turns', 'seen' }) do
    if ledger[field] then add(field, whole(ledger[field])) end
  end
  redis.call('DEL', ledger.key)
  in_parts(flat, 1000, function(...) redis.call('HSET', ledger.key, ...) end)
  ledger.changed = false
end

-- Begin a damaged ledger anew with its readable fields. It grants nothing for its longest short window,
-- because lost calls may still count there; workers with more calls in their copies add them.
local function ledger_repair(ledger, limits)
  local longest = 0
  for _, limit in ipairs(limits) do
    if limit[2] < DAY_MS then longest = math.max(longest, limit[2]) end
  end
  longest = longest > 0 and longest or MINUTE_MS
  ledger.hold = math.max(ledger.hold, ledger.now + longest)
  ledger.born, ledger.damaged = nil, false
  ledger_rewrite(ledger)
end

-- Remove fields that no longer count.
local function ledger_prune(ledger)
  if ledger.changed then
    ledger_rewrite(ledger)
  else
    in_parts(ledger.old, 500, function(...) redis.call('HDEL', ledger.key, ...) end)
  end
end

-- How many calls of a window are counted; of one kind only, if given.
local function ledger_used(ledger, window, kind)
  local used = 0
  for _, entry in pairs(ledger.counts[window] or {}) do
    if not kind or entry.kind == kind then
      used = used + entry.calls
    end
  end
  return used
end

-- When at most `most` counted calls are left in a window; nil if that cannot be waited for.
local function ledger_down_to(ledger, window, kind, most)
  if most < 0 then
    return nil
  end
  local entries, used = {}, ledger_used(ledger, window, kind)
  for _, entry in pairs(ledger.counts[window] or {}) do
    if not kind or entry.kind == kind then
      table.insert(entries, entry)
    end
  end
  table.sort(entries, function(a, b) return a.bucket < b.bucket end)
  local at = ledger.now
  for _, entry in ipairs(entries) do
    if used <= most then
      break
    end
    used, at = used - entry.calls, leaves_at(window, entry.bucket)
  end
  return at
end

-- The limits of a use in one window: {{most calls, of which kind (nil: all)}}.
local function caps_of(calls, window, use)
  if window < DAY_MS then
    local most = LEAVES_HALF[use] and calls - math.floor(calls / 2) or calls
    if use ~= 'unlisted' then return { { most } } end
    -- As much as they may have themselves is left to the others.
    local share = unlisted_share(calls)
    return { { math.max(1, most - share) }, { share, 'u' } }
  end
  if ROUTINE[use] then
    return { { calls }, { routine_share(calls), 'r' } }
  elseif KINDS[use] == 'n' then
    return { { calls }, { new_share(calls), 'n' } }
  end
  return { { calls } }
end

-- How many routine calls even pacing allows now, and when it allows `least` (nil: never at once).
local function paced(ledger, calls, window, least)
  local interval = window / routine_share(calls)
  local due = math.max(ledger.pace[window] or 0, ledger.now - PACE_SLACK_MS)
  local room = math.max(0, math.ceil((ledger.now + PACE_SLACK_MS - due) / interval))
  if (least - 1) * interval >= 2 * PACE_SLACK_MS then
    return room, nil
  end
  return room, math.floor(due + (least - 1) * interval - PACE_SLACK_MS) + 1
end

-- How many calls fit all windows now, at most `wanted`; when `least` fit, nil if unknown; and why they
-- do not fit now: 'held', 'paced' (the window has room, but even pacing has not) or 'budget_exhausted'.
local function ledger_room(ledger, limits, use, least, wanted)
  if ledger.damaged then
    return 0, nil
  end
  local room, at, is_paced = wanted, math.max(ledger.now, ledger.hold), true
  local function also(allowed, allowed_at)
    room = math.min(room, allowed)
    if allowed < least then
      at = at and allowed_at and math.max(at, allowed_at)
    end
  end
  for _, limit in ipairs(limits) do
    local calls, window = limit[1], limit[2]
    for _, cap in ipairs(caps_of(calls, window, use)) do
      local left = cap[1] - ledger_used(ledger, window, cap[2])
      is_paced = is_paced and left >= least
      also(left, ledger_down_to(ledger, window, cap[2], cap[1] - least))
    end
    if window >= DAY_MS and ROUTINE[use] then
      also(paced(ledger, calls, window, least))
    end
  end
  if ledger.hold > ledger.now then
    return 0, at, 'held'
  end
  if room < least then
    return 0, at, is_paced and 'paced' or 'budget_exhausted'
  end
  return room, at
end

local function ledger_add(ledger, window, end_ms, use, calls)
  local bucket, kind = bucket_of(window, end_ms), kind_of(window, use)
  local field = whole(window) .. ':' .. whole(bucket) .. ':' .. kind
  ledger.counts[window] = ledger.counts[window] or {}
  local counts = ledger.counts[window]
  local had = counts[field] and counts[field].calls or 0
  local has = math.max(0, had + calls)
  if has > 0 then
    counts[field] = { bucket = bucket, kind = kind, calls = has }
    redis.call('HSET', ledger.key, field, whole(has))
  else
    counts[field] = nil
    redis.call('HDEL', ledger.key, field)
  end
  return has - had
end

local function ledger_pace(ledger, limit, calls)
  local window = limit[2]
  local due = math.max(ledger.pace[window] or 0, calls > 0 and ledger.now - PACE_SLACK_MS or 0)
  due = math.max(0, due + calls * window / routine_share(limit[1]))
  ledger.pace[window] = due
  redis.call('HSET', ledger.key, 'pace:' .. whole(window), string.format('%.3f', due))
end

-- Count calls that end by `end_ms`.
local function ledger_count(ledger, limits, use, end_ms, calls)
  for _, limit in ipairs(limits) do
    ledger_add(ledger, limit[2], end_ms, use, calls)
    if limit[2] >= DAY_MS and ROUTINE[use] then
      ledger_pace(ledger, limit, calls)
    end
  end
end

-- Of the reserved calls, `used` were made, before now; the others are given back. What was made
-- counts from now on, no longer from the latest moment at which it could have been made. Calls that
-- did not reach the provider (`unsent`, a part of `used`) count, but do not delay the next call.
local function ledger_settle(ledger, limits, use, end_ms, reserved, used, unsent)
  for _, limit in ipairs(limits) do
    local window = limit[2]
    if leaves_at(window, bucket_of(window, end_ms)) > ledger.now then
      local found = -ledger_add(ledger, window, end_ms, use, -reserved)
      local made = math.min(used, found)
      if made > 0 then
        ledger_add(ledger, window, math.min(end_ms, ledger.now), use, made)
      end
      local free = found - math.max(0, made - unsent)
      if window >= DAY_MS and ROUTINE[use] and free > 0 then
        ledger_pace(ledger, limit, -free)
      end
    end
  end
end

-- Note that the ledger has granted.
local function ledger_turn(ledger)
  ledger.born, ledger.turns, ledger.seen = ledger.born or ledger.now, ledger.turns + 1, ledger.now
  redis.call('HSET', ledger.key, 'born', whole(ledger.born), 'turns', whole(ledger.turns),
    'seen', whole(ledger.seen))
end

-- Whether this is not, or no longer wholly, the ledger that somebody has seen.
local function ledger_lost(ledger, born, turns)
  return not ledger.damaged and (ledger.born ~= born or ledger.turns < turns)
end

local function ledger_hold(ledger, until_ms)
  if until_ms > ledger.hold then
    ledger.hold = until_ms
    redis.call('HSET', ledger.key, 'hold', whole(until_ms))
  end
end
