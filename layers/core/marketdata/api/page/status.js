// The state of the service, at the top of the page: market, verdict, reasons and figures.

/** Show whether the prices are real. */
function showMarket(market) {
  const mark = byId("market");
  mark.hidden = !market;
  if (!market) return;
  mark.dataset.market = market;
  setText(mark.firstElementChild, market === "simulated" ? "Simulated" : "Live");
  setText(
    mark.lastElementChild,
    market === "simulated" ? "Every price on this page is invented." : "",
  );
}

/** When the API last answered all requests of a poll; before that, when the page was opened. */
function lastAnswerText() {
  return timeText(board.answeredAt ?? opened, Date.now());
}

function showVerdict() {
  const { health, outage } = board;
  const providers = board.providers && summaryOf(board.providers.providers, serviceNow());
  let status = outage ? "down" : (health?.status ?? "loading");
  // If no provider can be reached, the page says so before the prices are old.
  const isDegraded = !outage && status === "healthy" && providers?.isUnreachable;
  if (isDegraded) status = "degraded";
  const verdict = byId("verdict");
  verdict.dataset.status = status;
  const texts = {
    healthy: "Healthy",
    degraded: "Degraded",
    unhealthy: "Unhealthy",
    loading: "Loading",
    down: outage && `No new data since ${lastAnswerText()}. ${outage}`,
  };
  setText(verdict, texts[status]);
  document.title =
    status === "healthy"
      ? "Market Data Aggregator"
      : `${status[0].toUpperCase()}${status.slice(1)} · Market Data Aggregator`;
  showReasons(outage ? [] : isDegraded ? ["no provider answers"] : (health?.reasons ?? []));
  byId("again").hidden = !outage;
  const node = byId("providers-state");
  const isKnown = health && providers && !outage;
  setText(node, isKnown ? providers.text : "not known");
  setAttribute(node, "data-level", isKnown ? providers.level : null);
  setText(byId("fresh"), isKnown ? freshText(health.quotes.classes) : "not known");
}

function freshText(classes) {
  const sum = (key) => classes.reduce((total, entry) => total + entry[key], 0);
  return `${sum("fresh").toLocaleString("en-US")} of ${sum("active").toLocaleString("en-US")}`;
}

function showReasons(reasons) {
  const list = byId("reasons");
  list.hidden = reasons.length === 0;
  if (list.dataset.shown === reasons.join()) return;
  list.dataset.shown = reasons.join();
  list.replaceChildren(...reasons.map((reason) => make("li", {}, reason)));
}

/** Show the ages of the price loop, the asset lists and this page. */
function showStatusAges(now) {
  const slot = board.health?.loop.last_slot;
  const lag = slot ? now - Date.parse(slot) : null;
  setText(byId("loop"), lag === null ? "not yet" : `${durationText(lag)} ago`);
  byId("loop").classList.toggle("late", lag > 3 * SLOT_MS);
  const updated = (board.health?.assets ?? []).map((list) => Date.parse(list.updated_at ?? ""));
  const ages = updated.filter((at) => at > 0).map((at) => now - at);
  setText(byId("lists"), ages.length ? `${durationText(Math.max(...ages))} old` : "none yet");
  setText(byId("page"), pageText());
}

function pageText() {
  const left = Math.max(0, Math.ceil((board.nextAt - Date.now()) / 1000));
  if (board.outage) return polling ? "trying again" : `tries again in ${left} s`;
  return board.answeredAt
    ? `updated ${durationText(Date.now() - board.answeredAt)} ago`
    : "loading";
}
