// The providers: how each class of assets fares with them, in plain words; what is left of their
// budgets; and, for who looks closer, what the breakers say themselves.

const NAMES = {
  yfinance: "Yahoo Finance",
  finnhub: "Finnhub",
  coingecko: "CoinGecko",
  coinmarketcap: "CoinMarketCap",
  alpha_vantage: "Alpha Vantage",
};
const MARKS = { ok: "✓", idle: "○", failing: "▲", paused: "■", off: "–" };
const WORST_FIRST = ["paused", "failing", "ok", "idle", "off"];
// A provider that was not asked for longer than any of the usual paces may have failed since.
const RECENT = 10 * MINUTE;
// What the provider notes of an answer that it gave all the same.
const ANSWERED = new Set(["ok", "partial", "bad_row", "not_entitled"]);

const cards = new Map(); // provider -> its parts

/** Whether providers could not be reached since the last answer of any: that one proves nothing. */
function noneAnswers(providers) {
  const classes = providers.filter((provider) => provider.enabled).flatMap(({ classes }) => classes);
  const newest = (times) => Math.max(0, ...times.filter(Boolean).map((at) => Date.parse(at)));
  const answered = newest(classes.map((found) => found.last_success));
  const unreachable = classes.filter(isFailing).map((found) => found.last_error);
  const failed = newest(
    unreachable.filter((error) => error.outcome === "unavailable").map((error) => error.at),
  );
  return failed - answered > SLOT;
}

function isFailing({ last_error: error, last_success: success }) {
  if (!error || ANSWERED.has(error.outcome)) return false;
  return !success || Date.parse(error.at) > Date.parse(success);
}

/** The state of one class with one provider: a level, which is a colour, and words. */
function stateOf(found, provider, isQuiet, now) {
  if (found.state === "disabled") {
    return { level: "off", text: `off, ${words(found.reason ?? "no key")}` };
  }
  const retry = (at) => {
    const left = at ? Date.parse(at) - now : 0;
    return left > 0 ? `paused, retry in ${countdown(left)}` : "paused, retry due";
  };
  if (found.state === "open") return { level: "paused", text: retry(found.next_probe_at) };
  if (found.state === "half_open") {
    return { level: "failing", text: found.probing ? "paused, trying now" : "paused, retry due" };
  }
  if (provider.held_until && Date.parse(provider.held_until) > now) {
    return { level: "failing", text: retry(provider.held_until) };
  }
  if (isFailing(found)) return { level: "failing", text: "failing" };
  if (!found.last_success) return { level: "idle", text: "not used yet" };
  const isRecent = now - Date.parse(found.last_success) <= RECENT;
  return isRecent && !isQuiet ? { level: "ok", text: "OK" } : { level: "idle", text: "idle" };
}

/** All providers in a few words, for the line of figures, and the level of the worst. */
function providersInWords(providers, now) {
  const isQuiet = noneAnswers(providers);
  const counts = {};
  for (const provider of providers) {
    const levels = provider.classes.map((found) => stateOf(found, provider, isQuiet, now).level);
    const level = WORST_FIRST.find((each) => levels.includes(each)) ?? "off";
    counts[level] = (counts[level] ?? 0) + 1;
  }
  const names = { paused: "paused", failing: "failing", ok: "OK", idle: "idle", off: "off" };
  const order = ["ok", "failing", "paused", "idle", "off"];
  const text = order.filter((level) => counts[level]).map((level) => `${counts[level]} ${names[level]}`);
  const level = counts.paused || isQuiet ? "paused" : counts.failing ? "failing" : "ok";
  return { level, text: isQuiet ? "none answers" : text.join(", "), isQuiet };
}

function makeCard(provider) {
  const name = NAMES[provider.provider] ?? provider.provider;
  const title = make("h3", { id: `provider-${provider.provider}` }, name);
  const details = make("dl", { id: `breakers-${provider.provider}`, hidden: "" });
  const toggle = make(
    "button",
    { type: "button", class: "toggle", "aria-expanded": "false", "aria-controls": details.id },
    "Details",
    unseen(` of ${name}`),
    make("span", { class: "chevron", "aria-hidden": "true" }),
  );
  toggle.addEventListener("click", () => {
    details.hidden = !details.hidden;
    attribute(toggle, "aria-expanded", String(!details.hidden));
  });
  const parts = {
    states: make("ul", { class: "states" }),
    budgets: make("ul", { class: "budgets" }),
    wait: make("p", { class: "wait" }),
    error: make("p", { class: "error" }),
    details,
    facts: [],
  };
  const credit = make("p", { class: "credit" }, provider.attribution);
  parts.card = make(
    "article",
    { class: "provider", "aria-labelledby": title.id, "data-provider": provider.provider },
    make("div", { class: "card-head" }, title, toggle),
    parts.states,
    parts.error,
    parts.budgets,
    parts.wait,
    details,
    credit,
  );
  return { ...parts, provider };
}

/** Bring the cards up to date with what the API answered. */
function showProviders(providers, now) {
  for (const provider of providers) {
    if (!cards.has(provider.provider)) {
      cards.set(provider.provider, makeCard(provider));
      byId("providers").append(cards.get(provider.provider).card);
    }
    cards.get(provider.provider).provider = provider;
  }
  tickProviders(now);
}

