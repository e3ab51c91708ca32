// The providers: what their breakers say, what is left of their budgets, and when that changes.

const NAMES = {
  yfinance: "Yahoo Finance",
  finnhub: "Finnhub",
  coingecko: "CoinGecko",
  coinmarketcap: "CoinMarketCap",
  alpha_vantage: "Alpha Vantage",
};
const MARKS = { closed: "✓", open: "✕", half_open: "◐", disabled: "–" };

const cards = new Map(); // provider -> its parts

function makeCard(told) {
  const title = make(
    "h3",
    { id: `provider-${told.provider}` },
    NAMES[told.provider] ?? told.provider,
    " ",
    make("code", {}, told.provider),
  );
  const parts = {
    breakers: make("ul", { class: "breakers" }),
    budgets: make("ul", { class: "budgets" }),
    held: make("p", { class: "held" }),
    last: make("p", { class: "last" }),
    error: make("p", { class: "error" }),
  };
  const credit = make("p", { class: "credit" }, told.attribution);
  const card = make(
    "article",
    { class: "provider", "aria-labelledby": title.id, "data-provider": told.provider },
    title,
    parts.breakers,
    parts.budgets,
    parts.held,
    parts.last,
    parts.error,
    credit,
  );
  return { ...parts, card, told };
}

/** Bring the cards up to date with what the API told. */
function showProviders(providers, now) {
  for (const told of providers) {
    if (!cards.has(told.provider)) {
      cards.set(told.provider, makeCard(told));
      byId("providers").append(cards.get(told.provider).card);
    }
    cards.get(told.provider).told = told;
  }
  tickProviders(now);
}

/** What runs with the clock in the cards: countdowns and ages. */
function tickProviders(now) {
  for (const parts of cards.values()) {
    const { told } = parts;
    parts.card.classList.toggle("off", !told.enabled);
    matchList(parts.breakers, told.classes, (item, found) => showBreaker(item, found, now));
    matchList(parts.budgets, told.enabled ? told.budget : [], (item, found) =>
      showBudget(item, found, now),
    );
    tell(parts.held, heldWords(told, now));
    tell(
      parts.last,
      told.last_success ? `Last answer ${age(now - Date.parse(told.last_success))} ago` : "",
    );
    tell(parts.error, errorWords(told.last_error, now));
  }
}

function matchList(list, entries, show) {
  while (list.children.length > entries.length) list.lastChild.remove();
  entries.forEach((entry, index) => {
    if (!list.children[index]) list.append(make("li"));
    show(list.children[index], entry);
  });
}

function showBreaker(item, found, now) {
  if (!item.firstChild) {
    item.append(
      make("span", { class: "mark", "aria-hidden": "true" }),
      make("span", { class: "breaker-class" }),
      " ",
      make("strong"),
      " ",
      make("span", { class: "detail" }),
    );
  }
  const [mark, name, state, detail] = item.children;
  item.dataset.state = found.state;
  tell(mark, MARKS[found.state] ?? "?");
  tell(name, CLASSES[found.asset_class] ?? found.asset_class);
  tell(state, words(found.state).replace("half open", "half-open"));
  tell(detail, breakerWords(found, now));
}

function breakerWords(found, now) {
  if (found.state === "disabled")
    return found.reason === "no_key" ? "no key" : words(found.reason ?? "");
  const since = found.since ? `since ${clock(Date.parse(found.since), now)}` : "";
  if (found.state === "closed") return since;
  const probe = found.probing ? "probe under way" : probeWords(found.next_probe_at, now);
  return [found.reason && words(found.reason), since, probe].filter(Boolean).join(" · ");
}

function probeWords(at, now) {
  if (!at) return "";
  const left = Date.parse(at) - now;
  return left > 0 ? `probe in ${countdown(left)}` : "probe due";
}

function showBudget(item, limit, now) {
  if (!item.firstChild) {
    item.append(
      make("span", { class: "budget-words" }),
      make("span", { class: "budget-reset" }),
      make("span", { class: "meter", role: "meter", "aria-valuemin": 0 }, make("span")),
    );
  }
  const [told, reset, meter] = item.children;
  const share = Math.min(1, limit.used / limit.limit);
  const [calls, most] = [limit.used, limit.limit].map((count) => count.toLocaleString("en-US"));
  const used = `${calls} of ${most} a ${limit.window}`;
  tell(told, used);
  const left = limit.resets_at ? Date.parse(limit.resets_at) - now : null;
  tell(reset, left === null ? "" : left > 0 ? `frees up in ${countdown(left)}` : "frees up now");
  attribute(reset, "title", limit.resets_at && `at ${clock(Date.parse(limit.resets_at), now)}`);
  attribute(meter, "aria-label", `Calls in the last ${limit.window}`);
  attribute(meter, "aria-valuemax", limit.limit);
  attribute(meter, "aria-valuenow", Math.min(limit.used, limit.limit));
  attribute(meter, "aria-valuetext", used);
  meter.dataset.level = share >= 1 ? "spent" : share >= 0.8 ? "high" : "fine";
  meter.firstChild.style.width = `${(share * 100).toFixed(1)}%`;
}

function heldWords(told, now) {
  const held = told.held_until ? Date.parse(told.held_until) - now : 0;
  if (held > 0) return `Asked us to wait: ${countdown(held)} left`;
  const next = told.enabled && told.next_call_at ? Date.parse(told.next_call_at) - now : 0;
  return next > SLOT ? `Budget allows the next call in ${countdown(next)}` : "";
}

function errorWords(error, now) {
  if (!error) return "";
  const at = Date.parse(error.at);
  return `Last error ${age(now - at)} ago, ${words(error.outcome)}: ${error.detail}`;
}
