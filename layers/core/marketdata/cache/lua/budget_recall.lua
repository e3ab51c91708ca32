-- Has a ledger lost calls that a worker has seen in it? If so, the calls of the worker's copy are added.
--
-- KEYS  the ledger.
-- ARGV  now (ms, '' for the clock of Redis), the time that the worker expects by its steady clock (''
--       if the worker does not know), born, turns, and JSON [field, value, ...] of the worker's copy.
-- Reply {born, turns} of the ledger now, as text.
--
-- If ledger and copy have counts of the same bucket, the larger count is kept. So no known call is lost, and
-- calls that several workers remember are counted once. (A call that was settled meanwhile is in another bucket
-- and may count twice until its window is over.) The pace is not restored. Without it calls are less evenly
-- spread, but no limit is exceeded; and a service that has lost its quotes as well needs the next call soon.

-- include: values.lua
-- include: ledger.lua

local now, expected = time_now(ARGV[1]), tonumber(ARGV[2])
local born, turns = tonumber(ARGV[3]), tonumber(ARGV[4])
local ledger = ledger_read(KEYS[1], now)
if ledger.damaged then
  return { false, false }
end
if not ledger_lost(ledger, born, turns) then
  return redis.call('HMGET', KEYS[1], 'born', 'turns')
end
local known = { key = KEYS[1], now = now, counts = {}, pace = {}, hold = 0, turns = 0 }
local flat = cjson.decode(ARGV[5])
for i = 1, #flat, 2 do
  ledger_field(known, flat[i], flat[i + 1])
end
if expected and math.abs(now - expected) > JUMP_MS then
  ledger_shift(known, now - expected)
end
local function at_least(field, value)
  if value > (finite(redis.call('HGET', KEYS[1], field) or '') or 0) then
    redis.call('HSET', KEYS[1], field, whole(value))
  end
end
if not ledger.born or ledger.born == born then
  -- The new `born` makes it another ledger, so that workers whose copies have more calls add these, too.
  redis.call('HSET', KEYS[1], 'born', whole(math.max(now, born + 1)))
end
for window, entries in pairs(known.counts) do
  for field, entry in pairs(entries) do
    if leaves_at(window, entry.bucket) > now then at_least(field, entry.calls) end
  end
end
at_least('hold', known.hold)
at_least('turns', known.turns)
return redis.call('HMGET', KEYS[1], 'born', 'turns')
