// The public API as this page asks it: politely, and without losing a digit.

const SLOT = 5000;
// An answer that takes longer is none.
const PATIENCE = 6000;
const MOST_SYMBOLS = 100;

/** An answer that is an error; `message` is for a person, `network` where there was no answer. */
class Trouble extends Error {
  constructor(message, network = false) {
    super(message);
    this.network = network;
  }
}

/** Parse JSON; prices and changes stay the decimals that the service wrote, as texts. */
function parse(text) {
  return JSON.parse(text, (key, value, context) => {
    if (typeof value !== "number" || (key !== "price" && key !== "change")) return value;
    return (
      context?.source ??
      value.toLocaleString("en-US", {
        useGrouping: false,
        maximumSignificantDigits: 21,
      })
    );
  });
}

/**
 * The answer to one GET. The browser keeps it with its ETag and asks only whether it changed.
 * Throws `Trouble`. An unhealthy service answers /health with 503, which is an answer.
 */
async function ask(path) {
  let response, body;
  try {
    response = await fetch(path, { cache: "no-cache", signal: AbortSignal.timeout(PATIENCE) });
    body = await response.text();
  } catch {
    throw new Trouble("The API does not answer", true);
  }
  let told = null;
  try {
    told = parse(body);
  } catch {
    throw new Trouble(
      `The API answers with something that is not its own (HTTP ${response.status})`,
    );
  }
  if (response.ok || (path === "health" && told?.status)) return told;
  throw new Trouble(told?.detail ?? `The API answers with HTTP ${response.status}`);
}

/** Quotes and errors by symbol, of any number of symbols. */
async function askQuotes(symbols, more = "") {
  const requests = [];
  for (let start = 0; start < symbols.length; start += MOST_SYMBOLS) {
    const names = symbols
      .slice(start, start + MOST_SYMBOLS)
      .map(encodeURIComponent)
      .join(",");
    requests.push(ask(`v1/quotes?symbols=${names}${more}`));
  }
  const found = new Map();
  for (const answer of await Promise.all(requests)) {
    for (const entry of [...answer.quotes, ...answer.errors]) found.set(entry.symbol, entry);
  }
  return found;
}

/** Why stale quotes have no younger one: the same question, with an age that none meets. */
async function askReasons(stale) {
  return stale.length ? askQuotes(stale, "&max_age=0") : new Map();
}

/** The best assets of some classes that match, each class's in its own order. */
async function askAssets(classes, query, limit) {
  const search = query ? `&q=${encodeURIComponent(query)}` : "";
  const pages = await Promise.all(
    classes.map((name) => ask(`v1/assets/${name}?limit=${limit}${search}`)),
  );
  return pages.map((page) => page.assets.map((asset) => ({ ...asset, class: page.asset_type })));
}

/** Milliseconds until it is time to ask again: shortly after the next slot's prices are in. */
function untilNextSlot(now) {
  return SLOT - (now % SLOT) + 1100 + Math.random() * 400;
}

/** Milliseconds to wait after so many failures in a row, at most a minute. */
function untilRetry(failures) {
  return Math.min(60_000, SLOT * 2 ** (failures - 1)) * (0.9 + Math.random() * 0.2);
}
