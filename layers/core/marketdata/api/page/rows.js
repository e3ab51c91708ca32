// One row of the table: the price and other figures of a symbol.

const COLUMNS = 8;

/** The position of a price between the low (0) and the high (1) of its day, or null. */
function rangePosition(quote) {
  if (quote.low === null || quote.high === null) return null;
  const [low, high] = [Number(quote.low), Number(quote.high)];
  if (!(high > low)) return null;
  return Math.min(1, Math.max(0, (Number(quote.price) - low) / (high - low)));
}

function cell(kind, ...children) {
  return make("td", { role: "cell", class: kind }, ...children);
}

function jsonAddress(symbol) {
  return `v1/quotes/${encodeURIComponent(symbol)}`;
}

function makeRow(symbol, onRemove) {
  const toggle = make(
    "button",
    { type: "button", class: "toggle", "aria-expanded": "false" },
    make("span", { class: "chevron", "aria-hidden": "true" }),
    make("span", { class: "symbol", title: symbol }, symbol),
    visuallyHidden(" details"),
  );
  const parts = {
    symbol,
    toggle,
    name: make("span", { class: "name" }),
    session: make("span", { class: "session", hidden: "" }),
    price: make("data"),
    currency: make("span", { class: "currency" }),
    arrow: make("span", { "aria-hidden": "true", class: "arrow" }),
    percent: make("span", { class: "percent" }),
    change: make("span", { class: "absolute" }),
    line: makeSparkline("small"),
    range: makeRange(),
    source: cell("source"),
    age: cell("num age"),
    reasonCell: make("td", { role: "cell", class: "reason", colspan: COLUMNS - 2 }),
    noteCell: make("td", { role: "cell", class: "reason", colspan: COLUMNS }),
    details: null,
    quote: null,
  };
  const json = make(
    "a",
    { class: "json", href: jsonAddress(symbol), title: `${symbol} as JSON` },
    make("span", { "aria-hidden": "true" }, "{ }"),
    visuallyHidden(`${symbol} as JSON`),
  );
  parts.remove = make(
    "button",
    { type: "button", class: "remove", title: `Stop watching ${symbol}` },
    make("span", { "aria-hidden": "true" }, "×"),
    visuallyHidden(`Stop watching ${symbol}`),
  );
  parts.act = cell("act", json);
  parts.cells = [
    cell("num price", parts.price, " ", parts.currency),
    cell("num change", parts.arrow, parts.percent, " ", parts.change),
    cell("line", parts.line),
    cell("range", parts.range.node),
    parts.source,
    parts.age,
  ];
  const head = make(
    "th",
    { scope: "row", role: "rowheader" },
    make("div", { class: "instrument" }, toggle, " ", parts.name, " ", parts.session),
  );
  parts.row = make("tr", { role: "row", "data-symbol": symbol }, head, ...parts.cells, parts.act);
  parts.noteRow = make("tr", { role: "row", class: "note", hidden: "" }, parts.noteCell);
  parts.remove.addEventListener("click", () => onRemove(symbol, parts.row));
  toggle.addEventListener("click", () => toggleDetails(parts));
  parts.row.addEventListener("click", (event) => {
    const isText = getSelection().toString() !== "";
    if (!isText && !event.target.closest("a, button")) toggleDetails(parts);
  });
  return parts;
}

function makeRange() {
  const low = make("span", { class: "edge low" });
  const high = make("span", { class: "edge high" });
  const mark = make("span", { class: "mark" });
  const bar = make("span", { class: "bar-of-day", role: "img" }, mark);
  const node = make("div", { class: "range-of-day" }, low, bar, high);
  return {
    node,
    low,
    high,
    bar,
    mark,
    none: make("span", {}, ...missingValue("no day range from the source")),
  };
}

/** The parts of a price as its row shows them. A converted price of 1 or more has two decimals. */
function priceParts(price, rate) {
  return rounded(price, rate === 1 ? undefined : 2);
}

function showRow(parts, quote) {
  const { price, change, currency, rate } = shownFigures(quote);
  showPrice(parts, quote, price, rate);
  setText(parts.currency, currency ?? "");
  const isUnconverted = quote.conversion_error !== undefined && quote.asset_class !== "forex";
  parts.currency.classList.toggle("unconverted", isUnconverted);
  parts.currency.hidden = quote.asset_class !== "stocks" && !isUnconverted && rate === 1;
  showChange(parts, quote, price, change);
  showRange(parts.range, quote, rate);
  setText(parts.source, quote.source);
}

