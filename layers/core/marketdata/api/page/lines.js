// The small lines: the recorded prices of the last day, continued by what this page itself sees.

const LINE_SPAN = DAY;
// Younger prices are kept as often as they come, older ones once a minute.
const FINE_SPAN = 10 * MINUTE;
const KEPT_SEEN = "marketdata.seen";
const LINE_WIDTH = 96;
const LINE_HEIGHT = 26;
const SVG = "http://www.w3.org/2000/svg";

const series = new Map(); // symbol -> [[epoch ms, price], ...], oldest first

/** Remember a price; the same one of the same moment is remembered once. */
function remember(quote, now) {
  const points = series.get(quote.symbol) ?? [];
  const at = Date.parse(quote.fetched_at);
  if (!points.length || points.at(-1)[0] < at) points.push([at, Number(quote.price)]);
  series.set(quote.symbol, thinned(points, now));
}

/** Put recorded prices before, and into the gaps between, those that were seen here. */
function addHistory(symbol, recorded, now) {
  const points = series.get(symbol) ?? [];
  const minutes = new Set(points.map(([at]) => Math.floor(at / MINUTE)));
  const added = recorded.filter(([at]) => !minutes.has(Math.floor(at / MINUTE)));
  const all = [...added, ...points].sort(([a], [b]) => a - b);
  series.set(symbol, thinned(all, now));
}

function thinned(points, now) {
  let minute = -1;
  return points.filter(([at]) => {
    if (now - at > LINE_SPAN) return false;
    if (now - at <= FINE_SPAN) return true;
    const isFirst = Math.floor(at / MINUTE) !== minute;
    minute = Math.floor(at / MINUTE);
    return isFirst;
  });
}

/** Keep what was seen in the last minutes over a reload of this tab. */
function keepSeen(now) {
  const recent = [...series].map(([symbol, points]) => [
    symbol,
    points.filter(([at]) => now - at <= FINE_SPAN),
  ]);
  try {
    sessionStorage.setItem(KEPT_SEEN, JSON.stringify(recent));
  } catch {
    // Without a store the lines begin with the recorded prices.
  }
}

function recallSeen() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT_SEEN) ?? "[]");
    for (const [symbol, points] of kept) if (points.length) series.set(symbol, points);
  } catch {
    // What cannot be read is not missed.
  }
}

/** The time that lines share, from the oldest price of any of them to the newest. */
function lineSpan(symbols) {
  const all = symbols.map((symbol) => series.get(symbol) ?? []).filter((points) => points.length);
  if (!all.length) return [0, 0];
  return [
    Math.min(...all.map((points) => points[0][0])),
    Math.max(...all.map((points) => points.at(-1)[0])),
  ];
}

function makeLine(kind) {
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

/** Draw the line of a symbol over a span that starts and ends there, and say it in words. */
function drawLine(svg, symbol, [start, end]) {
  const points = series.get(symbol) ?? [];
  const [area, base, line] = svg.children;
  if (points.length < 2) {
    for (const path of svg.children) attribute(path, "d", null);
    attribute(svg, "aria-label", "No line yet");
    return;
  }
  const prices = points.map(([, price]) => price);
  const low = prices.reduce((a, b) => Math.min(a, b));
  const high = prices.reduce((a, b) => Math.max(a, b));
  const x = (at) => Number((1 + ((at - start) / (end - start || 1)) * (LINE_WIDTH - 2)).toFixed(1));
  // A price that stands still is a line in the middle.
  const y = (price) =>
    (high > low ? 2 + ((high - price) / (high - low)) * (LINE_HEIGHT - 4) : LINE_HEIGHT / 2).toFixed(1);
  const first = x(points[0][0]);
  const last = x(points.at(-1)[0]);
  const parts = unbroken(points, Math.max(15 * MINUTE, (end - start) / 12));
  const drawn = parts.map((part) => coarse(part, x).map(([at, price]) => `${x(at)} ${y(price)}`));
  attribute(base, "d", `M${first} ${y(prices[0])}H${last}`);
  attribute(line, "d", drawn.map((steps) => `M${steps.join("L")}${steps[1] ? "" : "h0"}`).join(""));
  attribute(
    area,
    "d",
    drawn
      .map((steps, i) => {
        const [from, to] = [parts[i][0][0], parts[i].at(-1)[0]].map(x);
        return `M${from} ${LINE_HEIGHT}L${steps.join("L")}L${to} ${LINE_HEIGHT}Z`;
      })
      .join(""),
  );
  attribute(svg, "data-trend", Math.sign(prices.at(-1) - prices[0]));
  attribute(svg, "aria-label", lineWords(prices, points.at(-1)[0] - points[0][0], low, high));
}

/** The points in parts, where nothing was seen for longer than `most` milliseconds. */
function unbroken(points, most) {
  const parts = [[points[0]]];
  for (const point of points.slice(1)) {
    if (point[0] - parts.at(-1).at(-1)[0] > most) parts.push([]);
    parts.at(-1).push(point);
  }
  return parts;
}

/** At most the first and the last point of each step that can be seen. */
function coarse(points, x) {
  const step = ([at]) => Math.round(x(at) * 2);
  return points.filter(
    (point, i) =>
      i === 0 ||
      i === points.length - 1 ||
      step(points[i - 1]) !== step(point) ||
      step(points[i + 1]) !== step(point),
  );
}

function lineWords(prices, span, low, high) {
  const moved = prices[0] ? signed(((prices.at(-1) - prices[0]) / Math.abs(prices[0])) * 100, 2) : "";
  return `Last ${age(span)}: ${moved && `${moved}%, `}low ${low}, high ${high}`;
}
