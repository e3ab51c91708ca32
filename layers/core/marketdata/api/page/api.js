// Requests to the API. Decimals stay texts, so that no digit is lost.

const SLOT_MS = 5000;
const REQUEST_TIMEOUT_MS = 6000;
const MAX_SYMBOLS = 100; // in one request
const MAX_HISTORIES = 25; // in one request: a day of their prices is half a megabyte, uncompressed
const DECIMALS = new Set(
  "price change previous_close open high low volume market_cap rate".split(" "),
);

/** A request that failed. `message` is for the viewer. `isUnanswered`: no answer came. */
class RequestError extends Error {
  constructor(message, isUnanswered = false) {
    super(message);
    this.isUnanswered = isUnanswered;
  }
}

/** Parse JSON. Amounts become texts with the digits that the service wrote. */
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
 * Return the JSON of one GET. The browser stores the answer and revalidates it by its ETag.
 * Throws `RequestError`. A 503 of /health is no error, because its body describes the service.
 */
async function getJson(path) {
  let response, body, answer;
  try {
    response = await fetch(path, {
      cache: "no-cache",
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    body = await response.text();
  } catch {
    throw new RequestError("The API does not answer", true);
  }
  try {
    answer = parse(body);
  } catch {
    throw new RequestError(
      `The answer is not from the API of this service (HTTP ${response.status})`,
    );
  }
  if (response.ok || (path === "health" && answer?.status)) return answer;
  throw new RequestError(answer?.detail ?? `The API answers with HTTP ${response.status}`);
}

/** The symbols in lists for a query, each with at most `size` symbols. */
function inBatches(symbols, size) {
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

/**
 * Return `entries`, the quotes and errors by canonical symbol, and `aliases`, the canonical symbol
 * of each other spelling. `parameters` are appended to the query.
 */
async function fetchQuotes(symbols, parameters = "") {
  const requests = inBatches(symbols, MAX_SYMBOLS).map((part) =>
    getJson(`v1/quotes?symbols=${part}${parameters}`),
  );
  const entries = new Map();
  const aliases = {};
  for (const answer of await Promise.all(requests)) {
    for (const entry of [...answer.quotes, ...answer.errors]) entries.set(entry.symbol, entry);
    Object.assign(aliases, answer.aliases);
  }
  return { entries, aliases };
}

/** The errors of stale quotes. With max_age=0 the API answers each quote with an error. */
async function fetchReasons(stale) {
  return stale.length ? (await fetchQuotes(stale, "&max_age=0")).entries : new Map();
}

/** The recorded prices of the last 24 hours, `[[epoch ms, price], ...]` by symbol. */
async function fetchHistory(symbols) {
  const found = new Map();
  // One request after the other, so that requests for prices need not wait.
  for (const part of inBatches(symbols, MAX_HISTORIES)) {
    const answer = await getJson(`v1/history?symbols=${part}&range=24h`);
    for (const { symbol, points } of answer.history) {
      found.set(
        symbol,
        points.map(([seconds, price]) => [seconds * 1000, price]),
      );
    }
  }
  return found;
}

/** The assets that match a text, the best match first. */
async function searchAssets(text, limit) {
  return (await getJson(`v1/search?q=${encodeURIComponent(text)}&limit=${limit}`)).results;
}

/** The first assets of each class, the best-known first. */
async function fetchTopAssets(classes, limit) {
  const pages = await Promise.all(
    classes.map((name) => getJson(`v1/assets/${name}?limit=${limit}`)),
  );
  return pages.flatMap((page) => page.assets);
}

/**
 * Milliseconds until 1.1 to 1.5 seconds after the start of the next slot. The prices of the slot
 * are usually stored then. The random part spreads the requests of many pages.
 */
function msUntilNextSlot(now) {
  return SLOT_MS - (now % SLOT_MS) + 1100 + Math.random() * 400;
}

/** Milliseconds to wait after this many failures in a row: about a minute at most. */
function msUntilRetry(failures) {
  return Math.min(60_000, SLOT_MS * 2 ** (failures - 1)) * (0.9 + Math.random() * 0.2);
}
