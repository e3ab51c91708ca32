// Ask, show, and ask again with the next slot; less often while nobody answers, and never unseen.

const board = {
  health: null,
  providers: null,
  entries: new Map(), // symbol -> quote or error, of the last answer
  reasons: new Map(), // symbol -> why its stale quote has no younger one
  watched: recallWatched(),
  currency: recallCurrency(), // the code of the currency to show prices in, "" for the currency of each quote
  ahead: 0, // ms that the service's clock is ahead of ours
  answered: null, // when the API last answered in full, by our clock
  trouble: null, // { since, message } while it does not
  failures: 0,
  next: null, // when it is asked next, by our clock
};
const opened = Date.now();
const recorded = new Set(); // symbols whose history was asked for
const nameless = new Set(); // symbols that no list has a name for
// After a longer silence the lines lack what the service recorded meanwhile.
const LONG_SILENCE = 2 * MINUTE;
let timer = 0;
let asking = null;
let areNamesAsked = false;
let isHistoryAsked = false;

const serviceNow = () => Date.now() + board.ahead;
const inCurrency = () => (board.currency ? `&currency=${board.currency}` : "");

function activeClasses() {
  const classes = {};
  for (const name of Object.keys(CLASSES)) {
    const active = board.health?.quotes.classes.find((entry) => entry.asset_class === name);
    classes[name] = { symbols: [...(active?.symbols ?? [])], total: active?.active ?? 0 };
  }
  for (const symbol of board.watched) {
    const group = classes[board.entries.get(symbol)?.asset_class ?? classOf(symbol)];
    if (!group.symbols.includes(symbol)) {
      group.symbols.push(symbol);
      group.total += 1;
    }
  }
  return classes;
}

function shownSymbols() {
  return Object.values(activeClasses()).flatMap((group) => group.symbols);
}

async function askAll() {
  const health = ask("health").then((found) => {
    // A cache that is away names no symbols; those of before still stand.
    const classes = found.quotes.classes.length ? found.quotes.classes : board.health?.quotes.classes;
    board.health = { ...found, quotes: { ...found.quotes, classes: classes ?? [] } };
    const { last_slot: slot, lag_s: lag } = found.loop;
    if (slot) board.ahead = Date.parse(slot) + lag * 1000 - Date.now();
  });
  const providers = ask("v1/providers").then((found) => {
    board.providers = found;
  });
  // Only the first question has to wait for the answer that names the symbols.
  if (!board.health) await health;
  const { currency } = board;
  const asked = new Set(shownSymbols());
  const quotes = askQuotes([...asked], inCurrency()).then(async ({ entries, aliases }) => {
    if (currency !== board.currency) return; // chosen anew meanwhile
    useCanonical(aliases);
    // What was added meanwhile was not asked for here.
    const added = shownSymbols().filter((symbol) => !asked.has(symbol));
    const newer = added.map((symbol) => [symbol, board.entries.get(symbol)]);
    board.entries = new Map([...newer.filter(([, entry]) => entry), ...entries]);
    for (const entry of entries.values()) if ("price" in entry) remember(entry, serviceNow());
    const stale = [...entries.values()].filter((entry) => entry.stale).map((entry) => entry.symbol);
    board.reasons = await askReasons(stale);
  });
  const outcomes = await Promise.allSettled([health, providers, quotes]);
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed) throw failed.reason;
}

/** Symbols in the address may be in any spelling; their rows have the canonical one. */
function useCanonical(aliases) {
  if (!board.watched.some((symbol) => symbol in aliases)) return;
  board.watched = [...new Set(board.watched.map((symbol) => aliases[symbol] ?? symbol))];
  keepWatched(board.watched);
}

async function poll() {
  clearTimeout(timer);
  if (asking || document.hidden) return asking;
  byId("page").dataset.asking = "yes";
  asking = askAll().then(
    () => {
      if (Date.now() - board.answered > LONG_SILENCE) recorded.clear();
      Object.assign(board, { answered: Date.now(), trouble: null, failures: 0 });
      fillHistory();
      nameSymbols();
    },
    (error) => {
      board.failures += 1;
      board.trouble ??= { since: Date.now() };
      board.trouble.message = error.message;
    },
  );
  await asking;
  asking = null;
  if (board.trouble) showAll();
  else report();
  keepSeen(serviceNow());
  schedule(board.failures ? untilRetry(board.failures) : untilNextSlot(serviceNow()));
  byId("page").dataset.asking = "no";
}

function schedule(delay) {
  clearTimeout(timer);
  if (document.hidden) return;
  board.next = Date.now() + delay;
  timer = setTimeout(poll, delay);
}

/** The recorded prices of the symbols whose lines lack them: all at first, later the new ones. */
async function fillHistory() {
  if (isHistoryAsked) return;
  const symbols = shownSymbols().filter((symbol) => "price" in (board.entries.get(symbol) ?? {}));
  const wanted = symbols.filter((symbol) => !recorded.has(symbol));
  if (!wanted.length) return;
  isHistoryAsked = true;
  try {
    const found = await askHistory(wanted);
    for (const symbol of wanted) recorded.add(symbol);
    for (const [symbol, points] of found) addHistory(symbol, points, serviceNow());
    showAll();
  } catch {
    // The lines begin with what this page sees, and it asks again.
  } finally {
    isHistoryAsked = false;
  }
}

