// The state of the page, and the requests that keep the state up to date. The page polls the API
// once a slot, less often while the API does not answer, and not while the page is hidden.

const board = {
  health: null,
  providers: null,
  entries: new Map(), // symbol -> quote or error of the last answer
  reasons: new Map(), // symbol of a stale quote -> the error that says why there is no newer quote
  watched: storedWatched(),
  currency: storedCurrency(), // currency to show prices in; "" for the own currency of each quote
  aheadMs: 0, // how far the clock of the service is ahead of the clock of this browser
  answeredAt: null, // when all requests of a poll were last answered, by the clock of this browser
  outage: null, // message of the error that the last poll failed with
  failures: 0, // polls in a row that failed
  nextAt: null, // when the next poll begins, by the clock of this browser
};
const opened = Date.now();
const names = new Map(); // symbol -> name
const nameSearched = new Set(); // symbols whose names were searched for
const historyLoaded = new Set(); // symbols whose recorded prices were fetched
// After a longer gap between two answers the recorded prices are fetched again.
const LONG_GAP_MS = 2 * MINUTE_MS;
let timer = 0;
let polling = null;
let areTopNamesRequested = false;
let isHistoryLoading = false;

const serviceNow = () => Date.now() + board.aheadMs;
const currencyParameter = () => (board.currency ? `&currency=${board.currency}` : "");

/** The class of a symbol in canonical spelling. */
function classOf(symbol) {
  return symbol.includes("/") ? "forex" : symbol.includes("-") ? "crypto" : "stocks";
}

/** The symbols of each class: the active symbols of the service, and the watched symbols. */
function shownClasses() {
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
  return Object.values(shownClasses()).flatMap((group) => group.symbols);
}

/** Fetch health, providers and quotes. Throws `RequestError` if one of the requests fails. */
async function fetchAll() {
  const health = getJson("health").then((answer) => {
    // Without its cache the service names no symbols. The symbols of the last answer are kept then.
    const { classes } = answer.quotes;
    const known = classes.length ? classes : (board.health?.quotes.classes ?? []);
    board.health = { ...answer, quotes: { ...answer.quotes, classes: known } };
    const { last_slot: slot, lag_s: lag } = answer.loop;
    if (slot) board.aheadMs = Date.parse(slot) + lag * 1000 - Date.now();
  });
  const providers = getJson("v1/providers").then((answer) => {
    board.providers = answer;
  });
  // Only the first request for quotes waits for health, because health names the active symbols.
  if (!board.health) await health;
  const quotes = fetchShownQuotes();
  const outcomes = await Promise.allSettled([health, providers, quotes]);
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed) throw failed.reason;
}

async function fetchShownQuotes() {
  const { currency } = board;
  const requested = new Set(shownSymbols());
  const { entries, aliases } = await fetchQuotes([...requested], currencyParameter());
  if (currency !== board.currency) return; // another currency was chosen meanwhile
  useCanonical(aliases);
  // Symbols that were added meanwhile are not in the answer. Their entries are kept.
  const added = shownSymbols().filter(
    (symbol) => !requested.has(symbol) && board.entries.has(symbol),
  );
  board.entries = new Map([
    ...added.map((symbol) => [symbol, board.entries.get(symbol)]),
    ...entries,
  ]);
  for (const entry of entries.values()) if ("price" in entry) addPrice(entry, serviceNow());
  const stale = [...entries.values()].filter((entry) => entry.stale).map((entry) => entry.symbol);
  board.reasons = await fetchReasons(stale);
}

/** Replace watched symbols by their canonical spelling. The address may have other spellings. */
function useCanonical(aliases) {
  if (!board.watched.some((symbol) => symbol in aliases)) return;
  board.watched = [...new Set(board.watched.map((symbol) => aliases[symbol] ?? symbol))];
  storeWatched(board.watched);
}

async function poll() {
  clearTimeout(timer);
  if (polling || document.hidden) return polling;
  byId("page").dataset.asking = "yes";
  polling = fetchAll().then(
    () => {
      if (Date.now() - board.answeredAt > LONG_GAP_MS) historyLoaded.clear();
      Object.assign(board, { answeredAt: Date.now(), outage: null, failures: 0 });
      loadHistory();
      loadNames();
    },
    (error) => {
      board.failures += 1;
      board.outage = error.message;
    },
  );
  await polling;
  polling = null;
  if (board.outage) showAll();
  else reportAwaited();
  storeRecentPrices(serviceNow());
  schedulePoll(board.failures ? msUntilRetry(board.failures) : msUntilNextSlot(serviceNow()));
  byId("page").dataset.asking = "no";
}

function schedulePoll(delay) {
  clearTimeout(timer);
  if (document.hidden) return;
  board.nextAt = Date.now() + delay;
  timer = setTimeout(poll, delay);
}

/** Fetch the recorded prices of shown symbols that have none yet. */
async function loadHistory() {
  if (isHistoryLoading) return;
  const symbols = shownSymbols().filter((symbol) => "price" in (board.entries.get(symbol) ?? {}));
  const missing = symbols.filter((symbol) => !historyLoaded.has(symbol));
  if (!missing.length) return;
  isHistoryLoading = true;
  try {
    const histories = await fetchHistory(missing);
    for (const symbol of missing) historyLoaded.add(symbol);
    for (const [symbol, points] of histories) addHistory(symbol, points, serviceNow());
    showAll();
  } catch {
    // The sparklines show the prices that this page has seen. The next poll tries again.
  } finally {
    isHistoryLoading = false;
  }
}

/** Fetch the names of the best-known assets once, and then the names of other shown symbols. */
async function loadNames() {
  if (!areTopNamesRequested) {
    areTopNamesRequested = true;
    const classes = (board.health?.assets ?? [])
      .filter((list) => list.total !== null)
      .map((list) => list.asset_class);
    const assets = await fetchTopAssets(classes, 200).catch(() => []);
    for (const asset of assets) names.set(asset.symbol, asset.name);
    fillCurrencies(
      assets.map(({ symbol }) => symbol).filter((symbol) => symbol.includes("/")),
      board.currency,
    );
    showAll();
  }
  const unnamed = shownSymbols().filter(
    (symbol) => !names.has(symbol) && !nameSearched.has(symbol),
  );
  for (const symbol of unnamed) {
    nameSearched.add(symbol);
    const assets = await searchAssets(symbol, 1).catch(() => []);
    if (assets[0]?.symbol === symbol) names.set(symbol, assets[0].name);
  }
  if (unnamed.length) showAll();
}
