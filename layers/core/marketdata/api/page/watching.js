// The symbols that the viewer watches. They are stored in the browser, and in the address of the
// page, which can be shared.

const WATCHED_KEY = "marketdata.watched";
const MAX_WATCHED = 50;
const HASH_PREFIX = "#watch=";
const NOTE_SHOWN_MS = 8000;
// Errors of symbols that may have a price later. Such a symbol stays watched.
const WAITING_CODES = new Set([
  "pending",
  "stale",
  "quarantined",
  "budget_exhausted",
  "provider_unavailable",
]);

// Watched symbols that have had no price yet.
const awaited = new Set();
let noteTimer = 0;

/** The symbols in the address; without any, the symbols of the last visit. */
function storedWatched() {
  if (location.hash.startsWith(HASH_PREFIX))
    return splitSymbols(location.hash.slice(HASH_PREFIX.length));
  return splitSymbols(readStored(WATCHED_KEY) ?? "");
}

function splitSymbols(text) {
  const parts = text.split(",").map((part) => {
    try {
      return decodeURIComponent(part).trim();
    } catch {
      return "";
    }
  });
  return [...new Set(parts.filter((part) => part && part.length <= 40))].slice(0, MAX_WATCHED);
}

function storeWatched(symbols) {
  const text = symbols.map(encodeURIComponent).join(",");
  const place = location.pathname + location.search;
  history.replaceState(null, "", symbols.length ? place + HASH_PREFIX + text : place);
  store(WATCHED_KEY, text);
}

/** Show a text below the search box, for some seconds or, if `stays`, until the next input. */
function showNote(text, stays = false) {
  const note = byId("found-note");
  setText(note, text);
  clearTimeout(noteTimer);
  if (!stays) noteTimer = setTimeout(clearNote, NOTE_SHOWN_MS);
}

function clearNote() {
  clearTimeout(noteTimer);
  setText(byId("found-note"), "");
}

function stopWatching(symbol, row) {
  const buttons = [...document.querySelectorAll(".remove")];
  const index = buttons.findIndex((button) => row.contains(button));
  unwatch([symbol]);
  showAll();
  // The button with the focus was removed. The next button gets the focus, or the search box.
  const next = [...document.querySelectorAll(".remove")];
  (next[Math.min(index, next.length - 1)] ?? byId("query")).focus();
  showNote(`${symbol} is no longer watched`);
}

function unwatch(symbols) {
  for (const symbol of symbols) awaited.delete(symbol);
  board.watched = board.watched.filter((symbol) => !symbols.includes(symbol));
  storeWatched(board.watched);
}

/** Watch the chosen symbols. `reportAwaited` confirms each symbol when its first price arrives. */
async function startWatching(choices) {
  let found;
  try {
    found = await fetchQuotes(
      choices.map(({ symbol }) => symbol),
      currencyParameter(),
    );
  } catch (error) {
    return showNote(error.message, true);
  }
  const shown = new Set(shownSymbols());
  const known = [];
  const added = [];
  const errors = [];
  for (const { symbol, name } of choices) {
    const entry = found.entries.get(found.aliases[symbol] ?? symbol);
    if (!entry || entry.code === "invalid_symbol") {
      errors.push(entry ? entry.message + suggestionText(entry) : `${symbol} is not a symbol`);
      continue;
    }
    if (name) names.set(entry.symbol, name);
    board.entries.set(entry.symbol, entry);
    if (shown.has(entry.symbol)) known.push(entry.symbol);
    else if (board.watched.length + added.length >= MAX_WATCHED)
      errors.push(`At most ${MAX_WATCHED} symbols are watched`);
    else if (!added.includes(entry.symbol)) added.push(entry.symbol);
  }
  board.watched = [...board.watched, ...added];
  for (const symbol of added) awaited.add(symbol);
  storeWatched(board.watched);
  const knownText = known.length ? `${joinNames(known)} ${isOrAre(known)} already on the page` : "";
  reportAwaited([knownText, ...new Set(errors)]);
  for (const symbol of [...known, ...added]) highlight(symbol);
  loadHistory();
}

/**
 * Show which awaited symbols have a price now and which cannot have one. Symbols that cannot have
 * a price are no longer watched. `more` are further sentences to show.
 */
function reportAwaited(more = []) {
  const [priced, none, late] = [[], [], []];
  for (const symbol of awaited) {
    const entry = board.entries.get(symbol);
    if (!entry || entry.code === "pending") continue;
    if ("price" in entry) priced.push(symbol);
    else if (WAITING_CODES.has(entry.code)) late.push(entry);
    else none.push(entry);
    awaited.delete(symbol);
  }
  unwatch(none.map(({ symbol }) => symbol));
  const sentences = [
    priced.length && `${joinNames(priced)} ${isOrAre(priced)} watched`,
    ...none.map(
      (entry) => `${entry.symbol} is not watched: ${entry.message}${suggestionText(entry)}`,
    ),
    ...late.map((entry) => `${entry.symbol} has no price yet: ${entry.message}`),
    awaited.size && `Waiting for the first price of ${joinNames([...awaited])}`,
    ...more,
  ].filter(Boolean);
  showAll();
  if (sentences.length)
    showNote(sentences.join(". "), none.length + late.length + awaited.size > 0);
}

function suggestionText({ suggestions = [] }) {
  return suggestions.length ? ` (did you mean ${suggestions.slice(0, 3).join(", ")}?)` : "";
}

function isOrAre(symbols) {
  return symbols.length === 1 ? "is" : "are";
}

/** Bring a row into view and highlight it for a moment. */
function highlight(symbol) {
  const row = rows.get(symbol)?.row;
  if (!row) return;
  row.scrollIntoView({ block: "nearest" });
  row.classList.add("highlighted");
  row.addEventListener("animationend", () => row.classList.remove("highlighted"), { once: true });
}
