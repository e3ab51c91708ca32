"""Quotes one symbol at a time, by yfinance's public chart call, while the batch path is gone."""

import json
from decimal import Decimal

import pytest
from yfinance import cache
from yfinance.data import YfData

from marketdata.clock import parse_utc
from marketdata.domain.symbols import AssetClass
from marketdata.errors import RateLimitedError, UnavailableError
from marketdata.providers.yahoo import UNANSWERED, Yahoo
from marketdata.providers.yahoo_session import PAUSE_S
from tests.support.fake_yahoo import (
    CHART,
    COOKIE,
    CRUMB,
    DOWN,
    QUOTE,
    TOO_MANY,
    UPSTREAM,
    Answer,
    chart,
)
from tests.support.yahoo_calls import LONG_S, NOW, ask, batch, failure_of, prices


def test_without_the_batch_path_charts_give_price_time_and_change(charts, sender, caplog):
    """A chart gives a quote with Yahoo's own time and the change over the previous close."""
    parsed = Yahoo().parse(batch("AAPL", "MSFT", "NOPE"), ask(sender, "AAPL", "MSFT", "NOPE"), NOW)
    aapl, msft = parsed.quotes
    assert (aapl.price, aapl.change, aapl.currency) == (Decimal("244.87"), Decimal("4.86"), "USD")
    assert aapl.percent_change == Decimal("2.024916")
    assert aapl.timestamp == parse_utc("2025-02-19T21:00:01Z")
    assert msft.timestamp is None
    assert [missing.code for missing in parsed.missing] == ["not_found"]
    assert "yahoo quote call is not usable" in caplog.text


def test_a_chart_costs_two_requests_once_and_then_one(charts, sender):
    """The first chart of a symbol takes two requests, and later ones take one."""
    ask(sender, "AAPL")
    assert charts.paths() == [COOKIE, CRUMB, QUOTE, f"{CHART}AAPL", f"{CHART}AAPL"]
    ask(sender, "AAPL")
    assert charts.paths()[5:] == [f"{CHART}AAPL"]


def test_the_batch_path_is_taken_again_when_it_is_back(charts, new_sender):
    """Half a minute after its failure the batch path is tried again."""
    clock, sender = new_sender
    ask(sender)
    charts.gone.clear()
    assert prices(ask(sender))["AAPL"] == "244.87"
    clock[0] += PAUSE_S
    before = len(charts.seen)
    assert prices(ask(sender))["AAPL"] == "244.6"
    assert charts.paths()[before:] == [QUOTE]


@pytest.mark.parametrize(
    ("meta", "change"),
    [
        ({"range": "5d"}, None),
        ({"instrumentType": "CRYPTOCURRENCY"}, None),
        ({"chartPreviousClose": None}, None),
        ({}, Decimal("4.86")),
    ],
)
def test_a_change_is_only_given_over_the_previous_close(charts, sender, meta, change):
    """A chart of several days, of a coin or without a previous close gives no change."""
    charts.charts["AAPL"] = chart("AAPL", 244.87, 240.01, **meta)
    parsed = Yahoo().parse(batch("AAPL"), ask(sender, "AAPL"), NOW)
    assert parsed.quotes[0].change == change


def test_a_day_without_trades_still_has_a_price(charts, sender):
    """A chart without bars gives the price of its metadata."""
    quiet = chart("AAPL", 244.87, 240.01)
    quiet["chart"]["result"][0]["indicators"]["quote"] = [{}]
    del quiet["chart"]["result"][0]["timestamp"]
    charts.charts["AAPL"] = quiet
    assert prices(ask(sender, "AAPL"), "AAPL") == {"AAPL": "244.87"}


def test_bars_that_yfinance_cannot_read_do_not_hide_the_price(charts, sender):
    """A chart whose bars yfinance cannot read gives the price of its metadata."""
    strange = chart("AAPL", 244.87, 240.01)
    del strange["chart"]["result"][0]["meta"]["validRanges"]
    charts.charts["AAPL"] = strange
    assert prices(ask(sender, "AAPL"), "AAPL") == {"AAPL": "244.87"}


