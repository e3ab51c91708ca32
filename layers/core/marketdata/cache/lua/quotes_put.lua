-- Which of these quotes do readers see, and which are held until a second observation confirms them?
--
-- KEYS  per quote: the stored quote, the held candidates, the reason why there is no quote, the history by
--       the minute, the history by the hour, the ids of the new coin by source if the ticker of the quote
--       became another coin lately.
-- ARGV  now_ms ('' for the clock of Redis), the rules as JSON;
--       per quote: source, rank, price, currency ('' unknown), fetched_ms, timestamp_ms (0 none), jump limit,
--       factor of the currency's minor unit (0 none), value, the id by which the source was asked for its coin
--       ('' for anything that is not a coin).
-- Reply, per quote: 'written:<source that was written>', 'older', 'older:other_coin', 'quarantined:<reason>'
--       or 'rejected:future:<by how many ms its time is ahead>'.

-- include: values.lua
-- include: acceptance_rules.lua
-- include: history_rules.lua

local PER_KEY, PER_ARG, HEAD = 6, 10, 2
local MINUTE_MS, HOUR_MS, DAY_S = 60000, 3600000, 86400

local now, rules = time_now(ARGV[1]), cjson.decode(ARGV[2])

-- The text at a key; a value of another type is removed, because it is damaged.
local function text_at(key)
  local text = redis.pcall('GET', key)
  if type(text) == 'table' then
    redis.call('DEL', key)
    return nil
  end
  return text or nil
end

local function stored_at(key)
  local value = text_at(key)
  if not value then return nil end
  local fetched, timestamp = tonumber(value:sub(1, 13)), tonumber(value:sub(14, 26))
  local price = tonumber(value:sub(27, 400):match('"price":(-?[%d.]+)'))
  if not (fetched and timestamp and price) then return nil end
  return { fetched = fetched, timestamp = timestamp, price = price, value = value,
           currency = value:sub(27, 500):match('"currency":"(%a+)"') or '' }
end

-- The candidates at a key by source; a damaged text counts as no candidates.
local function held_at(key)
  local text = text_at(key)
  local read, stored = pcall(cjson.decode, text or '{}')
  local candidates = {}
  if not read or type(stored) ~= 'table' then return candidates, text end
  for source, held in pairs(stored) do
    local one = type(held) == 'table' and {
      source = source, rank = tonumber(held.rank), price = tonumber(held.price), text = held.price,
      currency = held.currency, fetched = tonumber(held.fetched), timestamp = tonumber(held.timestamp),
      reason = held.reason, since = tonumber(held.since), value = held.value, stored = held.stored,
    }
    if one and one.rank and one.price and one.fetched and one.timestamp and one.since
      and type(one.currency) == 'string' and type(one.value) == 'string' then
      candidates[source] = one
    end
  end
  return candidates, text
end

local function hold(key, candidates)
  local kept, life_s = {}, rules.held_s
  for source, held in pairs(candidates) do
    kept[source] = {
      rank = whole(held.rank), price = held.text, currency = held.currency,
      fetched = whole(held.fetched), timestamp = whole(held.timestamp),
      reason = held.reason, since = whole(held.since), value = held.value,
      stored = held.stored,
    }
    if held.reason == 'unit_mismatch' then life_s = math.max(life_s, rules.unit_hold_ms / 1000 + rules.held_s) end
  end
  if next(kept) then
    redis.call('SET', key, cjson.encode(kept), 'EX', whole(life_s))
  else
    redis.call('DEL', key)
  end
end

-- An accepted price removes the candidates that were fetched before it; later candidates stay.
local function settle(key, candidates, fetched)
  local left = {}
  for source, held in pairs(candidates) do
    if held.fetched > fetched then left[source] = held end
  end
  hold(key, left)
end

-- A time as RFC 3339 in UTC, as clock.py writes it.
local function utc_text(ms)
  local days, rest = math.floor(ms / 1000 / DAY_S), math.floor(ms / 1000) % DAY_S
  local shifted = days + 719468 -- days since the first of March of the year 0
  local era = math.floor(shifted / 146097)
  local of_era = shifted - era * 146097
  local year_of_era = math.floor(
    (of_era - math.floor(of_era / 1460) + math.floor(of_era / 36524) - math.floor(of_era / 146096)) / 365)
  local of_year = of_era - (365 * year_of_era + math.floor(year_of_era / 4) - math.floor(year_of_era / 100))
  local month_place = math.floor((5 * of_year + 2) / 153)
  local day = of_year - math.floor((153 * month_place + 2) / 5) + 1
  local month = month_place < 10 and month_place + 3 or month_place - 9
  local year = year_of_era + era * 400 + (month <= 2 and 1 or 0)
  local part = ms % 1000 > 0 and string.format('.%03.0f', ms % 1000) or ''
  return string.format('%04.0f-%02.0f-%02.0fT%02.0f:%02.0f:%02.0f%sZ', year, month, day,
    math.floor(rest / 3600), math.floor(rest / 60) % 60, rest % 60, part)
