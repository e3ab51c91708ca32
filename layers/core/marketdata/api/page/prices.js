// The tables of prices: one a class, one row a symbol, each kept and changed only where it must be.

const CLASSES = { stocks: "Stocks", crypto: "Crypto", forex: "Forex" };
const BASES = { previous_close: "since close", "24h": "24 h" };
// Narrow pages have five columns of the seven; the style draws the same line.
const narrow = matchMedia("(max-width: 48rem)");

const tables = new Map(); // class -> its parts
const rows = new Map(); // symbol -> its parts
const names = new Map(); // symbol -> name, where a list told one

/** The class of a symbol in canonical spelling. */
function classOf(symbol) {
  return symbol.includes("/") ? "forex" : symbol.includes("-") ? "crypto" : "stocks";
}

function makeTable(name) {
  const count = make("span", { class: "count" });
  const basis = make("span", { class: "basis" });
  const head = make(
    "tr",
    {},
    make("th", { scope: "col" }, "Symbol"),
    make("th", { scope: "col", class: "num" }, "Price"),
    make("th", { scope: "col", class: "num" }, "Change ", basis),
    make("th", { scope: "col", class: "spark" }, "Last minutes"),
    make("th", { scope: "col", class: "wide" }, "Source"),
    make("th", { scope: "col", class: "num wide" }, "Age"),
    make("td", { class: "act" }),
  );
  const body = make("tbody");
  const title = make("h3", { id: `title-${name}` }, CLASSES[name]);
  const section = make(
    "section",
    { class: "class", "data-class": name },
    make("div", { class: "class-head" }, title, count),
    make("table", { "aria-labelledby": title.id }, make("thead", {}, head), body),
  );
  return { section, body, count, basis, fraction: 0 };
}

function makeRow(symbol, onRemove) {
  const parts = {
    name: make("span", { class: "name" }),
    under: make("span", { class: "under" }),
    price: make("data"),
    currency: make("span", { class: "currency" }),
    arrow: make("span", { "aria-hidden": "true", class: "arrow" }),
    percent: make("span", { class: "percent" }),
    change: make("span", { class: "absolute" }),
    spark: makeSpark(),
    source: make("td", { class: "wide source" }),
    age: make("td", { class: "num wide age" }),
    why: make("td", { class: "why" }),
    note: make("td", { class: "why" }),
  };
  const cells = [
    make("td", { class: "num price" }, parts.price, " ", parts.currency),
    make("td", { class: "num change" }, parts.arrow, parts.percent, " ", parts.change),
    make("td", { class: "spark" }, parts.spark),
    parts.source,
    parts.age,
  ];
  const act = make("td", { class: "act" });
  const head = make(
    "th",
    { scope: "row" },
    make("span", { class: "symbol" }, symbol),
    " ",
    parts.name,
    parts.under,
  );
  const row = make("tr", { "data-symbol": symbol }, head, ...cells, act);
  const noteRow = make("tr", { class: "note", hidden: "" }, parts.note);
  const remove = make(
    "button",
    { type: "button", class: "remove" },
    "×",
    unseen(` Stop watching ${symbol}`),
  );
  remove.addEventListener("click", () => onRemove(symbol, row));
  const made = { ...parts, row, noteRow, cells, act, remove, quote: null };
  span(made);
  return made;
}

function span({ why, note }) {
  const columns = narrow.matches ? 5 : 7;
  note.colSpan = columns;
  why.colSpan = columns - 2;
}

narrow.addEventListener("change", () => rows.forEach(span));

function showPrice(parts, quote) {
  const before = parts.quote;
  const [whole, fraction] = decimal(quote.price);
  if (before?.price !== quote.price) {
    parts.price.value = quote.price;
    parts.price.replaceChildren(
      `${whole}.`,
      make(
        "span",
        { class: "fraction" },
        fraction.slice(0, 2),
        make("span", { class: "fine" }, fraction.slice(2)),
      ),
    );
    const moved = before ? Math.sign(Number(quote.price) - Number(before.price)) : 0;
    parts.row.classList.remove("rose", "fell");
    if (moved) {
      void parts.row.offsetWidth; // so that the same animation starts again
      parts.row.classList.add(moved > 0 ? "rose" : "fell");
    }
  }
  tell(parts.currency, quote.currency ?? "");
  const percent = quote.percent_change;
  const direction =
    percent === null ? "none" : Math.sign(Number(signed(percent, 2).replace("−", "-")));
  parts.cells[1].dataset.direction = direction;
  tell(parts.arrow, { 1: "▲", "-1": "▼", 0: "■" }[direction] ?? "");
  if (percent !== null) tell(parts.percent, `${signed(percent, 2)}%`);
  else if (parts.percent.dataset.told !== "none") {
    parts.percent.replaceChildren(
      make("span", { "aria-hidden": "true" }, "–"),
      unseen("not told by the source"),
    );
  }
  parts.percent.dataset.told = percent === null ? "none" : "";
  const absolute =
    quote.change === null ? "" : signed(Number(quote.change), decimalsFor(Number(quote.price)));
  tell(parts.change, absolute);
  tell(parts.source, quote.source);
}

