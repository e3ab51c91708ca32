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
