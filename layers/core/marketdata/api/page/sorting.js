// The order of the rows within each group: by a column, or the order of the service.

const SORTING_KEY = "marketdata.sort";
// The value that each column is sorted by, and the direction of the first click.
const SORTS = {
  symbol: { first: "ascending", of: (entry, symbol) => symbol },
  price: { first: "descending", of: (entry) => number(entry && shownFigures(entry).price) },
  change: { first: "descending", of: (entry) => number(entry?.percent_change) },
  range: { first: "descending", of: (entry) => entry && rangePosition(entry) },
  source: { first: "ascending", of: (entry) => entry?.source ?? null },
  age: { first: "ascending", of: (entry) => (entry ? -Date.parse(entry.fetched_at) : null) },
};

const sorting = { column: null, direction: null };

const number = (value) => (value === null || value === undefined ? null : Number(value));

function restoreSorting() {
  const [column, direction] = (readStored(SORTING_KEY) ?? "").split(" ");
  if (Object.hasOwn(SORTS, column) && /^(a|de)scending$/.test(direction)) {
    Object.assign(sorting, { column, direction });
  }
}

/** Sort by a column: its first direction, then the other direction, then not at all. */
function turnSorting(column) {
  const { first } = SORTS[column];
  const other = first === "ascending" ? "descending" : "ascending";
  if (sorting.column !== column) Object.assign(sorting, { column, direction: first });
  else if (sorting.direction === first) sorting.direction = other;
  else Object.assign(sorting, { column: null, direction: null });
  store(SORTING_KEY, sorting.column && `${sorting.column} ${sorting.direction}`);
}

/** The symbols in the chosen order. Symbols without a value come last in both directions. */
function sorted(symbols, entries) {
  if (!sorting.column) return symbols;
  const { of } = SORTS[sorting.column];
  const sign = sorting.direction === "ascending" ? 1 : -1;
  const keys = new Map(
    symbols.map((symbol) => {
      const entry = entries.get(symbol);
      return [symbol, of(entry && "price" in entry ? entry : null, symbol) ?? null];
    }),
  );
  return [...symbols].sort((one, two) => {
    const [a, b] = [keys.get(one), keys.get(two)];
    if (a === null || b === null) return (a === null) - (b === null);
    return sign * (a < b ? -1 : a > b ? 1 : 0);
  });
}

/** The head of a column, with a button that sorts by the column. */
function sortHead(column, kind, text, onSort) {
  const button = make("button", { type: "button", class: "sort" }, text);
  button.addEventListener("click", () => {
    turnSorting(column);
    onSort();
  });
  return make(
    "th",
    { scope: "col", role: "columnheader", class: kind, "data-column": column },
    button,
  );
}

function showSorting(heads) {
  for (const head of heads) {
    const { column } = head.dataset;
    setAttribute(head, "aria-sort", column === sorting.column ? sorting.direction : null);
  }
}
