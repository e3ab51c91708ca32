// The names that the page shows for codes of the API.

const CLASSES = { stocks: "Stocks", crypto: "Crypto", forex: "Forex" };
const BASES = { previous_close: "since close", "24h": "in 24 h" };
const SESSIONS = { open: "open", closed: "closed", pre: "pre-market", post: "after hours" };
const PROVIDERS = {
  yfinance: "Yahoo Finance",
  finnhub: "Finnhub",
  coingecko: "CoinGecko",
  coinmarketcap: "CoinMarketCap",
  alpha_vantage: "Alpha Vantage",
};

/** A code of the API in words: "bad_key" becomes "bad key". */
function codeText(code) {
  return code.replaceAll("_", " ");
}
