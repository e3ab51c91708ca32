// Show the whole page, connect its controls, and start polling.

function showAll() {
  document.body.classList.toggle("down", board.outage !== null);
  showMarket((board.health ?? board.providers)?.market);
  showVerdict();
  showPrices({
    classes: shownClasses(),
    entries: board.entries,
    reasons: board.reasons,
    watched: new Set(board.watched),
    asOf: board.outage && `as of ${lastAnswerText()}`,
    onRemove: stopWatching,
    onSort: showAll,
  });
  const quotes = [...board.entries.values()].filter((entry) => "price" in entry);
  const rates = rateText(quotes, board.currency);
  setText(byId("rates"), rates);
  setAttribute(byId("rates"), "title", rates || null);
  byId("empty").hidden = !board.health || shownSymbols().length > 0;
  if (board.providers) showProviders(board.providers.providers, serviceNow());
  showTimes();
}

/** Bring up to date what changes with time. This runs once a second. */
function showTimes() {
  const now = serviceNow();
  showAges(now);
  updateCards(now);
  showStatusAges(now);
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) clearTimeout(timer);
  else poll();
});
window.addEventListener("online", poll);
window.addEventListener("hashchange", () => {
  board.watched = storedWatched();
  poll();
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // a new address would change the watch list, which is in the address
  byId("prices").focus();
});
byId("again").addEventListener("click", () => {
  byId("query").focus(); // the button is hidden after the next answer and would lose the focus
  poll();
});
setText(byId("zone"), Intl.DateTimeFormat().resolvedOptions().timeZone ?? "local");
byId("unscripted").remove();
restorePrices();
restoreSorting();
storeWatched(board.watched);
startSearch(startWatching);
startCurrency(board.currency, async (code) => {
  board.currency = code;
  await polling; // this poll still has the currency that was chosen before
  poll();
});
setInterval(() => document.hidden || showTimes(), 1000);
poll();
