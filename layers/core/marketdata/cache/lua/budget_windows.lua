-- How many calls the limits of a provider allow now for a use, and when they allow more. Scripts include
-- ledger.lua before this file.

local SKEW_MS = 2000        -- a reservation's end may be wrong by this much
local PACE_SLACK_MS = 5000  -- one tick: rounding to ticks must not slow the average pace

local ROUTINE = { active = true, watched = true }
local KINDS = { active = 'r', watched = 'r', new = 'n', unlisted = 'n' }
-- Uses that may have only half of the calls of a short window. Clients decide how many such calls are due.
local HALF_ONLY = { watched = true, new = true, unlisted = true }

local function bucket_of(window, end_ms)
  -- Shorter windows have no allowance, because it would be a large part of them. Their calls are sent at once,
  -- by one clock.
  local skew = window >= MINUTE_MS and SKEW_MS or 0
  return math.floor((end_ms + skew) / width_of(window))
end

-- How many calls of a long window routine uses may have: nine tenths, but at least one call.
local function routine_share(calls)
  return math.max(1, math.floor(calls * 0.9))
end

-- How many calls of a long window first prices may have: half of the reserve, but at least one call.
-- Clients decide how many first prices there are, so the other half is kept for probes and lists.
local function new_share(calls)
  return math.max(1, math.floor((calls - routine_share(calls)) / 2))
end

-- How many calls of a short window first prices of symbols that no list knows may have: a tenth of the half
-- that clients' symbols may have, but at least one call. So symbols that do not exist delay no other symbol.
local function unlisted_share(calls)
  return math.max(1, math.floor(calls / 20))
end

local function kind_of(window, use)
  return use == 'unlisted' and window < DAY_MS and 'u' or KINDS[use] or 'o'
end

-- How many calls are counted in a window; if a kind is given, only calls of that kind.
local function ledger_used(ledger, window, kind)
  local used = 0
  for _, entry in pairs(ledger.counts[window] or {}) do
    if not kind or entry.kind == kind then
      used = used + entry.calls
    end
  end
  return used
end

-- When a window has at most `most` counted calls left; nil if that never comes.
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

-- The limits of a use in one window, each {most calls, the kind that is counted (nil: all kinds)}.
local function caps_of(calls, window, use)
  if window < DAY_MS then
    local most = HALF_ONLY[use] and calls - math.floor(calls / 2) or calls
    if use ~= 'unlisted' then return { { most } } end
    -- The share of unlisted symbols is also kept free for all other symbols.
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

-- How many routine calls even pacing allows now, and when it allows `least` calls; nil if it never allows
-- so many at once.
local function paced(ledger, calls, window, least)
  local interval = window / routine_share(calls)
  local due = math.max(ledger.pace[window] or 0, ledger.now - PACE_SLACK_MS)
  local room = math.max(0, math.ceil((ledger.now + PACE_SLACK_MS - due) / interval))
  if (least - 1) * interval >= 2 * PACE_SLACK_MS then
    return room, nil
  end
  return room, math.floor(due + (least - 1) * interval - PACE_SLACK_MS) + 1
end

-- Return three values: how many calls fit all windows now, at most `wanted`; when `least` calls fit, nil if
-- that is unknown; and why they do not fit now: 'held', 'paced' (the windows have room, but even pacing
-- does not allow the calls yet) or 'budget_exhausted'.
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

-- Settle a reservation: `used` of the reserved calls were made before now, and the others are given back.
-- The calls that were made count from now on, no longer from the end of the reservation. Calls that did not
-- reach the provider (`unsent`, a part of `used`) count, but do not delay the next call.
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
