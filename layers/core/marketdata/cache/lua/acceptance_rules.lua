-- Whether a price is accepted at once, and which observation confirms a held price.
--
-- An observation is a quote that is being judged, or a held candidate: {source, rank, price, currency,
-- fetched, timestamp, reason, since}. `rank` is the place of the source in the chain; the source with rank 1
-- is asked first. At most one candidate is held for each source, so that the price of one broken source cannot
-- replace the held price of another.

local function other_currency(a, b)
  return a.currency ~= '' and b.currency ~= '' and a.currency ~= b.currency
end

local function near(a, b, share)
  return math.abs(a - b) <= share * math.max(math.abs(a), math.abs(b))
end

-- Return on which side of the stored price an observation lies beyond the limit of its class: 'up' or 'down';
-- the code of its currency if that is not the stored one; nil for an observation within the limit.
local function side_of(observed, old, limit)
  if other_currency(observed, old) then return observed.currency end
  local step = observed.price - old.price
  if math.abs(step) <= limit * math.abs(old.price) * (1 + 1e-9) then return nil end
  return step > 0 and 'up' or 'down'
end

-- Whether one of two prices is the other one times the factor of a minor unit. A new price without a currency
-- counts as one in the stored currency. If the stored price has no currency, the answer is false, because the
-- unit of that price is unknown.
local function is_unit_step(new, old, rules)
  local unit = new.currency == '' and rules.unit_factors[old.currency] or new.unit
  if unit == 0 or old.currency == '' or new.price <= 0 or old.price <= 0 or other_currency(new, old) then
    return false
  end
  local ratio = math.max(new.price / old.price, old.price / new.price)
  return near(ratio, unit, rules.unit_tolerance)
end

-- Return why a price is not accepted at once, or nil. A price that may be in another unit is held
-- even if the stored price is old, because the source would repeat its mistake.
local function doubt(new, old, now, rules)
  if is_unit_step(new, old, rules) then return 'unit_mismatch' end
  if now - math.min(old.fetched, now) >= rules.baseline_ms then return nil end
  return side_of(new, old, new.limit) and 'jump' or nil
end

-- Whether an observation was made after another one of the same source. If both have a time of the provider,
-- these times are compared, because a repeated answer is not a second observation.
local function is_later(new, held)
  if new.timestamp > 0 and held.timestamp > 0 then return new.timestamp > held.timestamp end
  return new.fetched > held.fetched
end

-- Return the observation that may be written because another source agrees, or nil. If the two prices are near
-- each other, that is the one of the source that comes first in the chain; else it is the one nearer to the
-- stored price. Prices that differ from the stored price by the factor of a unit, or that are in another
-- currency, confirm each other only if they are near each other.
local function agreed(new, held, old, rules)
  local side = side_of(new, old, new.limit)
  if not side or side ~= side_of(held, old, new.limit) or other_currency(new, held) then return nil end
  if near(new.price, held.price, rules.agreement) then
    if new.fetched - held.fetched > rules.same_look_ms then return new end
    return new.rank <= held.rank and new or held
  end
  local needs_agreement = new.reason == 'unit_mismatch' or held.reason == 'unit_mismatch'
  if needs_agreement or other_currency(new, old) then return nil end
  return math.abs(new.price - old.price) <= math.abs(held.price - old.price) and new or held
end

-- Return the observation that may be written now, or nil. `new` is a quote that is not accepted at once.
local function confirmed(new, old, candidates, now, rules)
  local own = candidates[new.source]
  if own and own.reason == new.reason and side_of(own, old, new.limit) == side_of(new, old, new.limit) then
    if new.reason == 'jump' and is_later(new, own) then return new end
    if new.reason == 'unit_mismatch' and now - own.since >= rules.unit_hold_ms then return new end
  end
  for source, held in pairs(candidates) do
    local counts = source ~= new.source and now - held.fetched <= rules.held_s * 1000
    local winner = counts and agreed(new, held, old, rules)
    if winner then return winner end
  end
  return nil
end
