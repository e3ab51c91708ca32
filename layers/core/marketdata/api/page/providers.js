// The cards of the providers: state for each asset class, budget, and details of the breakers.

const LEVEL_MARKS = { ok: "✓", idle: "○", failing: "▲", paused: "■", off: "–" };
const WORST_FIRST = ["paused", "failing", "ok", "idle", "off"];
// A provider whose last answer is older is shown as idle.
const RECENT_MS = 10 * MINUTE_MS;
// Outcomes in which the provider has answered.
const ANSWERED_OUTCOMES = new Set(["ok", "partial", "bad_row", "not_entitled"]);

const cards = new Map(); // provider -> the nodes of its card, and the answer of the API

/**
 * Whether the newest call that found a provider unavailable is more than a slot later than the
 * newest answer of any provider.
 */
function allUnreachable(providers) {
  const classes = providers
    .filter((provider) => provider.enabled)
    .flatMap(({ classes }) => classes);
  const newest = (times) => Math.max(0, ...times.filter(Boolean).map((at) => Date.parse(at)));
  const answered = newest(classes.map((classState) => classState.last_success));
  const unreachable = classes.filter(isFailing).map((classState) => classState.last_error);
  const failed = newest(
    unreachable.filter((error) => error.outcome === "unavailable").map((error) => error.at),
  );
  return failed - answered > SLOT_MS;
}

function isFailing({ last_error: error, last_success: success }) {
  if (!error || ANSWERED_OUTCOMES.has(error.outcome)) return false;
  return !success || Date.parse(error.at) > Date.parse(success);
}

/** The state of a provider for one class: a level, which decides the colour, and a text. */
function stateOf(classState, provider, isUnreachable, now) {
  if (classState.state === "disabled") {
    return { level: "off", text: `off, ${codeText(classState.reason ?? "no key")}` };
  }
  const retry = (at) => {
    const left = at ? Date.parse(at) - now : 0;
    return left > 0 ? `paused, retry in ${countdownText(left)}` : "paused, retry due";
  };
  if (classState.state === "open")
    return { level: "paused", text: retry(classState.next_probe_at) };
  if (classState.state === "half_open") {
    return {
      level: "failing",
      text: classState.probing ? "paused, trying now" : "paused, retry due",
    };
  }
  if (provider.held_until && Date.parse(provider.held_until) > now) {
    return { level: "failing", text: retry(provider.held_until) };
  }
  if (isFailing(classState)) return { level: "failing", text: "failing" };
  if (!classState.last_success) return { level: "idle", text: "not used yet" };
  const isRecent = now - Date.parse(classState.last_success) <= RECENT_MS;
  return isRecent && !isUnreachable ? { level: "ok", text: "OK" } : { level: "idle", text: "idle" };
}

/** The state of all providers: how many are in which level, and the level of the worst. */
function summaryOf(providers, now) {
  const isUnreachable = allUnreachable(providers);
  const counts = {};
  for (const provider of providers) {
    const levels = provider.classes.map(
      (classState) => stateOf(classState, provider, isUnreachable, now).level,
    );
    const level = WORST_FIRST.find((each) => levels.includes(each)) ?? "off";
    counts[level] = (counts[level] ?? 0) + 1;
  }
  const names = { paused: "paused", failing: "failing", ok: "OK", idle: "idle", off: "off" };
  const order = ["ok", "failing", "paused", "idle", "off"];
  const text = order
    .filter((level) => counts[level])
    .map((level) => `${counts[level]} ${names[level]}`);
  const level = counts.paused || isUnreachable ? "paused" : counts.failing ? "failing" : "ok";
  return { level, text: isUnreachable ? "none answers" : text.join(", "), isUnreachable };
}

