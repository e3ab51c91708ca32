// Ask, show, and ask again with the next slot; less often while nobody answers, and never unseen.

const board = {
  health: null,
  providers: null,
  entries: new Map(), // symbol -> quote or error, the last that was told
  reasons: new Map(), // symbol -> why its stale quote has no younger one
  watched: recallWatched(),
  ahead: 0, // ms that the service's clock is ahead of ours
  answered: null, // when the API last answered in full, by our clock
  trouble: null, // { since, message } while it does not
  failures: 0,
  next: null, // when it is asked next, by our clock
};
const opened = Date.now();
let timer = 0;
let asking = null;
let isNamed = false;

const serviceNow = () => Date.now() + board.ahead;

function activeGroups() {
  const groups = {};
  for (const name of Object.keys(CLASSES)) {
    const told = board.health?.quotes.classes.find((entry) => entry.asset_class === name);
    groups[name] = { symbols: [...(told?.symbols ?? [])], total: told?.active ?? 0 };
  }
  for (const symbol of board.watched) {
    const group = groups[board.entries.get(symbol)?.asset_class ?? classOf(symbol)];
    if (!group.symbols.includes(symbol)) {
      group.symbols.push(symbol);
      group.total += 1;
    }
  }
  return groups;
}

async function askAll() {
  const health = ask("health").then((told) => {
    // A cache that is away names no symbols; those of before still stand.
    const classes = told.quotes.classes.length ? told.quotes.classes : board.health?.quotes.classes;
    board.health = { ...told, quotes: { ...told.quotes, classes: classes ?? [] } };
    const { last_slot: slot, lag_s: lag } = told.loop;
    if (slot) board.ahead = Date.parse(slot) + lag * 1000 - Date.now();
  });
  const providers = ask("v1/providers").then((told) => {
    board.providers = told;
  });
  // Only the first question has to wait for the answer that names the symbols.
  if (!board.health) await health;
  const symbols = Object.values(activeGroups()).flatMap((group) => group.symbols);
  const quotes = askQuotes(symbols).then(async (entries) => {
    board.entries = entries;
    for (const entry of entries.values()) if ("price" in entry) remember(entry, serviceNow());
    const stale = [...entries.values()].filter((entry) => entry.stale).map((entry) => entry.symbol);
    board.reasons = await askReasons(stale);
  });
  const outcomes = await Promise.allSettled([health, providers, quotes]);
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed) throw failed.reason;
}

async function poll() {
  clearTimeout(timer);
  if (asking || document.hidden) return asking;
  byId("page").dataset.asking = "yes";
  asking = askAll().then(
    () => {
      Object.assign(board, { answered: Date.now(), trouble: null, failures: 0 });
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
  showAll();
  keepSeen();
  schedule(board.failures ? untilRetry(board.failures) : untilNextSlot(serviceNow()));
  byId("page").dataset.asking = "no";
}

function schedule(delay) {
  clearTimeout(timer);
  if (document.hidden) return;
  board.next = Date.now() + delay;
  timer = setTimeout(poll, delay);
}

/** The names of the best-known assets, once: a symbol alone says little to a newcomer. */
async function nameSymbols() {
  if (isNamed) return;
  isNamed = true;
  const pages = await askAssets(listedClasses(), "", 200).catch(() => []);
  for (const asset of pages.flat()) names.set(asset.symbol, asset.name);
  showAll();
}

function listedClasses() {
  return (board.health?.assets ?? [])
    .filter((list) => list.total !== null)
    .map((list) => list.asset_class);
}

function showAll() {
  document.body.classList.toggle("down", board.trouble !== null);
  byId("simulated").hidden = (board.health ?? board.providers)?.market !== "simulated";
  showVerdict();
  showPrices({
    groups: activeGroups(),
    entries: board.entries,
    reasons: board.reasons,
    watched: new Set(board.watched),
    asOf: board.trouble && `as of ${since()}`,
    onRemove: stopWatching,
  });
  if (board.providers) showProviders(board.providers.providers, serviceNow());
  tick();
}

/** When the API was last heard of, in full. */
function since() {
  return clock(board.answered ?? opened, Date.now());
}

function showVerdict() {
  const { health, trouble } = board;
  const status = trouble ? "down" : (health?.status ?? "loading");
  const verdict = byId("verdict");
  verdict.dataset.status = status;
  tell(
    verdict,
    {
      healthy: "Healthy",
      degraded: "Degraded",
      unhealthy: "Unhealthy",
      loading: "Loading",
      down: trouble && `No new data since ${since()}. ${trouble.message}`,
    }[status],
  );
  document.title =
    status === "healthy"
      ? "Market data"
      : `${status[0].toUpperCase()}${status.slice(1)} · Market data`;
  const reasons = trouble ? [] : (health?.reasons ?? []);
  const list = byId("reasons");
  list.hidden = reasons.length === 0;
  if (list.dataset.told !== reasons.join()) {
    list.dataset.told = reasons.join();
    list.replaceChildren(...reasons.map((reason) => make("li", {}, reason)));
  }
  byId("again").hidden = !trouble;
  if (!health || trouble) {
    for (const id of ["fresh", "closed"]) tell(byId(id), "not known");
    return;
  }
  const { classes } = health.quotes;
  const sum = (key) => classes.reduce((total, entry) => total + entry[key], 0);
  tell(
    byId("fresh"),
    `${sum("fresh").toLocaleString("en-US")} of ${sum("active").toLocaleString("en-US")}`,
  );
  const enabled = health.providers.filter((entry) => entry.state !== "disabled");
  tell(
    byId("closed"),
    `${enabled.filter((entry) => entry.state === "closed").length} of ${enabled.length}`,
  );
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
keepWatched(board.watched);
startSearch(listedClasses, startWatching);
setInterval(() => document.hidden || tick(), 1000);
poll();
