-- Does this staged list become the one that readers see?
--
-- KEYS  meta; staged rows, index and ids; the new version's rows and index; ids;
--       the current version's rows and index.
-- ARGV  version that the caller believes current ('' none), new meta, its updated_at_ms,
--       rows, ids (counts), retention_s, linger_s.
-- Reply: 'switched', 'older' (a later list is current), 'changed' (the caller is wrong about the
--        current version) or 'partial' (what is staged is not the whole list).
local text = redis.call('GET', KEYS[1])
local current = text and cjson.decode(text) or { version = '', updated_at_ms = 0 }
if current.version ~= ARGV[1] then return 'changed' end
if current.updated_at_ms > tonumber(ARGV[3]) then return 'older' end
if redis.call('LLEN', KEYS[2]) ~= tonumber(ARGV[4])
  or redis.call('EXISTS', KEYS[3]) == 0
  or redis.call('HLEN', KEYS[4]) ~= tonumber(ARGV[5]) then
  return 'partial'
end

redis.call('RENAME', KEYS[2], KEYS[5])
redis.call('RENAME', KEYS[3], KEYS[6])
redis.call('UNLINK', KEYS[7])
if tonumber(ARGV[5]) > 0 then redis.call('RENAME', KEYS[4], KEYS[7]) end
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[6])
-- A reader in the middle of the list before this one may finish. A list that was dropped in part is
-- put back under its own version: then these are the same keys, and the longer life is theirs.
for i = 8, 9 do redis.call('EXPIRE', KEYS[i], ARGV[7]) end
for i = 5, 7 do redis.call('EXPIRE', KEYS[i], ARGV[6]) end
return 'switched'
