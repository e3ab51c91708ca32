-- The ledger of one provider as Redis stores it: read, corrected after a step of the clock, repaired.
--
-- A hash. Field '<window ms>:<bucket>:<kind>' counts calls of routine uses ('r'), for first prices
-- ('n'), those of symbols that no list knows ('u', in short windows only), or of other uses ('o').
-- A reserved call may happen at any time until the end of its reservation. It counts in the bucket of
-- that end until the whole bucket is older than the window, so never too few calls are counted.
-- Field 'pace:<window ms>' is when the next routine call is due by even pacing. Field 'hold' is
-- when the provider may be called again at all. Field names have the length of a window, not its place in
-- the settings, so that a change of limits loses nothing. 'born' is when the ledger was begun, and
-- 'turns' is how often the ledger has granted calls since then. A worker recognises a ledger by these two.
-- 'seen' is when the ledger last granted calls. If this time is in the future, the clock of Redis went back.

local BUCKETS = 120         -- per window, so that a window is rounded up by less than a hundredth
local MINUTE_MS, DAY_MS = 60000, 86400000
local LATEST_MS = 70 * DAY_MS -- a time further ahead than this is damaged

local function width_of(window)
  return math.ceil(window / BUCKETS)
end

local function leaves_at(window, bucket)
  return (bucket + 1) * width_of(window) + window
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

-- By how much the clock of Redis was moved since the ledger last granted calls. `expected` is the time that
-- a worker expects by its steady clock, `wall` the time of its wall clock; each is nil if not known.
-- Without them a step forwards looks like a pause. A worker that was started after the step finds it only by
-- its wall clock. If that wall clock is wrong, calls of long ago count once more, but no call counts less.
-- After the first worker has corrected the ledger, other workers find no step.
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

-- Return a ledger as {key, now, counts = {[window] = {[field] = {bucket, kind, calls}}}, pace, hold, born,
-- turns, seen, old, damaged, changed}. A damaged ledger grants nothing until `ledger_repair`. `old` are the
-- fields of calls that have left their windows. `changed`: whether Redis still has other fields.
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

-- Begin a damaged ledger anew with its readable fields. It grants nothing for as long as its longest short
-- window, because lost calls may still count there. Workers whose copies have more calls add these calls.
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

-- Note that the ledger has granted calls.
local function ledger_turn(ledger)
  ledger.born, ledger.turns, ledger.seen = ledger.born or ledger.now, ledger.turns + 1, ledger.now
  redis.call('HSET', ledger.key, 'born', whole(ledger.born), 'turns', whole(ledger.turns),
    'seen', whole(ledger.seen))
end

-- Whether calls of the ledger that a worker has seen (`born`, `turns`) are missing in this one.
local function ledger_lost(ledger, born, turns)
  return not ledger.damaged and (ledger.born ~= born or ledger.turns < turns)
end

local function ledger_hold(ledger, until_ms)
  if until_ms > ledger.hold then
    ledger.hold = until_ms
    redis.call('HSET', ledger.key, 'hold', whole(until_ms))
  end
end
