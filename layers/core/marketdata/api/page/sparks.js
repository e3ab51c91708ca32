// The small lines: what this page itself has seen of each price in the last minutes.

const SPAN = 10 * MINUTE;
const KEPT = "marketdata.seen";
const WIDTH = 96;
const HEIGHT = 26;
const SVG = "http://www.w3.org/2000/svg";

const seen = new Map(); // symbol -> [[fetched_at ms, price], ...], oldest first

/** Remember a price; the same one of the same moment is remembered once. */
function remember(quote, now) {
  const points = seen.get(quote.symbol) ?? [];
  const at = Date.parse(quote.fetched_at);
  if (!points.length || points.at(-1)[0] < at) points.push([at, Number(quote.price)]);
  seen.set(
    quote.symbol,
    points.filter(([time]) => now - time <= SPAN),
  );
}

/** Keep what was seen over a reload of this tab. */
function keepSeen() {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify([...seen]));
  } catch {
    // Without a store the lines begin anew.
  }
}

function recallSeen() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "[]");
    for (const [symbol, points] of kept) seen.set(symbol, points);
  } catch {
    // What cannot be read is not missed.
  }
}

function makeSpark() {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: "none",
    role: "img",
  }))
    svg.setAttribute(key, value);
  for (const name of ["base", "line"]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", name);
    svg.append(path);
  }
  return svg;
}

/** Draw the line of a symbol, and say it in words. */
function drawSpark(svg, symbol) {
  const points = seen.get(symbol) ?? [];
  const [base, line] = svg.children;
  const prices = points.map(([, price]) => price);
  const low = Math.min(...prices);
  const high = Math.max(...prices);
  const enough = points.length > 1;
  const [start, end] = enough ? [points[0][0], points.at(-1)[0]] : [0, 1];
  const x = (time) => (1 + ((time - start) / (end - start)) * (WIDTH - 2)).toFixed(1);
  // A price that stands still is a line in the middle.
  const y = (price) =>
    (high > low ? 2 + ((high - price) / (high - low)) * (HEIGHT - 4) : HEIGHT / 2).toFixed(1);
  const level = enough ? y(prices[0]) : HEIGHT / 2;
  attribute(base, "d", `M1 ${level}H${WIDTH - 1}`);
  attribute(line, "d", enough ? "M" + points.map(([t, p]) => `${x(t)} ${y(p)}`).join("L") : null);
  attribute(svg, "aria-label", enough ? sparkWords(prices, end - start, low, high) : "No line yet");
}

function sparkWords(prices, span, low, high) {
  const moved = ((prices.at(-1) - prices[0]) / prices[0]) * 100;
  return `Last ${age(span)}: ${signed(moved, 2)}%, low ${low}, high ${high}`;
}
