// Sparklines: small line charts of the last day. Their points are recorded prices of the service,
// and prices that this page has seen.

const LINE_SPAN_MS = DAY_MS;
// All younger prices are kept. Of older prices one a minute is kept.
const FINE_SPAN_MS = 10 * MINUTE_MS;
const SEEN_KEY = "marketdata.seen";
const LINE_WIDTH = 96;
const LINE_HEIGHT = 26;
const SVG = "http://www.w3.org/2000/svg";

const series = new Map(); // symbol -> [[epoch ms, price], ...], oldest first

/** Add the price of a quote, unless it was fetched no later than the last point. */
function addPrice(quote, now) {
  const points = series.get(quote.symbol) ?? [];
  const at = Date.parse(quote.fetched_at);
  if (!points.length || points.at(-1)[0] < at) points.push([at, Number(quote.price)]);
  series.set(quote.symbol, thinned(points, now));
}

/** Add the recorded prices of minutes in which this page has seen no price. */
function addHistory(symbol, recorded, now) {
  const points = series.get(symbol) ?? [];
  const minutes = new Set(points.map(([at]) => Math.floor(at / MINUTE_MS)));
  const added = recorded.filter(([at]) => !minutes.has(Math.floor(at / MINUTE_MS)));
  const all = [...added, ...points].sort(([a], [b]) => a - b);
  series.set(symbol, thinned(all, now));
}

function thinned(points, now) {
  let minute = -1;
  return points.filter(([at]) => {
    if (now - at > LINE_SPAN_MS) return false;
    if (now - at <= FINE_SPAN_MS) return true;
    const isFirst = Math.floor(at / MINUTE_MS) !== minute;
    minute = Math.floor(at / MINUTE_MS);
    return isFirst;
  });
}

/** Store the prices of the last minutes, so that they outlive a reload of this tab. */
function storeRecentPrices(now) {
  const recent = [...series].map(([symbol, points]) => [
    symbol,
    points.filter(([at]) => now - at <= FINE_SPAN_MS),
  ]);
  try {
    sessionStorage.setItem(SEEN_KEY, JSON.stringify(recent));
  } catch {
    // Storing is forbidden or full: after a reload only recorded prices are shown.
  }
}

function restorePrices() {
  try {
    const stored = JSON.parse(sessionStorage.getItem(SEEN_KEY) ?? "[]");
    for (const [symbol, points] of stored) if (points.length) series.set(symbol, points);
  } catch {
    // The stored text cannot be read: only recorded prices are shown.
  }
}

/** The time span that all sparklines share: from the oldest price to the newest, `[ms, ms]`. */
function sharedSpan(symbols) {
  const all = symbols.map((symbol) => series.get(symbol) ?? []).filter((points) => points.length);
  if (!all.length) return [0, 0];
  return [
    Math.min(...all.map((points) => points[0][0])),
    Math.max(...all.map((points) => points.at(-1)[0])),
  ];
}

function makeSparkline(kind) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({
    class: kind,
    viewBox: `0 0 ${LINE_WIDTH} ${LINE_HEIGHT}`,
    preserveAspectRatio: "none",
    role: "img",
  }))
    svg.setAttribute(key, value);
  for (const name of ["area", "base", "line"]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", name);
    svg.append(path);
  }
  return svg;
}

/** Draw the sparkline of a symbol over a time span, and describe it for screen readers. */
function drawSparkline(svg, symbol, [start, end]) {
  const points = series.get(symbol) ?? [];
  const [area, base, line] = svg.children;
  if (points.length < 2) {
    for (const path of svg.children) setAttribute(path, "d", null);
    setAttribute(svg, "aria-label", "No line yet");
    return;
  }
  const prices = points.map(([, price]) => price);
  const low = prices.reduce((a, b) => Math.min(a, b));
  const high = prices.reduce((a, b) => Math.max(a, b));
  const x = (at) => Number((1 + ((at - start) / (end - start || 1)) * (LINE_WIDTH - 2)).toFixed(1));
  // A constant price is a line in the middle.
  const y = (price) =>
    (high > low
      ? 2 + ((high - price) / (high - low)) * (LINE_HEIGHT - 4)
      : LINE_HEIGHT / 2
    ).toFixed(1);
  const first = x(points[0][0]);
  const last = x(points.at(-1)[0]);
  const parts = splitAtGaps(points, Math.max(15 * MINUTE_MS, (end - start) / 12));
  const drawn = parts.map((part) =>
    thinnedToWidth(part, x).map(([at, price]) => `${x(at)} ${y(price)}`),
  );
  setAttribute(base, "d", `M${first} ${y(prices[0])}H${last}`);
  setAttribute(
    line,
    "d",
    drawn.map((steps) => `M${steps.join("L")}${steps[1] ? "" : "h0"}`).join(""),
  );
  setAttribute(
    area,
    "d",
    drawn
      .map((steps, i) => {
        const [from, to] = [parts[i][0][0], parts[i].at(-1)[0]].map(x);
        return `M${from} ${LINE_HEIGHT}L${steps.join("L")}L${to} ${LINE_HEIGHT}Z`;
      })
      .join(""),
  );
  setAttribute(svg, "data-trend", Math.sign(prices.at(-1) - prices[0]));
  setAttribute(svg, "aria-label", lineText(prices, points.at(-1)[0] - points[0][0], low, high));
}

/** The points in parts, split at gaps longer than `longest` milliseconds. */
function splitAtGaps(points, longest) {
  const parts = [[points[0]]];
  for (const point of points.slice(1)) {
    if (point[0] - parts.at(-1).at(-1)[0] > longest) parts.push([]);
    parts.at(-1).push(point);
  }
  return parts;
}

/** The first and last point of each half unit of x. Points between them cannot be seen. */
function thinnedToWidth(points, x) {
  const step = ([at]) => Math.round(x(at) * 2);
  return points.filter(
    (point, i) =>
      i === 0 ||
      i === points.length - 1 ||
      step(points[i - 1]) !== step(point) ||
      step(points[i + 1]) !== step(point),
  );
}

function lineText(prices, span, low, high) {
  const moved = prices[0]
    ? signed(((prices.at(-1) - prices[0]) / Math.abs(prices[0])) * 100, 2)
    : "";
  return `Last ${durationText(span)}: ${moved && `${moved}%, `}low ${low}, high ${high}`;
}
