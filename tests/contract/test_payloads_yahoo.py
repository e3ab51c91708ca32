"""Yahoo's recorded answers, read through the formats and partly through yfinance."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from marketdata.domain.catalogue import Instrument
from marketdata.domain.quotes import (
    ChangeBasis,
    ExtendedPrice,
    ExtendedSession,
    MarketState,
    Quote,
    Source,
)
from marketdata.domain.symbols import AssetClass, parse_symbol
from marketdata.errors import RateLimitedError, UnavailableError
from marketdata.providers.contract import CallAllowance, Parsed, Response
from marketdata.providers.yahoo import Yahoo
from marketdata.providers.yahoo_session import YahooSender
from tests.support.fake_yahoo import CHART, COOKIE, CRUMB, QUOTE, Answer, FakeYahoo, quote_row
from tests.support.yahoo_calls import forget_yfinance

NOW = datetime(2025, 2, 25, 12, tzinfo=UTC)
TIMEOUT_S = 30.0


class Recorded:
    """One recorded answer; its body has the recorded bytes, without parsing its numbers."""

    def __init__(self, path: Path) -> None:
        text = path.read_text()
        recorded = json.loads(text)["response"]
        key = next(key for key in ("bodyJson", "bodyText", "body") if key in recorded)
        start = text.index(f'"{key}": ') + len(f'"{key}": ')
        body, end = json.JSONDecoder().raw_decode(text, start)
        self.status: int = recorded["status"]
        self.kind: str = recorded["headers"]["content-type"]
        self.body = (body if isinstance(body, str) else text[start:end]).encode()

    def response(self) -> Response:
        """Return the answer as a sender returns it."""
        return Response(self.status, {"content-type": self.kind}, self.body)

    def answer(self) -> Answer:
        """Return the answer as the server sends it."""
        return Answer(self.status, self.body, self.kind)


@pytest.fixture
def yahoo(tmp_path: Path) -> Iterator[FakeYahoo]:
    """A server; afterwards yfinance forgets its cookie and crumb."""
    with FakeYahoo() as server:
        server.rows = {"AAPL": quote_row("AAPL", 1)}
        yield server
    forget_yfinance(tmp_path)


def parsed(recorded: Recorded, *symbols: str) -> Parsed:
    """Return what a recorded answer says about these symbols."""
    return Yahoo().parse([_instrument(symbol) for symbol in symbols], recorded.response(), NOW)


def sent(yahoo: FakeYahoo, sender: YahooSender | None = None) -> Parsed:
    """Return what the server says about AAPL, through the real yfinance."""
    batch = [_instrument("AAPL")]
    response = (sender or YahooSender(yahoo.url)).send(
        Yahoo().build_request(batch), TIMEOUT_S, CallAllowance(10)
    )
    return Yahoo().parse(batch, response, NOW)


def quote(
    symbol: str, price: str, change: str, percent: str, time_s: int, **figures: object
) -> Quote:
    """Return the quote of an asset in dollars, its figures given as text.

    The change of a coin is the one over 24 hours.
    """
    asset_class = parse_symbol(symbol).asset_class
    is_coin = asset_class is AssetClass.CRYPTO
    return Quote(
        symbol=symbol,
        asset_class=asset_class,
        price=Decimal(price),
        currency="USD",
        change=Decimal(change),
        percent_change=Decimal(percent),
        change_basis=ChangeBasis.ROLLING_24H if is_coin else ChangeBasis.PREVIOUS_CLOSE,
        source=Source.YFINANCE,
        timestamp=datetime.fromtimestamp(time_s, UTC),
        fetched_at=NOW,
        **{
            name: Decimal(value) if isinstance(value, str) and name != "market_state" else value
            for name, value in figures.items()
        },
    )


def after_hours(price: str, change: str, percent: str, time_s: int) -> ExtendedPrice:
    """Return a price from after-hours trading."""
    return ExtendedPrice(
        session=ExtendedSession.POST,
        price=Decimal(price),
        change=Decimal(change),
        percent_change=Decimal(percent),
        timestamp=datetime.fromtimestamp(time_s, UTC),
    )


AAPL = quote(
    "AAPL", "244.6", "3.0700073", "1.271067", 1739566800, previous_close="241.53", open="241.07",
    high="245.41", low="241", volume="40896227", market_cap="3674405863424",
    market_state=MarketState.CLOSED,
    extended=after_hours("244.64", "0.0399933", "0.016350", 1739581198),
)  # fmt: skip
BABA = quote(
    "BABA", "124.73", "5.19", "4.34164", 1739566802, previous_close="119.54", open="126.59",
    high="126.8", low="120.495", volume="52086273", market_cap="302870626304",
    market_state=MarketState.CLOSED,
    extended=after_hours("124.81", "0.0799942", "0.064134", 1739581199),
)  # fmt: skip
BTC = quote(
    "BTC-USD", "96077.45", "-1225.8906", "-1.259863", 1739789580, previous_close="96137.88",
    open="96137.88", high="96581.79", low="95934.96", volume="21228961792",
    market_cap="1904783523840", market_state=MarketState.OPEN,
)  # fmt: skip
EUR = quote(
    "EUR/USD", "1.0489877", "-0.0005505085", "-0.052457", 1739789683, previous_close="1.0495383",
    open="1.0494281", high="1.0508617", low="1.0474495", market_state=MarketState.OPEN,
)  # fmt: skip
SCREENED = [
    (1, "ATUS", "Altice USA, Inc.", "NYSE", "USD"),
    (2, "SID", "Companhia Siderúrgica Nacional", "NYSE", "USD"),
    (3, "KOS", "Kosmos Energy Ltd.", "NYSE", "USD"),
    (4, "MPLN", "Claritev Corporation", "NYSE", "USD"),
    (5, "DOLE", "Dole plc", "NYSE", "USD"),
]


def one_share(recorded: Recorded, yahoo: FakeYahoo) -> None:
    """A share's row is read with every digit, directly and through yfinance."""
    assert parsed(recorded, "AAPL").quotes == (AAPL,)
    yahoo.faults[QUOTE].append(recorded.answer())
    assert sent(yahoo).quotes == (AAPL,)