function showPrice(parts, quote, price, rate) {
  const shown = parts.price;
  if (shown.value === price) return;
  const [whole, fraction] = priceParts(price, rate);
  const full = exact(price);
  const isFull = [full, `${full}0`, `${full}.00`].includes(`${whole}.${fraction}`);
  const digits = makeFraction(fraction);
  const text = make("span", { "aria-hidden": isFull ? null : "true" }, `${whole}.`, digits);
  shown.value = price;
  shown.replaceChildren(text, ...(isFull ? [] : [visuallyHidden(full)]));
  setAttribute(shown, "title", isFull ? null : full);
  const before = parts.quote;
  const isSame = before && shownFigures(before).currency === shownFigures(quote).currency;
  const moved = isSame ? Math.sign(Number(price) - Number(shownFigures(before).price)) : 0;
  parts.row.classList.remove("rose", "fell");
  if (moved) {
    void parts.row.offsetWidth; // this layout starts the same animation again
    parts.row.classList.add(moved > 0 ? "rose" : "fell");
  }
}

/** The digits after the point. The styles `.fraction` and `.zeros` use their counts as widths. */
function makeFraction(fraction) {
  const [, before, zeros, after] = /^(\d*?)([₀-₉]*)(\d*)$/.exec(fraction);
  const lowered = make("span", { class: "zeros" }, zeros);
  lowered.style.setProperty("--zeros", zeros.length);
  const node = make(
    "span",
    { class: "fraction" },
    ...(zeros ? [before, lowered, after] : [fraction]),
  );
  node.style.setProperty("--digits", fraction.length - 0.38 * zeros.length);
  return node;
}

function showChange(parts, quote, price, change) {
  const percent = quote.percent_change;
  const direction =
    percent === null ? "none" : Math.sign(Number(signed(percent, 2).replace("−", "-")));
  parts.cells[1].dataset.direction = direction;
  setText(parts.arrow, { 1: "▲", "-1": "▼" }[direction] ?? "");
  if (percent !== null) setText(parts.percent, `${signed(percent, 2)}%`);
  else if (parts.percent.dataset.given !== "no") {
    parts.percent.replaceChildren(...missingValue("no change from the source"));
  }
  parts.percent.dataset.given = percent === null ? "no" : "yes";
  setText(parts.change, change === null ? "" : signedChange(change, price));
}

function showRange(range, quote, rate) {
  const at = rangePosition(quote);
  if ((at === null) !== (range.none.parentNode === range.node)) {
    range.node.replaceChildren(
      ...(at === null ? [range.none] : [range.low, range.bar, range.high]),
    );
  }
  if (at === null) return;
  const [low, high] = [quote.low, quote.high].map((text) =>
    rate === 1 ? text : String(Number(text) * rate),
  );
  setText(range.low, edgeText(low));
  setText(range.high, edgeText(high));
  range.mark.style.left = `${(at * 100).toFixed(1)}%`;
  const label = `At ${Math.round(at * 100)}% of the day’s range from ${short(low)} to ${short(high)}`;
  setAttribute(range.bar, "aria-label", label);
  setAttribute(range.node, "title", label);
}

function edgeText(text) {
  return Math.abs(Number(text)) >= 1000 ? exact(Number(text).toFixed(0)) : short(text);
}

/** Show the quote of a symbol, or its error. `reason` says why a quote is stale. */
function showEntry(parts, entry, reason) {
  const isQuote = entry !== undefined && "price" in entry;
  const stale = isQuote && entry.stale;
  parts.row.classList.toggle("stale", stale);
  parts.row.classList.toggle("missing", !isQuote);
  if (isQuote && !parts.cells[0].parentNode) parts.reasonCell.replaceWith(...parts.cells);
  if (!isQuote && parts.cells[0].parentNode) {
    parts.cells[0].before(parts.reasonCell);
    for (const each of parts.cells) each.remove();
    parts.session.hidden = true;
  }
  if (isQuote) showRow(parts, entry);
  else showReason(parts.reasonCell, entry ?? { code: "pending", message: "not requested yet" });
  parts.quote = isQuote ? entry : null;
  parts.noteRow.hidden = !stale;
  if (stale)
    showReason(parts.noteCell, { code: "stale", message: reason ?? "no newer price has arrived" });
}

function showReason(node, { code, message }) {
  if (node.dataset.reason === code + message) return;
  node.dataset.reason = code + message;
  node.replaceChildren(make("span", { class: "code" }, codeText(code)), " ", message);
}

/** Show the age of a price, and its time if it was over two minutes old when it was fetched. */
function showAge({ quote, age: node }, now) {
  if (!quote) return;
  const fetched = Date.parse(quote.fetched_at);
  const time = quote.timestamp === null ? null : Date.parse(quote.timestamp);
  const text = durationText(now - fetched);
  const older =
    time !== null && fetched - time > 2 * MINUTE_MS ? `price of ${timeText(time, now)}` : "";
  const note = time === null ? "source gives no time" : older;
  if (node.dataset.shown === text + note) return;
  node.dataset.shown = text + note;
  node.replaceChildren(text, ...(note ? [make("span", { class: "price-time" }, note)] : []));
}
