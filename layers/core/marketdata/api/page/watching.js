// The symbols that this viewer watches: kept in the browser, and in the address, to be shared.

const WATCHED = "marketdata.watched";
const MOST_WATCHED = 50;
const MARK = "#watch=";
const SAID_FOR = 8000;
// A price may still come: the row stays, and says what it waits for.
const MAY_COME = new Set([
  "pending",
  "stale",
  "quarantined",
  "budget_exhausted",
  "provider_unavailable",
]);

// Symbols that were asked for and have no price yet.
const awaited = new Set();
let saidUntil = 0;

/** Those of the address, or else those of the last visit. */
function recallWatched() {
  if (location.hash.startsWith(MARK)) return split(location.hash.slice(MARK.length));
  return split(recall(WATCHED) ?? "");
}

function split(text) {
  const parts = text.split(",").map((part) => {
    try {
      return decodeURIComponent(part).trim();
    } catch {
      return "";
    }
  });
  return [...new Set(parts.filter((part) => part && part.length <= 40))].slice(0, MOST_WATCHED);
}

function keepWatched(symbols) {
  const text = symbols.map(encodeURIComponent).join(",");
  const place = location.pathname + location.search;
  history.replaceState(null, "", symbols.length ? place + MARK + text : place);
  keep(WATCHED, text);
}

/** Say something beside the box, above the page, so that nothing moves for it. */
function say(text, stays = false) {
  const note = byId("found-note");
  tell(note, text);
  clearTimeout(saidUntil);
  if (!stays) saidUntil = setTimeout(hush, SAID_FOR);
}

function hush() {
  clearTimeout(saidUntil);
  tell(byId("found-note"), "");
}

function stopWatching(symbol, row) {
  const buttons = [...document.querySelectorAll(".remove")];
  const index = buttons.findIndex((button) => row.contains(button));
  unwatch([symbol]);
  showAll();
  // The button that had the focus is gone; the next one takes it, or the box that brings new ones.
  const next = [...document.querySelectorAll(".remove")];
  (next[Math.min(index, next.length - 1)] ?? byId("query")).focus();
  say(`${symbol} is no longer watched`);
}

function unwatch(symbols) {
  for (const symbol of symbols) awaited.delete(symbol);
  board.watched = board.watched.filter((symbol) => !symbols.includes(symbol));
  keepWatched(board.watched);
}

/** Watch what was chosen; that it is watched is said as soon as there is a price of it. */
async function startWatching(choices) {
  let found;
  try {
    found = await askQuotes(choices.map(({ symbol }) => symbol), inCurrency());
  } catch (error) {
    return say(error.message, true);
  }
  const shown = new Set(shownSymbols());
  const known = [];
  const added = [];
  const errors = [];
  for (const { symbol, name } of choices) {
    const entry = found.entries.get(found.aliases[symbol] ?? symbol);
    if (!entry || entry.code === "invalid_symbol") {
      errors.push(entry?.message ?? `${symbol} is no symbol`);
      continue;
    }
    if (name) names.set(entry.symbol, name);
    board.entries.set(entry.symbol, entry);
    if (shown.has(entry.symbol)) known.push(entry.symbol);
    else if (board.watched.length + added.length >= MOST_WATCHED)
      errors.push(`At most ${MOST_WATCHED} symbols are watched`);
    else if (!added.includes(entry.symbol)) added.push(entry.symbol);
  }
  board.watched = [...board.watched, ...added];
  for (const symbol of added) awaited.add(symbol);
  keepWatched(board.watched);
  const isThere = known.length ? `${listed(known)} ${areOrIs(known)} there already` : "";
  report([isThere, ...new Set(errors)]);
  for (const symbol of [...known, ...added]) point(symbol);
  fillHistory();
}

/** Tell apart, with each answer, which of the awaited symbols have a price now, and which have none. */
function report(more = []) {
  const [priced, none, late] = [[], [], []];
  for (const symbol of awaited) {
    const entry = board.entries.get(symbol);
    if (!entry || entry.code === "pending") continue;
    if ("price" in entry) priced.push(symbol);
    else if (MAY_COME.has(entry.code)) late.push(entry);
    else none.push(entry);
    awaited.delete(symbol);
  }
  unwatch(none.map(({ symbol }) => symbol));
  const sentences = [
    priced.length && `${listed(priced)} ${areOrIs(priced)} watched`,
    ...none.map((entry) => `${entry.symbol} is not watched: ${entry.message}${meant(entry)}`),
    ...late.map((entry) => `${entry.symbol} has no price yet: ${entry.message}`),
    awaited.size && `Waiting for the first price of ${listed([...awaited])}`,
    ...more,
  ].filter(Boolean);
  showAll();
  if (sentences.length) say(sentences.join(". "), none.length + late.length + awaited.size > 0);
}

function meant({ suggestions = [] }) {
  return suggestions.length ? ` (did you mean ${suggestions.slice(0, 3).join(", ")}?)` : "";
}

function areOrIs(symbols) {
  return symbols.length === 1 ? "is" : "are";
}

/** Bring a row into view and let it light up. */
function point(symbol) {
  const row = rows.get(symbol)?.row;
  if (!row) return;
  row.scrollIntoView({ block: "nearest" });
  row.classList.add("found");
  row.addEventListener("animationend", () => row.classList.remove("found"), { once: true });
}
