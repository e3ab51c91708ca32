// The table of prices: one group for each class, one row for each symbol.

const groups = new Map(); // class -> the nodes of its group
const rows = new Map(); // symbol -> the nodes of its row
let table = null;

function makeTable(onSort) {
  const span = make("th", { scope: "col", role: "columnheader", class: "line" });
  const heads = [
    sortHead("symbol", "", "Symbol", onSort),
    sortHead("price", "num price", "Price", onSort),
    sortHead("change", "num change", "Change", onSort),
    sortHead("range", "range", "Day range", onSort),
    sortHead("source", "source", "Source", onSort),
    sortHead("age", "num age", "Age", onSort),
  ];
  const head = make(
    "tr",
    { role: "row" },
    ...heads.slice(0, 3),
    span,
    ...heads.slice(3),
    cell("act"),
  );
  const node = make(
    "table",
    { role: "table", "aria-labelledby": "prices-title" },
    make("thead", { role: "rowgroup" }, head),
  );
  byId("tables").replaceChildren(node);
  return { node, heads, span, longest: "" };
}

function makeGroup(name) {
  const title = make("h3", { id: `title-${name}` }, CLASSES[name]);
  const parts = {
    state: make("span", { class: "state-of-market" }),
    basis: cell("num basis"),
    count: make("td", { role: "cell", class: "count", colspan: COLUMNS - 3 }),
  };
  const head = make(
    "th",
    { scope: "rowgroup", role: "rowheader", colspan: 2 },
    title,
    " ",
    parts.state,
  );
  parts.row = make("tr", { role: "row", class: "group" }, head, parts.basis, parts.count);
  parts.body = make(
    "tbody",
    { role: "rowgroup", "data-class": name, "aria-labelledby": title.id },
    parts.row,
  );
  return parts;
}

/**
 * Bring the table up to date. `asOf`, if given, replaces the counts of fresh prices.
 * `onRemove(symbol, row)` and `onSort()` are called when the viewer clicks.
 */
function showPrices({ classes, entries, reasons, watched, asOf, onRemove, onSort }) {
  table ??= makeTable(onSort);
  const all = Object.values(classes).flatMap(({ symbols }) => symbols);
  const span = sharedSpan(all);
  const wanted = new Set(all);
  const bodies = [];
  for (const [name, { symbols, total }] of Object.entries(classes)) {
    if (!symbols.length) continue;
    if (!groups.has(name)) groups.set(name, makeGroup(name));
    const group = groups.get(name);
    const nodes = [group.row];
    showGroup(group, symbols, entries, total, asOf);
    for (const symbol of sorted(symbols, entries)) {
      if (!rows.has(symbol)) rows.set(symbol, makeRow(symbol, onRemove));
      const parts = rows.get(symbol);
      showEntry(parts, entries.get(symbol), reasons.get(symbol)?.message);
      showSession(parts, group.session);
      setText(parts.name, names.get(symbol) ?? "");
      setAttribute(parts.name, "title", names.get(symbol) || null);
      drawSparkline(parts.line, symbol, span);
      showDetails(parts);
      if (watched.has(symbol) !== (parts.remove.parentNode !== null)) {
        if (watched.has(symbol)) parts.act.append(parts.remove);
        else parts.remove.remove();
      }
      nodes.push(parts.row, parts.noteRow, ...(parts.details ? [parts.details.row] : []));
    }
    placeChildren(group.body, nodes);
    bodies.push(group.body);
  }
  placeChildren(table.node, [table.node.tHead, ...bodies]);
  table.node.hidden = bodies.length === 0;
  showSorting(table.heads);
  showSpan(span, entries);
  for (const symbol of [...rows.keys()]) if (!wanted.has(symbol)) rows.delete(symbol);
}

/** Show in the head how far back the sparklines reach, and align the prices at the decimal point. */
function showSpan([start, end], entries) {
  const minutes = Math.max(1, Math.round((end - start) / MINUTE_MS));
  setText(table.span, `Last ${minutes < 90 ? `${minutes} min` : `${Math.round(minutes / 60)} h`}`);
  const shown = [...entries.values()]
    .filter((entry) => "price" in entry)
    .map(shownFigures)
    .map(({ price, rate }) => priceParts(price, rate));
  const longest = [0, 1].map((part) => Math.max(2, ...shown.map((parts) => parts[part].length)));
  if (table.longest === longest.join()) return;
  table.longest = longest.join();
  table.node.style.setProperty("--fraction", longest[1]);
  table.node.style.setProperty("--digits-of-price", longest[0] + longest[1] + 1);
}

/** Show the market state of a row, unless it is open or the same as the state of the group. */
function showSession({ session, quote }, groupState) {
  const state = quote?.market_state;
  session.hidden = !state || state === "open" || state === groupState;
  if (!session.hidden) setText(session, SESSIONS[state] ?? state);
}

function showGroup(group, symbols, entries, total, asOf) {
  const quotes = symbols
    .map((symbol) => entries.get(symbol))
    .filter((entry) => entry && "price" in entry);
  const states = new Set(quotes.map((quote) => quote.market_state).filter(Boolean));
  group.session = states.size === 1 ? [...states][0] : null;
  const session = SESSIONS[group.session] ?? group.session;
  setText(
    group.state,
    session ? (/^(open|closed)$/.test(session) ? `market ${session}` : session) : "",
  );
  const fresh = quotes.filter((quote) => !quote.stale).length;
  const more =
    total > symbols.length
      ? `, ${(total - symbols.length).toLocaleString("en-US")} more not shown`
      : "";
  setText(group.count, asOf ?? `${fresh} of ${symbols.length} fresh${more}`);
  const bases = [...new Set(quotes.map((quote) => quote.change_basis).filter(Boolean))];
  setText(group.basis, bases.map((basis) => BASES[basis] ?? basis).join(", "));
}

/** Show the ages of all prices. */
function showAges(now) {
  for (const parts of rows.values()) showAge(parts, now);
}
