// The details of a row, which the viewer opens: every figure of the quote, with all digits.

let detailsCount = 0;

function toggleDetails(parts) {
  const isOpen = parts.details !== null;
  setAttribute(parts.toggle, "aria-expanded", String(!isOpen));
  setAttribute(parts.toggle, "aria-controls", null);
  if (isOpen) {
    parts.details.row.remove();
    parts.details = null;
    return;
  }
  parts.details = makeDetails(parts.symbol);
  setAttribute(parts.toggle, "aria-controls", parts.details.row.id);
  parts.noteRow.after(parts.details.row);
  showDetails(parts);
}

function makeDetails(symbol) {
  const line = makeSparkline("large");
  const list = make("dl");
  const history = `v1/history?symbols=${encodeURIComponent(symbol)}&range=24h`;
  const links = make(
    "p",
    { class: "links" },
    make("a", { href: jsonAddress(symbol) }, `${symbol} as JSON`),
    make("a", { href: history }, "24 h history as JSON"),
  );
  const label = `Details of ${symbol}`;
  const body = make(
    "div",
    { class: "sheet", role: "group", "aria-label": label },
    line,
    list,
    links,
  );
  detailsCount += 1;
  const row = make(
    "tr",
    { role: "row", class: "details", id: `details-${detailsCount}` },
    make("td", { role: "cell", colspan: COLUMNS }, body),
  );
  return { row, line, list, facts: new Map() };
}

/** Bring details up to date, if they are open. */
function showDetails(parts) {
  const { details, quote, symbol } = parts;
  if (!details) return;
  drawSparkline(details.line, symbol, sharedSpan([symbol]));
  const facts = quote ? quoteFacts(quote, serviceNow()) : [];
  const names = new Set(facts.map(([name]) => name));
  for (const [name, fact] of details.facts) {
    if (!names.has(name)) {
      fact.remove();
      details.facts.delete(name);
    }
  }
  for (const [name, text, title] of facts) {
    if (!details.facts.has(name)) {
      details.facts.set(name, make("div", {}, make("dt", {}, name), make("dd")));
    }
    const value = details.facts.get(name).lastChild;
    if (text !== null) setText(value, text);
    else if (!value.firstElementChild)
      value.replaceChildren(...missingValue("not given by the source"));
    setAttribute(value, "title", title);
  }
  placeChildren(
    details.list,
    facts.map(([name]) => details.facts.get(name)),
  );
}

/**
 * The facts of a quote: [name, text, title]. The text is null if the source gives none. The title,
 * if there is one, has all digits of a rounded text.
 */
function quoteFacts(quote, now) {
  const amount = (text) => (text === null ? null : `${exact(text)} ${quote.currency ?? ""}`.trim());
  const large = (text, unit) => (text === null ? null : `${compact(text)} ${unit}`.trim());
  const time = (text) => (text === null ? null : timeText(Date.parse(text), now));
  const isShare = quote.asset_class === "stocks";
  const unit = quote.currency ?? "";
  const day =
    quote.low === null || quote.high === null ? null : `${exact(quote.low)} – ${exact(quote.high)}`;
  const facts = [
    ["Price", amount(quote.price)],
    ...convertedFacts(quote, now),
    ["Change", changeText(quote)],
    ["Previous close", amount(quote.previous_close)],
    ["Open", amount(quote.open)],
    ["Day range", day],
    ["Volume", large(quote.volume, isShare ? "" : unit), quote.volume && exact(quote.volume)],
    ["Market cap", large(quote.market_cap, unit), quote.market_cap && exact(quote.market_cap)],
    ["Market", SESSIONS[quote.market_state] ?? quote.market_state],
    ["Source", PROVIDERS[quote.source] ?? quote.source],
    ["Time of the price", time(quote.timestamp)],
    ["Fetched", time(quote.fetched_at)],
  ];
  if (quote.extended) facts.splice(2, 0, extendedFact(quote.extended, unit));
  return facts;
}

function changeText({ change, percent_change: percent, change_basis: basis, price }) {
  if (change === null && percent === null) return null;
  const amounts = [
    change !== null && signedChange(change, price),
    percent !== null && `${signed(percent, 2)}%`,
  ];
  return `${amounts.filter(Boolean).join(", ")} ${BASES[basis] ?? ""}`.trim();
}

function extendedFact({ session, price, percent_change: percent }, unit) {
  const moved = percent === null ? "" : `, ${signed(percent, 2)}%`;
  const name = session === "pre" ? "Pre-market" : "After hours";
  return [name, `${exact(price)} ${unit}${moved}`];
}

function convertedFacts(quote, now) {
  if (quote.asset_class === "forex") return [];
  if (quote.conversion_error) return [["Converted", quote.conversion_error.message]];
  const { converted } = quote;
  if (!converted || converted.currency === quote.currency) return [];
  const { rate, rate_symbol: pair, rate_source: source, rate_timestamp: at } = converted;
  const of = [pair, source, at && timeText(Date.parse(at), now)].filter(Boolean).join(", ");
  return [
    [`In ${converted.currency}`, exact(converted.price)],
    [
      `Rate to ${converted.currency}`,
      `${short(rate)} (${of})${converted.rate_stale ? ", stale" : ""}`,
      exact(rate),
    ],
  ];
}