def one_coin(recorded: Recorded, _yahoo: FakeYahoo) -> None:
    """A coin's change is the one over 24 hours that Yahoo gives."""
    assert parsed(recorded, "BTC-USD").quotes == (BTC,)


def one_pair(recorded: Recorded, _yahoo: FakeYahoo) -> None:
    """A pair's row is read with every digit."""
    assert parsed(recorded, "EUR/USD").quotes == (EUR,)


def an_unknown_symbol(recorded: Recorded, _yahoo: FakeYahoo) -> None:
    """A symbol of an empty result is not found."""
    assert [missing.code for missing in parsed(recorded, "SIX").missing] == ["not_found"]


def a_batch(recorded: Recorded, _yahoo: FakeYahoo) -> None:
    """Both rows are found by their symbols, in any order."""
    assert parsed(recorded, "BABA", "AAPL").quotes == (BABA, AAPL)


def a_screener_page(recorded: Recorded, _yahoo: FakeYahoo) -> None:
    """The rows of the page are ranked by their place."""
    listings = Yahoo().parse_assets(AssetClass.STOCKS, [recorded.response()])
    assert [
        (item.rank, item.symbol, item.name, item.exchange, item.currency) for item in listings
    ] == SCREENED


def a_crumb(recorded: Recorded, yahoo: FakeYahoo) -> None:
    """The crumb that yfinance gets is the crumb that it sends."""
    yahoo.faults[CRUMB].append(recorded.answer())
    sent(yahoo)
    assert yahoo.seen[-1].query["crumb"] == recorded.body.decode() == "CrumbExmpl1"


