// The currency to show prices in: the viewer chooses it from a list, and the browser stores it.

const CURRENCY_KEY = "marketdata.currency";
const COMMON_CURRENCIES = "USD EUR GBP JPY CHF CAD AUD CNY INR".split(" ");
const CURRENCY_CODE = /^[A-Z]{3}$/;

function storedCurrency() {
  const code = readStored(CURRENCY_KEY) ?? "";
  return CURRENCY_CODE.test(code) ? code : "";
}

/** Fill the list with the common currencies and the currencies of `pairs`. `chosen` is selected. */
function fillCurrencies(pairs, chosen) {
  const others = new Set([...pairs.flatMap((pair) => pair.split("/")), chosen].filter(Boolean));
  for (const code of COMMON_CURRENCIES) others.delete(code);
  const select = byId("currency");
  const codes = ["", ...COMMON_CURRENCIES, ...[...others].sort()];
  if (select.options.length === codes.length) return;
  select.replaceChildren(
    ...codes.map((code) => make("option", { value: code }, currencyName(code))),
  );
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
 * The figures of a quote to show: converted if the quote has a conversion.
 * The price of a currency pair is never converted, because it is a rate.
 */
function shownFigures(quote) {
  const { converted } = quote;
  if (!converted || quote.asset_class === "forex") {
    return { price: quote.price, change: quote.change, currency: quote.currency, rate: 1 };
  }
  const { price, change, currency, rate } = converted;
  return { price, change, currency, rate: Number(rate) };
}

/** One line about rates that are missing or stale, or "". */
function rateText(quotes, currency) {
  const wanted = currency ? quotes.filter((quote) => quote.asset_class !== "forex") : [];
  const missing = wanted.filter((quote) => quote.conversion_error);
  if (missing.length) {
    const unconverted = plural(
      missing.length,
      "price stays in its own currency",
      "prices stay in their own currency",
    );
    const reasons = [...new Set(missing.map((quote) => quote.conversion_error.message))];
    return `No rate to ${currency} for ${unconverted}: ${reasons[0]}`;
  }
  const stale = wanted.map((quote) => quote.converted).filter((found) => found?.rate_stale);
  const pairs = [...new Set(stale.map((found) => found.rate_symbol))];
  return pairs.length ? `The rate of ${joinNames(pairs)} is stale` : "";
}

/** Connect the list. `onChoose(code)` is called with "" for the currency of each quote. */
function startCurrency(chosen, onChoose) {
  fillCurrencies([], chosen);
  byId("currency").addEventListener("change", (event) => {
    const code = event.target.value;
    store(CURRENCY_KEY, code || null);
    onChoose(code);
  });
}