/** Show a symbol's quote, or the error that stands for it; `reason`: why a quote is stale. */
function showEntry(parts, entry, reason) {
  const isQuote = entry !== undefined && "price" in entry;
  const stale = isQuote && entry.stale;
  parts.row.classList.toggle("stale", stale);
  parts.row.classList.toggle("missing", !isQuote);
  if (isQuote && !parts.cells[0].parentNode) parts.why.replaceWith(...parts.cells);
  if (!isQuote && parts.cells[0].parentNode) {
    parts.cells[0].before(parts.why);
    for (const cell of parts.cells) cell.remove();
  }
  if (isQuote) showPrice(parts, entry);
  else showWhy(parts.why, entry ?? { code: "pending", message: "not asked yet" });
  parts.quote = isQuote ? entry : null;
  parts.noteRow.hidden = !stale;
  if (stale)
    showWhy(parts.note, { code: "stale", message: reason ?? "no younger price has come in" });
}

function showWhy(cell, { code, message }) {
  if (cell.dataset.told === code + message) return;
  cell.dataset.told = code + message;
  cell.replaceChildren(make("span", { class: "code" }, words(code)), " ", message);
}

/** Bring the tables up to date: which symbols, in which order, and what is known of each. */
function showPrices({ groups, entries, reasons, watched, asOf, onRemove }) {
  const wanted = new Set();
  for (const name of Object.keys(CLASSES)) {
    const { symbols, total } = groups[name];
    if (!tables.has(name)) tables.set(name, makeTable(name));
    const table = tables.get(name);
    const nodes = [];
    for (const symbol of symbols) {
      wanted.add(symbol);
      if (!rows.has(symbol)) rows.set(symbol, makeRow(symbol, onRemove));
      const parts = rows.get(symbol);
      showEntry(parts, entries.get(symbol), reasons.get(symbol)?.message);
      tell(parts.name, names.get(symbol) ?? "");
      drawSpark(parts.spark, symbol);
      if (watched.has(symbol) !== (parts.remove.parentNode !== null)) {
        parts.act.replaceChildren(...(watched.has(symbol) ? [parts.remove] : []));
      }
      nodes.push(parts.row, parts.noteRow);
    }
    placeRows(table, nodes);
    showHead(table, symbols, entries, total, asOf);
    placeTable(table, symbols.length > 0);
  }
  for (const symbol of [...rows.keys()]) if (!wanted.has(symbol)) rows.delete(symbol);
}

function placeRows({ body }, nodes) {
  const same =
    nodes.length === body.children.length && nodes.every((n, i) => n === body.children[i]);
  if (!same) body.replaceChildren(...nodes);
}

function placeTable({ section }, wanted) {
  if (wanted && !section.isConnected) byId("tables").append(section);
  if (!wanted) section.remove();
}

function showHead(table, symbols, entries, total, asOf) {
  const quotes = symbols
    .map((symbol) => entries.get(symbol))
    .filter((entry) => entry && "price" in entry);
  const fresh = quotes.filter((quote) => !quote.stale).length;
  const more =
    total > symbols.length
      ? `, ${(total - symbols.length).toLocaleString("en-US")} more not shown`
      : "";
  tell(table.count, asOf ?? `${fresh} of ${symbols.length} fresh${more}`);
  const bases = [...new Set(quotes.map((quote) => quote.change_basis).filter(Boolean))];
  tell(table.basis, bases.map((basis) => BASES[basis] ?? basis).join(", "));
  const longest = Math.max(2, ...quotes.map((quote) => decimal(quote.price)[1].length));
  if (table.fraction !== longest) table.section.style.setProperty("--fraction", longest);
  table.fraction = longest;
}

/** The ages of all prices, once a second. */
function showAges(now) {
  for (const { quote, age: cell, under } of rows.values()) {
    if (!quote) {
      tell(under, "");
      continue;
    }
    const fetched = Date.parse(quote.fetched_at);
    const told = age(now - fetched);
    const time = quote.timestamp === null ? null : Date.parse(quote.timestamp);
    // What the source says of its own price matters where it is older than the answer.
    const older =
      time !== null && fetched - time > 2 * MINUTE ? `price of ${clock(time, now)}` : "";
    const note = time === null ? "source gives no time" : older;
    if (cell.dataset.told !== told + note) {
      cell.dataset.told = told + note;
      cell.replaceChildren(told, ...(note ? [make("span", { class: "of" }, note)] : []));
    }
    tell(under, `${quote.source} · ${told}${note ? ` · ${note}` : ""}`);
  }
}