function makeCard(provider) {
  const name = PROVIDERS[provider.provider] ?? provider.provider;
  const title = make("h3", { id: `provider-${provider.provider}` }, name);
  const details = make("dl", { id: `breakers-${provider.provider}`, hidden: "" });
  const toggle = make(
    "button",
    { type: "button", class: "toggle", "aria-expanded": "false", "aria-controls": details.id },
    "Details",
    visuallyHidden(` of ${name}`),
    make("span", { class: "chevron", "aria-hidden": "true" }),
  );
  toggle.addEventListener("click", () => {
    details.hidden = !details.hidden;
    setAttribute(toggle, "aria-expanded", String(!details.hidden));
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

/** Show what the API answered about the providers. */
function showProviders(providers, now) {
  for (const provider of providers) {
    if (!cards.has(provider.provider)) {
      cards.set(provider.provider, makeCard(provider));
      byId("providers").append(cards.get(provider.provider).card);
    }
    cards.get(provider.provider).provider = provider;
  }
  updateCards(now);
}

/** Bring the cards up to date. Their countdowns and ages change with time. */
function updateCards(now) {
  const isUnreachable = allUnreachable([...cards.values()].map(({ provider }) => provider));
  for (const parts of cards.values()) {
    const { provider } = parts;
    parts.card.classList.toggle("off", !provider.enabled);
    showList(parts.states, provider.classes, (item, classState) =>
      showState(item, classState, stateOf(classState, provider, isUnreachable, now)),
    );
    const failing = provider.classes.filter(
      (classState) =>
        classState.last_error && (isFailing(classState) || classState.state !== "closed"),
    );
    const newest = failing.sort((a, b) => (a.last_error.at < b.last_error.at ? 1 : -1))[0];
    setText(parts.error, provider.enabled && newest ? errorText(newest.last_error, now) : "");
    // A limit per second is shown only when most of its calls are used. The details always show it.
    const budget = provider.budget.filter(
      (limit) => limit.window !== "second" || limit.used >= 0.8 * limit.limit,
    );
    showList(parts.budgets, provider.enabled ? budget : [], (item, limit) =>
      showBudget(item, limit, now),
    );
    setText(parts.wait, waitText(provider, now));
    showFacts(parts, providerFacts(provider, now));
  }
}

function showList(list, entries, show) {
  while (list.children.length > entries.length) list.lastChild.remove();
  entries.forEach((entry, index) => {
    if (!list.children[index]) list.append(make("li"));
    show(list.children[index], entry);
  });
}

function showState(item, classState, { level, text }) {
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
  setText(mark, LEVEL_MARKS[level]);
  setText(name, CLASSES[classState.asset_class] ?? classState.asset_class);
  setText(state, text);
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
    setText(term, name);
    setText(value, text);
  });
}

/** The details of a provider: breakers, last answers and errors, and its name in the API. */
function providerFacts(provider, now) {
  const facts = provider.classes.flatMap((classState) => {
    const name = CLASSES[classState.asset_class] ?? classState.asset_class;
    const last = classState.last_success
      ? `last answer ${durationText(now - Date.parse(classState.last_success))} ago`
      : "no answer yet";
    const error = classState.last_error
      ? [[`${name}, error`, errorText(classState.last_error, now)]]
      : [];
    return [
      [`${name}, breaker`, breakerText(classState, now)],
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

function breakerText(classState, now) {
  const state = codeText(classState.state).replace("half open", "half-open");
  const since = classState.since ? `since ${timeText(Date.parse(classState.since), now)}` : "";
  const left = classState.next_probe_at ? Date.parse(classState.next_probe_at) - now : null;
  const probe = classState.probing
    ? "probe under way"
    : left === null
      ? ""
      : left > 0
        ? `probe in ${countdownText(left)}`
        : "probe due";
  return [state, classState.reason && codeText(classState.reason), since, probe]
    .filter(Boolean)
    .join(" · ");
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
  setText(count, used);
  const left = limit.resets_at ? Date.parse(limit.resets_at) - now : null;
  setText(
    reset,
    left === null ? "" : left > 0 ? `frees up in ${countdownText(left)}` : "frees up now",
  );
  setAttribute(
    reset,
    "title",
    limit.resets_at && `at ${timeText(Date.parse(limit.resets_at), now)}`,
  );
  setAttribute(meter, "aria-label", `Calls in the last ${limit.window}`);
  setAttribute(meter, "aria-valuemax", limit.limit);
  setAttribute(meter, "aria-valuenow", Math.min(limit.used, limit.limit));
  setAttribute(meter, "aria-valuetext", used);
  meter.dataset.level = share >= 1 ? "spent" : share >= 0.8 ? "high" : "fine";
  meter.firstChild.style.width = `${(share * 100).toFixed(1)}%`;
}

function waitText(provider, now) {
  const held = provider.held_until ? Date.parse(provider.held_until) - now : 0;
  if (held > 0) return `The provider asked us to wait: ${countdownText(held)} left`;
  const next =
    provider.enabled && provider.next_call_at ? Date.parse(provider.next_call_at) - now : 0;
  return next > SLOT_MS ? `The budget allows the next call in ${countdownText(next)}` : "";
}

function errorText(error, now) {
  const at = Date.parse(error.at);
  return `${codeText(error.outcome)} ${durationText(now - at)} ago: ${error.detail}`;
}
