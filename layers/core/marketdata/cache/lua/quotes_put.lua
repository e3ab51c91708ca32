-- Which of these quotes may be seen, and which wait for a second opinion?
--
-- KEYS  per quote: the stored quote, the held candidates, the reason why there is none.
-- ARGV  now_ms, baseline_ms, agreement, unit_low, unit_high, retention_s, held_s;
--       per quote: source, price, currency ('' unknown), fetched_ms, timestamp_ms (0 none),
--       jump limit, value.
-- Reply, per quote: 'written', 'older' or 'quarantined:<why>'.
--
-- A held candidate is kept per source, so that two broken sources cannot displace each other's.
local now, baseline_ms, agreement = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local unit_low, unit_high = tonumber(ARGV[4]), tonumber(ARGV[5])
local retention_s, held_s = ARGV[6], ARGV[7]

local function stored_at(key)
  local value = redis.call('GET', key)
  if not value then return nil end
  local fetched, timestamp = tonumber(value:sub(1, 13)), tonumber(value:sub(14, 26))
  local price = tonumber(value:match('"price":([%d.]+)'))
  if not (fetched and timestamp and price) then return nil end
  return { fetched = fetched, timestamp = timestamp, price = price,
           currency = value:match('"currency":"(%a+)"') or '' }
end

local function older(new, old)
  if new.timestamp > 0 and old.timestamp > 0 and new.timestamp ~= old.timestamp then
    return new.timestamp < old.timestamp
  end
  return new.fetched < old.fetched
end

local function other_currency(a, b)
  return a.currency ~= '' and b.currency ~= '' and a.currency ~= b.currency
end

-- Why a price is not believed at once, or nil; and whether its own source may confirm it. A lone
-- factor of 100 is pence for pounds, however old the pounds; and while they are the yardstick, the
-- same source would only repeat its mistake.
local function doubt(new, old)
  local ratio, aged = new.price / old.price, now - old.fetched >= baseline_ms
  for _, times in ipairs({ ratio, 1 / ratio }) do
    if times >= unit_low and times <= unit_high then return 'unit_mismatch', aged end
  end
  if aged then return nil end
  if other_currency(new, old) or math.abs(ratio - 1) > new.limit then return 'jump', true end
  return nil
end

-- A second source confirms a price, or a later tick of the same one.
local function confirmed(new, candidates, by_itself)
  for source, held in pairs(candidates) do
    local agrees = math.abs(new.price / tonumber(held.price) - 1) <= agreement
    local counts = source ~= new.source or (by_itself and new.fetched > tonumber(held.fetched))
    if agrees and counts and not other_currency(new, held) then return true end
  end
  return false
end

-- What was held up to now is settled by a price that is believed; what is later than it is not.
local function settle(key, candidates, fetched)
  local left = {}
  for source, held in pairs(candidates) do
    if tonumber(held.fetched) > fetched then left[source] = held end
  end
  if next(left) then
    redis.call('SET', key, cjson.encode(left), 'EX', held_s)
  else
    redis.call('DEL', key)
  end
end

local function put(new, quote_key, held_key, reason_key)
  local old = stored_at(quote_key)
  if old and older(new, old) then return 'older' end
  local text = redis.call('GET', held_key)
  local candidates = text and cjson.decode(text) or {}
  local why, by_itself
  if old then why, by_itself = doubt(new, old) end
  if why and not confirmed(new, candidates, by_itself) then
    local own = candidates[new.source]
    if not own or tonumber(own.fetched) <= new.fetched then
      candidates[new.source] = { price = new.text, currency = new.currency,
                                 fetched = new.fetched_text, reason = why }
      redis.call('SET', held_key, cjson.encode(candidates), 'EX', held_s)
    end
    return 'quarantined:' .. why
  end
  redis.call('SET', quote_key, new.value, 'EX', retention_s)
  redis.call('DEL', reason_key)
  if text then settle(held_key, candidates, new.fetched) end
  return 'written'
end

local verdicts = {}
for i = 1, #KEYS / 3 do
  local at, key = 7 + (i - 1) * 7, (i - 1) * 3
  verdicts[i] = put({
    source = ARGV[at + 1], text = ARGV[at + 2], price = tonumber(ARGV[at + 2]),
    currency = ARGV[at + 3], fetched_text = ARGV[at + 4], fetched = tonumber(ARGV[at + 4]),
    timestamp = tonumber(ARGV[at + 5]), limit = tonumber(ARGV[at + 6]), value = ARGV[at + 7],
  }, KEYS[key + 1], KEYS[key + 2], KEYS[key + 3])
end
return verdicts
