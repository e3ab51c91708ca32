-- Does this staged list become the current list?
--
-- KEYS  meta; staged rows, index, ids and names; the new version's rows and index; ids; names;
--       the current version's rows and index.
-- ARGV  the version that is current as far as the caller knows ('' none), new meta, rows, ids, names (counts),
--       retention_s, linger_s.
-- Reply: 'switched', 'older' (a later list is current), 'changed' (another version is current than the
--        caller knows) or 'partial' (a part of the staged list is missing).

-- include: values.lua

local now, expected, new = time_now(''), ARGV[1], cjson.decode(ARGV[2])
local rows, ids, names = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local retention_s, linger_s = ARGV[6], ARGV[7]
new.updated_at_ms = math.min(new.updated_at_ms, now)

-- A meta that cannot be read counts as no list.
drop_other_type(KEYS[1], 'string')
local read, current = pcall(cjson.decode, redis.call('GET', KEYS[1]) or '')
if not read or type(current) ~= 'table' or type(current.version) ~= 'string' then
  current = { version = '' }
end
if current.version ~= expected then return 'changed' end
-- A time in the future is ignored, because it was written when the clock of Redis was ahead.
local current_ms = type(current.updated_at_ms) == 'number' and current.updated_at_ms or 0
if current_ms > new.updated_at_ms and current_ms <= now + JUMP_MS then return 'older' end
if redis.call('HLEN', KEYS[2]) ~= rows
  or redis.call('EXISTS', KEYS[3]) == 0
  or redis.call('HLEN', KEYS[4]) ~= ids
  or redis.call('SCARD', KEYS[5]) ~= names then
  return 'partial'
end

redis.call('RENAME', KEYS[2], KEYS[6])
redis.call('RENAME', KEYS[3], KEYS[7])
redis.call('UNLINK', KEYS[8])
if ids > 0 then redis.call('RENAME', KEYS[4], KEYS[8]) end
redis.call('RENAME', KEYS[5], KEYS[9])
redis.call('SET', KEYS[1], cjson.encode(new), 'EX', retention_s)
-- The list before this one is kept for a while, so that a client can read it to its last page. If a list of
-- which a part was lost is put back under the same version, the keys of both lists are the same; the second
-- loop then gives them the longer life.
for i = 10, 11 do redis.call('EXPIRE', KEYS[i], linger_s) end
for i = 6, 9 do redis.call('EXPIRE', KEYS[i], retention_s) end
return 'switched'
