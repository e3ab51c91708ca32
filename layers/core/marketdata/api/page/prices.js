// The table of prices: one group a class, one row a symbol, in the order that the viewer chose.

const CLASSES = { stocks: "Stocks", crypto: "Crypto", forex: "Forex" };
const BASES = { previous_close: "since close", "24h": "in 24 h" };

const groups = new Map(); // class -> its parts
const rows = new Map(); // symbol -> its parts
const names = new Map(); // symbol -> name, where a list has one
let table = null;

/** The class of a symbol in canonical spelling. */
function classOf(symbol) {
  return symbol.includes("/") ? "forex" : symbol.includes("-") ? "crypto" : "stocks";
}

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
  const head = make("tr", { role: "row" }, ...heads.slice(0, 3), span, ...heads.slice(3), cell("act"));
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
  const head = make("th", { scope: "rowgroup", role: "rowheader", colspan: 2 }, title, " ", parts.state);
  parts.row = make("tr", { role: "row", class: "group" }, head, parts.basis, parts.count);
  parts.body = make(
    "tbody",
    { role: "rowgroup", "data-class": name, "aria-labelledby": title.id },
    parts.row,
  );
  return parts;
}

/** Bring the table up to date: which symbols, in which order, and what is known of each. */
function showPrices({ classes, entries, reasons, watched, asOf, onRemove, onSort }) {
  table ??= makeTable(onSort);
  const all = Object.values(classes).flatMap(({ symbols }) => symbols);
  const span = lineSpan(all);
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
      tell(parts.name, names.get(symbol) ?? "");
      attribute(parts.name, "title", names.get(symbol) || null);
      drawLine(parts.line, symbol, span);
      showDetails(parts);
      if (watched.has(symbol) !== (parts.remove.parentNode !== null)) {
        if (watched.has(symbol)) parts.act.append(parts.remove);
        else parts.remove.remove();
      }
      nodes.push(parts.row, parts.noteRow, ...(parts.details ? [parts.details.row] : []));
    }
    place(group.body, nodes);
    bodies.push(group.body);
  }
  place(table.node, [table.node.tHead, ...bodies]);
  table.node.hidden = bodies.length === 0;
  showSorting(table.heads);
  showSpan(span, entries);
  for (const symbol of [...rows.keys()]) if (!wanted.has(symbol)) rows.delete(symbol);
}

/** The head of the lines says how far back they reach; the prices share their decimal point. */
function showSpan([start, end], entries) {
  const minutes = Math.max(1, Math.round((end - start) / MINUTE));
  tell(table.span, `Last ${minutes < 90 ? `${minutes} min` : `${Math.round(minutes / 60)} h`}`);
  const shown = [...entries.values()]
    .filter((entry) => "price" in entry)
    .map(shownFigures)
    .map(({ price, rate }) => shownParts(price, rate));
  const longest = [0, 1].map((part) => Math.max(2, ...shown.map((parts) => parts[part].length)));
  if (table.longest === longest.join()) return;
  table.longest = longest.join();
  table.node.style.setProperty("--fraction", longest[1]);
  table.node.style.setProperty("--digits-of-price", longest[0] + longest[1] + 1);
}

/** A row says what its market does where that differs from the rest of its group. */
function showSession({ session, quote }, ofGroup) {
  const state = quote?.market_state;
  const isSaid = !state || state === "open" || state === ofGroup;
  session.hidden = isSaid;
  if (!isSaid) tell(session, SESSIONS[state] ?? state);
}

function showGroup(group, symbols, entries, total, asOf) {
  const quotes = symbols
    .map((symbol) => entries.get(symbol))
    .filter((entry) => entry && "price" in entry);
  const states = new Set(quotes.map((quote) => quote.market_state).filter(Boolean));
  group.session = states.size === 1 ? [...states][0] : null;
  const session = SESSIONS[group.session] ?? group.session;
  tell(group.state, session ? (/^(open|closed)$/.test(session) ? `market ${session}` : session) : "");
  const fresh = quotes.filter((quote) => !quote.stale).length;
  const more =
    total > symbols.length
      ? `, ${(total - symbols.length).toLocaleString("en-US")} more not shown`
      : "";
  tell(group.count, asOf ?? `${fresh} of ${symbols.length} fresh${more}`);
  const bases = [...new Set(quotes.map((quote) => quote.change_basis).filter(Boolean))];
  tell(group.basis, bases.map((basis) => BASES[basis] ?? basis).join(", "));
}

/** The ages of all prices, once a second. */
function showAges(now) {
  for (const parts of rows.values()) showAge(parts, now);
}
