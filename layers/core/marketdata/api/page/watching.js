// The symbols that this viewer watches: kept in the browser, and in the address, to be shared.

const WATCHED = "marketdata.watched";
const MOST_WATCHED = 50;
const MARK = "#watch=";

/** Those of the address, or else those of the last visit. */
function recallWatched() {
  if (location.hash.startsWith(MARK)) return split(location.hash.slice(MARK.length));
  try {
    return split(localStorage.getItem(WATCHED) ?? "");
  } catch {
    return [];
  }
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
  try {
    localStorage.setItem(WATCHED, text);
  } catch {
    // The address has them.
  }
}

function stopWatching(symbol, row) {
  const buttons = [...document.querySelectorAll(".remove")];
  const place = buttons.findIndex((button) => row.contains(button));
  board.watched = board.watched.filter((other) => other !== symbol);
  keepWatched(board.watched);
  showAll();
  // The button that had the focus is gone; the next one takes it, or the box that brings new ones.
  const next = [...document.querySelectorAll(".remove")];
  (next[Math.min(place, next.length - 1)] ?? byId("query")).focus();
  tell(byId("found-note"), `${symbol} is no longer watched`);
}

async function startWatching(text, name) {
  const note = byId("found-note");
  let entry;
  try {
    [entry] = (await askQuotes([text])).values();
  } catch (error) {
    return tell(note, error.message);
  }
  if (!entry || entry.code === "invalid_symbol")
    return tell(note, entry?.message ?? "This is no symbol");
  if (name) names.set(entry.symbol, name);
  board.entries.set(entry.symbol, entry);
  const isThere = Object.values(activeGroups()).some((group) =>
    group.symbols.includes(entry.symbol),
  );
  if (!isThere && board.watched.length >= MOST_WATCHED)
    return tell(note, `At most ${MOST_WATCHED} symbols are watched`);
  if (!isThere) {
    board.watched = [...board.watched, entry.symbol];
    keepWatched(board.watched);
  }
  tell(note, isThere ? `${entry.symbol} is there already` : `${entry.symbol} is watched`);
  showAll();
  const { row } = rows.get(entry.symbol);
  row.scrollIntoView({ block: "nearest" });
  row.classList.add("found");
  row.addEventListener("animationend", () => row.classList.remove("found"), { once: true });
}
