// The public API as this page asks it: politely, and without losing a digit.

const SLOT = 5000;
// An answer that takes longer is none.
const PATIENCE = 6000;
const MOST_SYMBOLS = 100;
// A day of minutes of so many symbols is a body of half a megabyte before it is compressed.
const MOST_HISTORIES = 25;
const DECIMALS = new Set(
  "price change previous_close open high low volume market_cap rate".split(" "),
);

/** An answer that is an error; `message` is for a person, `network` where there was no answer. */
class Trouble extends Error {
  constructor(message, network = false) {
    super(message);
    this.network = network;
  }
}

/** Parse JSON; amounts stay the decimals that the service wrote, as texts. */
function parse(text) {
  return JSON.parse(text, (key, value, context) => {
    if (typeof value !== "number" || !DECIMALS.has(key)) return value;
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
  let found = null;
  try {
    found = parse(body);
  } catch {
    throw new Trouble(
      `The API answers with something that is not its own (HTTP ${response.status})`,
    );
  }
  if (response.ok || (path === "health" && found?.status)) return found;
  throw new Trouble(found?.detail ?? `The API answers with HTTP ${response.status}`);
}

function inParts(symbols, size) {
  const parts = [];
  for (let start = 0; start < symbols.length; start += size) {
    parts.push(
      symbols
        .slice(start, start + size)
        .map(encodeURIComponent)
        .join(","),
    );
  }
  return parts;
}

/** Quotes and errors by canonical symbol, of any number of symbols, and the aliases among them. */
async function askQuotes(symbols, more = "") {
  const requests = inParts(symbols, MOST_SYMBOLS).map((part) =>
    ask(`v1/quotes?symbols=${part}${more}`),
  );
  const entries = new Map();
  const aliases = {};
  for (const answer of await Promise.all(requests)) {
    for (const entry of [...answer.quotes, ...answer.errors]) entries.set(entry.symbol, entry);
    Object.assign(aliases, answer.aliases);
  }
  return { entries, aliases };
}

/** Why stale quotes have no younger one: the same question, with an age that none meets. */
async function askReasons(stale) {
  return stale.length ? (await askQuotes(stale, "&max_age=0")).entries : new Map();
}

/** The recorded prices of the last 24 hours, `[[epoch ms, price], ...]` by symbol. */
async function askHistory(symbols) {
  const found = new Map();
  // One after the other: the prices matter more than the lines.
  for (const part of inParts(symbols, MOST_HISTORIES)) {
    const answer = await ask(`v1/history?symbols=${part}&range=24h`);
    for (const { symbol, points } of answer.history) {
      found.set(
        symbol,
        points.map(([seconds, price]) => [seconds * 1000, price]),
      );
    }
  }
  return found;
}

/** The assets that match a text, the best first. */
async function askSearch(text, limit) {
  return (await ask(`v1/search?q=${encodeURIComponent(text)}&limit=${limit}`)).results;
}

/** The best-known assets of some classes. */
async function askAssets(classes, limit) {
  const pages = await Promise.all(classes.map((name) => ask(`v1/assets/${name}?limit=${limit}`)));
  return pages.flatMap((page) => page.assets);
}

/** Milliseconds until it is time to ask again: shortly after the next slot's prices are in. */
function untilNextSlot(now) {
  return SLOT - (now % SLOT) + 1100 + Math.random() * 400;
}

/** Milliseconds to wait after so many failures in a row, at most a minute. */
function untilRetry(failures) {
  return Math.min(60_000, SLOT * 2 ** (failures - 1)) * (0.9 + Math.random() * 0.2);
}