@pytest.mark.parametrize(
    "odd", ["NaN", "Infinity", '"abc"', "true", "[1]", "{}", "1e30", "-5", '""', "1e400"]
)
@pytest.mark.parametrize(
    ("member", "figure"),
    [
        ("chartPreviousClose", "previous_close"),
        ("regularMarketDayHigh", "high"),
        ("regularMarketDayLow", "low"),
        ("regularMarketVolume", "volume"),
        ("regularMarketTime", "timestamp"),
    ],
)
def test_an_odd_member_of_a_chart_costs_only_its_figure(charts, sender, member, figure, odd):
    """An odd member of a chart is null in the quote, and the price is kept."""
    text = json.dumps(chart("AAPL", 244.87, 240.01, **{member: "ODD"})).replace('"ODD"', odd)
    charts.faults[f"{CHART}AAPL"].extend([Answer(200, text)] * 2)
    parsed = Yahoo().parse(batch("AAPL"), ask(sender, "AAPL"), NOW)
    (quote,) = parsed.quotes
    assert (quote.price, getattr(quote, figure)) == (Decimal("244.87"), None)
    if member == "chartPreviousClose":
        assert (quote.change, quote.percent_change) == (None, None)


@pytest.mark.parametrize("time", [1739998801000, -1, "2025-02-19", 10**15])
def test_a_chart_with_an_impossible_time_has_a_price_without_a_time(charts, sender, time):
    """A chart with a time that yfinance cannot convert gives a price without a time."""
    charts.charts["AAPL"] = chart("AAPL", 244.87, 240.01, regularMarketTime=time)
    (quote,) = Yahoo().parse(batch("AAPL"), ask(sender, "AAPL"), NOW).quotes
    assert (quote.price, quote.timestamp) == (Decimal("244.87"), None)


def test_a_chart_keeps_all_digits_of_its_price(charts, sender):
    """A price is read from the answer itself, because yfinance has it as a binary float."""
    text = json.dumps(chart("AAPL", 1, 1.1)).replace(
        'Price": 1,', 'Price": 1.12345678901234567891,'
    )
    charts.faults[f"{CHART}AAPL"].extend([Answer(200, text)] * 2)
    (quote,) = Yahoo().parse(batch("AAPL"), ask(sender, "AAPL"), NOW).quotes
    assert (str(quote.price), str(quote.change)) == (
        "1.12345678901234567891", "0.02345678901234567891",
    )  # fmt: skip


def test_a_symbol_without_a_chart_is_not_an_unknown_symbol(charts, sender):
    """A symbol whose answer is not a chart is unavailable, so the next provider is called."""
    charts.faults[f"{CHART}AAPL"].extend([Answer(200, {"finance": {}})] * 2)
    response = ask(sender)
    parsed = Yahoo().parse(batch("AAPL", "MSFT"), response, NOW)
    assert [quote.symbol for quote in parsed.quotes] == ["MSFT"]
    assert [missing.code for missing in parsed.missing] == ["provider_unavailable"]


@pytest.mark.parametrize(
    "body", ['{"chart":{"resu', "", "{}", '{"chart":{"result":null,"error":null}}']
)
def test_one_bad_answer_does_not_hide_a_symbol_for_ever(charts, sender, body):
    """A symbol with one bad answer has a price again in the next call."""
    charts.faults[f"{CHART}AAPL"].append(Answer(200, body))
    assert prices(ask(sender)) == {"MSFT": "410.5"}
    assert prices(ask(sender)) == {"AAPL": "244.87", "MSFT": "410.5"}


def test_a_chart_without_a_price_is_not_found(charts, sender):
    """A symbol whose chart has no price is not found."""
    charts.charts["AAPL"] = chart("AAPL", 1, 1, regularMarketPrice=None)
    parsed = Yahoo().parse(batch("AAPL"), ask(sender, "AAPL"), NOW)
    assert [missing.code for missing in parsed.missing] == ["not_found"]