def a_rejected_crumb(recorded: Recorded, yahoo: FakeYahoo) -> None:
    """After one rejection a new crumb is fetched; after two Yahoo is unavailable."""
    yahoo.faults[QUOTE].append(recorded.answer())
    assert sent(yahoo).quotes
    assert yahoo.paths() == [COOKIE, CRUMB, QUOTE] * 2
    with pytest.raises(UnavailableError):
        parsed(recorded, "AAPL")


def a_rejected_chart(recorded: Recorded, yahoo: FakeYahoo) -> None:
    """An unknown symbol that is asked for alone is not found, after one request."""
    yahoo.gone.add(QUOTE)
    yahoo.faults[f"{CHART}AAPL"].append(recorded.answer())
    assert [missing.code for missing in sent(yahoo).missing] == ["not_found"]
    assert yahoo.paths()[-1] == f"{CHART}AAPL"


def a_rate_limited_crumb(recorded: Recorded, yahoo: FakeYahoo) -> None:
    """A rate limit in place of a crumb holds for a minute, and is not used as a crumb."""
    yahoo.faults[CRUMB].append(recorded.answer())
    sender = YahooSender(yahoo.url)
    with pytest.raises(RateLimitedError) as caught:
        sent(yahoo, sender)
    assert caught.value.retry_after_s == 60
    assert yahoo.paths() == [COOKIE, CRUMB]
    assert sent(yahoo, sender).quotes
    assert yahoo.seen[-1].query["crumb"] == "CrumbExmpl1"


def a_chart(recorded: Recorded, yahoo: FakeYahoo) -> None:
    """A chart of 2020 has the current price and time and no change, as its close is of 2019."""
    yahoo.gone.add(QUOTE)
    yahoo.faults[f"{CHART}AAPL"].extend([recorded.answer()] * 2)
    (read,) = sent(yahoo).quotes
    assert (read.price, read.currency) == (Decimal("244.87"), "USD")
    assert read.timestamp == datetime.fromtimestamp(1739998801, UTC)
    assert (read.change, read.percent_change, read.change_basis) == (None, None, None)
    assert (read.high, read.low) == (Decimal("246.01"), Decimal("243.16"))
    assert (read.volume, read.previous_close, read.market_state) == (32129951, None, None)
    assert (read.open, read.market_cap, read.extended) == (None, None, None)


REPLAYS: dict[str, Callable[[Recorded, FakeYahoo], None]] = {
    "chart_AAPL.vcr.json": a_chart,
    "error_401_invalid_crumb.json": a_rejected_crumb,
    "error_404_chart_delisted.json": a_rejected_chart,
    "error_429_getcrumb_text.json": a_rate_limited_crumb,
    "getcrumb_200.vcr.json": a_crumb,
    "quote_AAPL.vcr.json": one_share,
    "quote_BTC-USD.vcr.json": one_coin,
    "quote_EURUSD_X.vcr.json": one_pair,
    "quote_SIX_unknown_empty.vcr.json": an_unknown_symbol,
    "quote_batch_AAPL_BABA.vcr.json": a_batch,
    "screener_predefined_aggressive_small_caps.vcr.json": a_screener_page,
}


@pytest.mark.parametrize("name", REPLAYS)
def test_a_recorded_answer_yields_exactly_what_it_says(name, payloads, yahoo):
    """Each recorded answer is read as its entry of `REPLAYS` says."""
    REPLAYS[name](Recorded(payloads / "yahoo" / name), yahoo)


def test_no_recorded_answer_of_yahoos_is_left_out(payloads):
    """Each recorded answer of Yahoo has an entry in `REPLAYS`."""
    assert {path.name for path in (payloads / "yahoo").iterdir()} == set(REPLAYS)


def _instrument(text: str) -> Instrument:
    symbol = parse_symbol(text)
    return Instrument(symbol)
