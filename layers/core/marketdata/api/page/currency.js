// The currency that the viewer wants prices in: chosen from a list, and remembered.

const CURRENCY_KEPT = "marketdata.currency";
const COMMON_CURRENCIES = "USD EUR GBP JPY CHF CAD AUD CNY INR".split(" ");
const CODE = /^[A-Z]{3}$/;

function recallCurrency() {
  const kept = recall(CURRENCY_KEPT) ?? "";
  return CODE.test(kept) ? kept : "";
}

/** Fill the list, once more when the pairs are known that rates come from. */
function fillCurrencies(pairs, chosen) {
  const others = new Set([...pairs.flatMap((pair) => pair.split("/")), chosen].filter(Boolean));
  for (const code of COMMON_CURRENCIES) others.delete(code);
  const select = byId("currency");
  const codes = ["", ...COMMON_CURRENCIES, ...[...others].sort()];
  if (select.options.length === codes.length) return;
  select.replaceChildren(...codes.map((code) => make("option", { value: code }, currencyName(code))));
  select.value = chosen;
}

function currencyName(code) {
  if (!code) return "their own currency";
  try {
    const name = new Intl.DisplayNames("en", { type: "currency" }).of(code);
    return name === code ? code : `${code} · ${name}`;
  } catch {
    return code;
  }
}

/**
 * The figures of a quote as they are shown: converted if the viewer wants that and there is a rate.
 * A pair of currencies is a rate itself, and stays as it is.
 */
function shownFigures(quote) {
  const { converted } = quote;
  if (!converted || quote.asset_class === "forex") {
    return { price: quote.price, change: quote.change, currency: quote.currency, rate: 1 };
  }
  const { price, change, currency, rate } = converted;
  return { price, change, currency, rate: Number(rate) };
}

/** What the viewer has to know of the rates, in one line: which are missing, which are stale. */
function rateWords(quotes, currency) {
  const wanted = currency ? quotes.filter((quote) => quote.asset_class !== "forex") : [];
  const missing = wanted.filter((quote) => quote.conversion_error);
  if (missing.length) {
    const kept = plural(missing.length, "price stays in its own currency", "prices stay in their own currency");
    const reasons = [...new Set(missing.map((quote) => quote.conversion_error.message))];
    return `No rate to ${currency} for ${kept}: ${reasons[0]}`;
  }
  const stale = wanted.map((quote) => quote.converted).filter((found) => found?.rate_stale);
  const pairs = [...new Set(stale.map((found) => found.rate_symbol))];
  return pairs.length ? `The rate of ${listed(pairs)} is stale` : "";
}

/** Wire up the list. `onChoose(code)` gets what is chosen, "" for the prices' own currencies. */
function startCurrency(chosen, onChoose) {
  fillCurrencies([], chosen);
  byId("currency").addEventListener("change", (event) => {
    const code = event.target.value;
    keep(CURRENCY_KEPT, code || null);
    onChoose(code);
  });
}