/** What runs with the clock in the cards: countdowns and ages. */
function tickProviders(now) {
  const isQuiet = noneAnswers([...cards.values()].map(({ provider }) => provider));
  for (const parts of cards.values()) {
    const { provider } = parts;
    parts.card.classList.toggle("off", !provider.enabled);
    matchList(parts.states, provider.classes, (item, found) =>
      showState(item, found, stateOf(found, provider, isQuiet, now)),
    );
    const failing = provider.classes.filter(
      (found) => found.last_error && (isFailing(found) || found.state !== "closed"),
    );
    const newest = failing.sort((a, b) => (a.last_error.at < b.last_error.at ? 1 : -1))[0];
    tell(parts.error, provider.enabled && newest ? errorWords(newest.last_error, now) : "");
    // A limit a second says nothing to a reader until it is nearly spent.
    const budget = provider.budget.filter(
      (limit) => limit.window !== "second" || limit.used >= 0.8 * limit.limit,
    );
    matchList(parts.budgets, provider.enabled ? budget : [], (item, limit) =>
      showBudget(item, limit, now),
    );
    tell(parts.wait, waitWords(provider, now));
    showFacts(parts, factsOfProvider(provider, now));
  }
}

function matchList(list, entries, show) {
  while (list.children.length > entries.length) list.lastChild.remove();
  entries.forEach((entry, index) => {
    if (!list.children[index]) list.append(make("li"));
    show(list.children[index], entry);
  });
}

function showState(item, found, { level, text }) {
  if (!item.firstChild) {
    item.append(
      make("span", { class: "state-mark", "aria-hidden": "true" }),
      make("span", { class: "class-name" }),
      " ",
      make("strong"),
    );
  }
  const [mark, name, state] = item.children;
  item.dataset.level = level;
  tell(mark, MARKS[level]);
  tell(name, CLASSES[found.asset_class] ?? found.asset_class);
  tell(state, text);
}

function showFacts({ details, facts }, wanted) {
  const texts = wanted.map(([, text]) => text);
  if (facts.length !== wanted.length) {
    details.replaceChildren(
      ...wanted.map(([name]) => make("div", {}, make("dt", {}, name), make("dd"))),
    );
  }
  facts.length = 0;
  facts.push(...texts);
  wanted.forEach(([name, text], index) => {
    const [term, value] = details.children[index].children;
    tell(term, name);
    tell(value, text);
  });
}

/** The breakers' own words, the last answers and errors, and what the API calls the provider. */
function factsOfProvider(provider, now) {
  const facts = provider.classes.flatMap((found) => {
    const name = CLASSES[found.asset_class] ?? found.asset_class;
    const last = found.last_success
      ? `last answer ${age(now - Date.parse(found.last_success))} ago`
      : "no answer yet";
    const error = found.last_error ? [[`${name}, error`, errorWords(found.last_error, now)]] : [];
    return [
      [`${name}, breaker`, breakerWords(found, now)],
      [`${name}, answers`, last],
      ...error,
    ];
  });
  const seconds = provider.budget.filter((limit) => provider.enabled && limit.window === "second");
  return [
    ...facts,
    ...seconds.map((limit) => ["Calls", `${limit.used} of ${limit.limit} in the last second`]),
    ["Name in the API", provider.provider],
  ];
}

function breakerWords(found, now) {
  const state = words(found.state).replace("half open", "half-open");
  const since = found.since ? `since ${clock(Date.parse(found.since), now)}` : "";
  const left = found.next_probe_at ? Date.parse(found.next_probe_at) - now : null;
  const probe = found.probing
    ? "probe under way"
    : left === null
      ? ""
      : left > 0
        ? `probe in ${countdown(left)}`
        : "probe due";
  return [state, found.reason && words(found.reason), since, probe].filter(Boolean).join(" · ");
}

function showBudget(item, limit, now) {
  if (!item.firstChild) {
    item.append(
      make("span", { class: "budget-words" }),
      make("span", { class: "budget-reset" }),
      make("span", { class: "meter", role: "meter", "aria-valuemin": 0 }, make("span")),
    );
  }
  const [count, reset, meter] = item.children;
  const share = Math.min(1, limit.used / limit.limit);
  const [calls, most] = [limit.used, limit.limit].map((number) => number.toLocaleString("en-US"));
  const used = `${calls} of ${most} a ${limit.window}`;
  tell(count, used);
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

function waitWords(provider, now) {
  const held = provider.held_until ? Date.parse(provider.held_until) - now : 0;
  if (held > 0) return `It asked us to wait: ${countdown(held)} left`;
  const next = provider.enabled && provider.next_call_at ? Date.parse(provider.next_call_at) - now : 0;
  return next > SLOT ? `The budget allows the next call in ${countdown(next)}` : "";
}

function errorWords(error, now) {
  const at = Date.parse(error.at);
  return `${words(error.outcome)} ${age(now - at)} ago: ${error.detail}`;
}
