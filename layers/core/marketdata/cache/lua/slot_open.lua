-- Does this caller get the slot, and which symbols are due in the slot?
--
-- KEYS  last slot, due, watched, exclusions, timetables, clocks of workers, unlisted (see watch_note.lua).
-- ARGV  now (ms, '' for the clock of Redis); JSON {slot (s), slot_ms, wall_ms, worker, active: [...],
--       watched_ms, due_memory_ms, due_spare, due_ahead_ms, slot_late_s, most_clocks, timetable_bytes,
--       answered_ms, least_unlisted}.
--       wall_ms is the time of the caller's own clock: it is compared with now, and decides nothing.
-- Reply {now, repaired keys} if another caller has the slot; else {now, repaired keys, slot, due active,
--       new, due watched, due unlisted, exclusions, timetables, slot claimed before (nil if unknown)}. Due
--       active, new, due watched and due unlisted are one text each, a line per item, because a client
--       reads one long text many times faster than thousands of short ones. Lines of all but new are
--       symbols and due times (0: never priced) in turn. Exclusions and timetables are flat lists.

-- include: values.lua

local now, asked = time_now(ARGV[1]), cjson.decode(ARGV[2])
local repaired = {}
for place, kind in ipairs({ 'string', 'zset', 'zset', 'zset', 'hash', 'hash', 'zset' }) do
  if drop_other_type(KEYS[place], kind) then table.insert(repaired, KEYS[place]) end
end

-- The clocks of workers that are wrong: '<offset (ms)> <when it was seen (ms)>' for each.
local function note_clock()
  local offset = asked.wall_ms - now
  if math.abs(offset) > JUMP_MS then
    redis.call('HSET', KEYS[6], asked.worker, whole(offset) .. ' ' .. whole(now))
  else
    redis.call('HDEL', KEYS[6], asked.worker)
  end
  if redis.call('HLEN', KEYS[6]) > asked.most_clocks then redis.call('DEL', KEYS[6]) end
end

-- A worker whose clock is wrong works in the slot of Redis's clock.
local slot = asked.slot
if slot * 1000 > now + asked.slot_ms or slot * 1000 < now - asked.slot_late_s * 1000 then
  slot = (now - now % asked.slot_ms) / 1000
end
local text = redis.call('GETRANGE', KEYS[1], 0, 63)
local last = finite(text)
if text ~= '' and not last then table.insert(repaired, KEYS[1]) end
local went_back = last ~= nil and last * 1000 > now + asked.slot_ms
if last and last >= slot and not went_back then
  note_clock()
  return { whole(now), repaired }
end
-- The first write. A full Redis rejects it, and then nothing is decided.
redis.call('SET', KEYS[1], whole(slot))
note_clock()
if went_back then redis.call('DEL', KEYS[2]) end -- the due times were written with a clock that was ahead

local active, ours = asked.active, {}
for _, symbol in ipairs(active) do
  ours[symbol] = true
end

-- A request with a time in the future was noted before the clock of Redis went back.
for _, symbol in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], whole(now + JUMP_MS), '+inf')) do
  redis.call('ZADD', KEYS[3], 'XX', whole(now), symbol)
end
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', whole(now - asked.watched_ms))
local watched = {}
for _, symbol in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
  if #symbol > 100 or not string.match(symbol, '^[%w.^=&/@:_-]+$') then
    redis.call('ZREM', KEYS[3], symbol)
    table.insert(repaired, KEYS[3])
  elseif not ours[symbol] then
    table.insert(watched, symbol)
    ours[symbol] = true
  end
end

-- Remove due times of symbols that are neither active nor watched any more: the old ones, and if there are too
-- many due times, the oldest ones.
redis.call('ZREMRANGEBYSCORE', KEYS[2], '(' .. whole(now + asked.due_ahead_ms), '+inf')
local spare = redis.call('ZCARD', KEYS[2]) - #active - asked.due_spare
local oldest = spare > 0 and redis.call('ZRANGE', KEYS[2], 0, spare + #watched)
  or redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', whole(now - asked.due_memory_ms))
local unwanted = {}
for _, symbol in ipairs(oldest) do
  if not ours[symbol] then
    table.insert(unwanted, symbol)
  end
end
in_parts(unwanted, 1000, function(...) redis.call('ZREM', KEYS[2], ...) end)

local function scores_of(symbols)
  local scores = {}
  in_parts(symbols, 1000, function(...)
    for _, score in ipairs(redis.call('ZMSCORE', KEYS[2], ...)) do
      table.insert(scores, score) -- false where there is none
    end
  end)
  return scores
end

-- Remove unlisted symbols that are watched no longer, or that were looked for and not found. Other unlisted
-- symbols get their places.
local waiting, unlisted = {}, {}
for _, symbol in ipairs(redis.call('ZRANGE', KEYS[7], 0, -1)) do
  waiting[symbol] = true
end
for place, score in ipairs(scores_of(watched)) do
  local symbol = watched[place]
  if waiting[symbol] then
    local answered = score and tonumber(score) > now + asked.answered_ms
    waiting[symbol] = answered or nil
    if answered then redis.call('ZREM', KEYS[3], symbol) else unlisted[symbol] = true end
  end
end
for symbol in pairs(waiting) do redis.call('ZREM', KEYS[7], symbol) end

local due_active, new, new_unlisted, due_watched, due_unlisted = {}, {}, {}, {}, {}
for place, score in ipairs(scores_of(active)) do
  if not score or tonumber(score) <= now then
    table.insert(due_active, active[place])
    table.insert(due_active, whole(finite(score or '') or 0))
  end
end
for place, score in ipairs(scores_of(watched)) do
  if not score and unlisted[watched[place]] then
    new_unlisted[watched[place]] = true
  elseif not score then
    table.insert(new, watched[place])
  elseif tonumber(score) <= now then
    local list = unlisted[watched[place]] and due_unlisted or due_watched
    table.insert(list, watched[place])
    table.insert(list, whole(finite(score) or 0))
  end
end

-- Unlisted symbols come after all others. At most a tenth of a slot's new symbols are unlisted, but always
-- `least_unlisted` may be. Those that were requested first come first.
local places = math.max(asked.least_unlisted, math.floor(#new / 9))
for _, symbol in ipairs(redis.call('ZRANGE', KEYS[7], 0, -1)) do
  if places > 0 and new_unlisted[symbol] then
    table.insert(due_unlisted, symbol)
    table.insert(due_unlisted, '0')
    places = places - 1
  end
end

redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', whole(now))
local exclusions, timetables, flat = redis.call('ZRANGE', KEYS[4], 0, -1), {}, redis.call('HGETALL', KEYS[5])
for place = 1, #flat, 2 do
  if #flat[place] + #flat[place + 1] > asked.timetable_bytes then
    redis.call('HDEL', KEYS[5], flat[place])
    table.insert(repaired, KEYS[5])
  else
    table.insert(timetables, flat[place])
    table.insert(timetables, flat[place + 1])
  end
end
local before = last and not went_back and whole(last) or false
local function lines(items)
  return table.concat(items, '\n')
end
return {
  whole(now), repaired, whole(slot), lines(due_active), lines(new), lines(due_watched), lines(due_unlisted),
  exclusions, timetables, before,
}