end

-- Return a stored value with another time of fetching.
local function with_fetched(value, fetched)
  local body = value:sub(14):gsub('"fetched_at":"[^"]*"$', '"fetched_at":"' .. utc_text(fetched) .. '"', 1)
  return string.format('%013.0f', fetched) .. body
end

-- Whether a quote is older than the stored one. A stored time in the future is ignored, because it was
-- written with a clock that was ahead.
local function is_older(new, old)
  local comparable = new.timestamp > 0 and old.timestamp > 0 and old.timestamp <= now + rules.ahead_ms
  if comparable and new.timestamp ~= old.timestamp then return new.timestamp < old.timestamp end
  return old.fetched <= now + rules.skew_ms and new.fetched < old.fetched
end

-- Whether a quote repeats the stored price with a slightly older time. That happens if one of the provider's
-- machines lags behind the others.
local function repeats(new, old)
  return new.price == old.price and not other_currency(new, old)
    and new.timestamp > 0 and new.timestamp < old.timestamp
    and old.timestamp - new.timestamp <= rules.repeat_ms
    and (new.fetched > old.fetched or old.fetched > now + rules.skew_ms)
end

-- Whether the quote's ticker became another coin after its source was asked.
local function is_other_coin(new, key)
  local text = new.coin ~= '' and text_at(key)
  local read, ids = pcall(cjson.decode, text or '')
  return read and type(ids) == 'table' and ids[new.source] ~= new.coin
end

local function write(quote, value, keys)
  redis.call('SET', keys.quote, value, 'EX', rules.retention_s)
  redis.call('DEL', keys.reason)
  history_add(keys.minutes, math.floor(quote.fetched / MINUTE_MS), quote.text, rules.minutes_kept, rules.retention_s)
  history_add(keys.hours, math.floor(quote.fetched / HOUR_MS), quote.text, rules.hours_kept, rules.retention_s)
  return 'written:' .. quote.source
end

local function put(new, keys)
  if new.timestamp > now + rules.ahead_ms then
    return string.format('rejected:future:%.0f', new.timestamp - now)
  end
  if is_other_coin(new, keys.coin) then return 'older:other_coin' end
  local old, candidates, text = stored_at(keys.quote), held_at(keys.held)
  if old and repeats(new, old) then
    if text then settle(keys.held, candidates, new.fetched) end
    return write(new, with_fetched(old.value, new.fetched), keys)
  end
  if old and is_older(new, old) then return 'older' end
  new.reason = old and doubt(new, old, now, rules) or nil
  local written = new
  if new.reason then written = confirmed(new, old, candidates, now, rules) end
  if written then
    if text then settle(keys.held, candidates, new.fetched) end
    return write(written, written.value, keys)
  end
  local own = candidates[new.source]
  if not own or own.fetched <= new.fetched then
    local goes_on = own and own.reason == new.reason and side_of(own, old, new.limit) == side_of(new, old, new.limit)
    new.since, new.stored = goes_on and own.since or now, old.value:sub(27, 400):match('"price":(-?[%d.]+)')
    candidates[new.source] = new
    hold(keys.held, candidates)
  end
  return 'quarantined:' .. new.reason
end

local verdicts = {}
for i = 1, #KEYS / PER_KEY do
  local at, key = HEAD + (i - 1) * PER_ARG, (i - 1) * PER_KEY
  local new = {
    source = ARGV[at + 1], rank = tonumber(ARGV[at + 2]), text = ARGV[at + 3], price = tonumber(ARGV[at + 3]),
    currency = ARGV[at + 4], timestamp = tonumber(ARGV[at + 6]), limit = tonumber(ARGV[at + 7]),
    unit = tonumber(ARGV[at + 8]), value = ARGV[at + 9], coin = ARGV[at + 10],
  }
  local fetched = tonumber(ARGV[at + 5])
  -- A time of fetching that is later than now comes from a wrong clock.
  new.fetched = fetched > now + rules.skew_ms and now or fetched
  if new.fetched ~= fetched then new.value = with_fetched(new.value, new.fetched) end
  verdicts[i] = put(new, {
    quote = KEYS[key + 1], held = KEYS[key + 2], reason = KEYS[key + 3],
    minutes = KEYS[key + 4], hours = KEYS[key + 5], coin = KEYS[key + 6],
  })
end
return verdicts