def test_symbols_left_at_the_deadline_are_not_not_found(charts, sender):
    """At the deadline the answered symbols have quotes, and the others are unavailable."""
    charts.faults[f"{CHART}MSFT"].extend([charts.hang] * 2)
    response = ask(sender, "AAPL", "MSFT", "NOPE", timeout_s=2.0)
    parsed = Yahoo().parse(batch("AAPL", "MSFT", "NOPE"), response, NOW)
    assert [quote.symbol for quote in parsed.quotes] == ["AAPL"]
    assert [missing.code for missing in parsed.missing] == ["provider_unavailable"] * 2


@pytest.mark.parametrize("fault", [UPSTREAM, DOWN, Answer(200, '{"chart":{"resu')])
def test_a_bad_chart_spoils_only_its_symbol(charts, sender, fault):
    """If the chart of one symbol is bad, the other symbols have quotes."""
    charts.faults[f"{CHART}AAPL"].extend([fault] * 2)
    response = ask(sender)
    assert prices(response) == {"MSFT": "410.5"}
    assert UNANSWERED in response.body.decode()


def test_no_chart_at_all_is_unavailable(charts, sender):
    """If no symbol has a chart, the call is an error."""
    charts.faults[f"{CHART}AAPL"].append(UPSTREAM)
    assert failure_of(lambda: ask(sender, "AAPL")) == (
        "Yahoo: the quote call is gone (status 404); one symbol at a time: "
        "the chart call answered 502"
    )


def test_a_rate_limit_ends_the_charts(charts, sender):
    """After a first 429 no further chart is requested."""
    charts.faults[f"{CHART}AAPL"].append(TOO_MANY)
    with pytest.raises(RateLimitedError):
        prices(ask(sender))
    assert charts.paths()[3:] == [f"{CHART}AAPL"]
    charts.faults[f"{CHART}MSFT"].append(TOO_MANY)
    assert prices(ask(sender, "AAPL", "MSFT", "NOPE"), "AAPL", "MSFT", "NOPE") == {"AAPL": "244.87"}
    assert charts.paths()[-1] == f"{CHART}MSFT"


def test_charts_stay_within_the_allowance_and_take_turns(charts, sender):
    """Each chart is taken from the call's allowance, and the next call begins with the others."""
    with pytest.raises(UnavailableError, match="the quote call is gone"):
        ask(sender, calls=4)
    assert len(charts.seen) == 4  # cookie, crumb, quotes, and a time zone
    assert prices(ask(sender, calls=2)) == {"AAPL": "244.87"}
    assert prices(ask(sender, calls=1)) == {"MSFT": "410.5"}
    answer = ask(sender, calls=1)
    assert prices(answer) == {"AAPL": "244.87"}
    assert answer.note == "Yahoo: the quote call is gone (status 404); one symbol at a time"
    assert len(charts.seen) == 4 + 2 + 1 + 1


@pytest.mark.parametrize("change", ["gone", "other arguments"])
def test_a_changed_yfinance_leaves_the_public_way(charts, sender, monkeypatch, change):
    """If yfinance's private parts have changed, charts are used, and the list is an error."""
    if change == "gone":
        monkeypatch.delattr(YfData, "_get_cookie_and_crumb")
    else:
        monkeypatch.setattr(YfData, "post", lambda _self, _url: None)
    request = Yahoo().build_asset_requests(AssetClass.STOCKS)[0]
    assert "yfinance has changed" in failure_of(lambda: sender.send(request, LONG_S))
    monkeypatch.undo()
    monkeypatch.delattr(cache, "_CookieCacheDummy")
    sender._data = None
    assert prices(ask(sender)) == {"AAPL": "244.87", "MSFT": "410.5"}
    assert QUOTE not in charts.paths()