/** The names of the best-known assets, once, and then of each other symbol. */
async function nameSymbols() {
  if (!areNamesAsked) {
    areNamesAsked = true;
    const classes = (board.health?.assets ?? [])
      .filter((list) => list.total !== null)
      .map((list) => list.asset_class);
    const assets = await askAssets(classes, 200).catch(() => []);
    for (const asset of assets) names.set(asset.symbol, asset.name);
    fillCurrencies(
      assets.map(({ symbol }) => symbol).filter((symbol) => symbol.includes("/")),
      board.currency,
    );
    showAll();
  }
  const unnamed = shownSymbols().filter((symbol) => !names.has(symbol) && !nameless.has(symbol));
  for (const symbol of unnamed) {
    nameless.add(symbol);
    const found = await askSearch(symbol, 1).catch(() => []);
    if (found[0]?.symbol === symbol) names.set(symbol, found[0].name);
  }
  if (unnamed.length) showAll();
}

function showAll() {
  document.body.classList.toggle("down", board.trouble !== null);
  showMarket((board.health ?? board.providers)?.market);
  showVerdict();
  showPrices({
    classes: activeClasses(),
    entries: board.entries,
    reasons: board.reasons,
    watched: new Set(board.watched),
    asOf: board.trouble && `as of ${since()}`,
    onRemove: stopWatching,
    onSort: showAll,
  });
  const quotes = [...board.entries.values()].filter((entry) => "price" in entry);
  const rates = rateWords(quotes, board.currency);
  tell(byId("rates"), rates);
  attribute(byId("rates"), "title", rates || null);
  byId("empty").hidden = !board.health || shownSymbols().length > 0;
  if (board.providers) showProviders(board.providers.providers, serviceNow());
  tick();
}

function showMarket(market) {
  const mark = byId("market");
  mark.hidden = !market;
  if (!market) return;
  mark.dataset.market = market;
  tell(mark.firstElementChild, market === "simulated" ? "Simulated" : "Live");
  tell(mark.lastElementChild, market === "simulated" ? "Every price on this page is invented." : "");
}

/** When the API last answered in full. */
function since() {
  return clock(board.answered ?? opened, Date.now());
}

function showVerdict() {
  const { health, trouble } = board;
  const providers = board.providers && providersInWords(board.providers.providers, serviceNow());
  let status = trouble ? "down" : (health?.status ?? "loading");
  const isQuiet = !trouble && status === "healthy" && providers?.isQuiet;
  if (isQuiet) status = "degraded"; // before it shows in the age of the prices
  const verdict = byId("verdict");
  verdict.dataset.status = status;
  const text = {
    healthy: "Healthy",
    degraded: "Degraded",
    unhealthy: "Unhealthy",
    loading: "Loading",
    down: trouble && `No new data since ${since()}. ${trouble.message}`,
  };
  tell(verdict, text[status]);
  document.title =
    status === "healthy"
      ? "Market Data Aggregator"
      : `${status[0].toUpperCase()}${status.slice(1)} · Market Data Aggregator`;
  showReasons(trouble ? [] : isQuiet ? ["no provider answers"] : (health?.reasons ?? []));
  byId("again").hidden = !trouble;
  const node = byId("providers-state");
  const isKnown = health && providers && !trouble;
  tell(node, isKnown ? providers.text : "not known");
  attribute(node, "data-level", isKnown ? providers.level : null);
  tell(byId("fresh"), isKnown ? freshWords(health.quotes.classes) : "not known");
}

function freshWords(classes) {
  const sum = (key) => classes.reduce((total, entry) => total + entry[key], 0);
  return `${sum("fresh").toLocaleString("en-US")} of ${sum("active").toLocaleString("en-US")}`;
}

function showReasons(reasons) {
  const list = byId("reasons");
  list.hidden = reasons.length === 0;
  if (list.dataset.shown === reasons.join()) return;
  list.dataset.shown = reasons.join();
  list.replaceChildren(...reasons.map((reason) => make("li", {}, reason)));
}

/** What runs with the clock, once a second. */
function tick() {
  const now = serviceNow();
  showAges(now);
  tickProviders(now);
  const slot = board.health?.loop.last_slot;
  const lag = slot ? now - Date.parse(slot) : null;
  tell(byId("loop"), lag === null ? "not yet" : `${age(lag)} ago`);
  byId("loop").classList.toggle("late", lag > 3 * SLOT);
  const oldest = (board.health?.assets ?? []).map((list) => Date.parse(list.updated_at ?? ""));
  const ages = oldest.filter((at) => at > 0).map((at) => now - at);
  tell(byId("lists"), ages.length ? `${age(Math.max(...ages))} old` : "none yet");
  tell(byId("page"), pageWords());
}

function pageWords() {
  const left = Math.max(0, Math.ceil((board.next - Date.now()) / 1000));
  if (board.trouble) return asking ? "trying again" : `tries again in ${left} s`;
  return board.answered ? `updated ${age(Date.now() - board.answered)} ago` : "loading";
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) clearTimeout(timer);
  else poll();
});
window.addEventListener("online", poll);
window.addEventListener("hashchange", () => {
  board.watched = recallWatched();
  poll();
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address is the watch list's
  byId("prices").focus();
});
byId("again").addEventListener("click", () => {
  byId("query").focus(); // the button goes once there is an answer
  poll();
});
tell(byId("zone"), Intl.DateTimeFormat().resolvedOptions().timeZone ?? "local");
byId("unscripted").remove();
recallSeen();
recallSorting();
keepWatched(board.watched);
startSearch(startWatching);
startCurrency(board.currency, async (code) => {
  board.currency = code;
  await asking; // for the currency of before
  poll();
});
setInterval(() => document.hidden || tick(), 1000);
poll();
