"""Rows of the board in detail: their figures, their order and their currency."""

import json
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from marketdata.domain.quotes import ExtendedPrice, ExtendedSession, MarketState, Source
from marketdata.domain.symbols import AssetClass
from tests.support.board_page import BoardPage, put

FIGURES = {
    "previous_close": Decimal("181.3"),
    "open": Decimal(182),
    "low": Decimal(180),
    "high": Decimal(190),
    "volume": Decimal(34521708),
    "market_cap": Decimal(3327478413691),
    "market_state": MarketState.OPEN,
}


def facts(board, symbol):
    """Return the names and texts of an opened row's details."""
    sheet = board.page.get_by_role("group", name=f"Details of {symbol}")
    expect(sheet).to_be_visible()
    pairs = sheet.locator("dl > div").evaluate_all(
        "nodes => nodes.map((node) => [node.children[0].innerText, node.children[1].innerText])"
    )
    return {name: " ".join(text.split()) for name, text in pairs}


def order(board, title="Stocks"):
    """Return the symbols of a group from top to bottom."""
    group = board.page.get_by_role("rowgroup", name=title)
    return group.locator("tr[data-symbol]").evaluate_all("rows => rows.map(r => r.dataset.symbol)")


def test_the_details_have_every_figure_of_the_quote(board):
    """The details open and close with the keyboard, have every figure, and follow the price."""
    put(board.service, "AAPL", **FIGURES)
    board.next_slot()
    toggle = board.page.get_by_role("button", name="AAPL details")
    expect(toggle).to_have_attribute("aria-expanded", "false")
    toggle.press("Enter")
    expect(toggle).to_have_attribute("aria-expanded", "true")
    assert facts(board, "AAPL") == {
        "Price": "182.5 USD",
        "Change": "+1.20, +0.66% since close",
        "Previous close": "181.3 USD",
        "Open": "182 USD",
        "Day range": "180 – 190",
        "Volume": "34.52 M",
        "Market cap": "3.327 T USD",
        "Market": "open",
        "Source": "Yahoo Finance",
        "Time of the price": "14:05:01",
        "Fetched": "14:05:01",
    }
    controlled = toggle.get_attribute("aria-controls")
    expect(board.page.locator(f"#{controlled}")).to_contain_text("Previous close")
    put(board.service, "AAPL", "183", **FIGURES)
    board.next_slot()
    assert facts(board, "AAPL")["Price"] == "183 USD"
    toggle.press("Enter")
    expect(board.page.get_by_role("group", name="Details of AAPL")).to_have_count(0)


def test_a_figure_that_the_source_does_not_give_is_a_dash(board):
    """A figure that the source does not give is a dash, with words for screen readers."""
    board.row("MSFT").locator("td.price").click()
    assert facts(board, "MSFT")["Previous close"] == "– not given by the source"
    expect(board.row("MSFT").locator("td.range")).to_have_text("–no day range from the source")
    expect(board.row("MSFT").get_by_role("button", name="MSFT details")).to_have_attribute(
        "aria-expanded", "true"
    )


def test_the_price_has_its_place_in_the_range_of_the_day(board):
    """The mark in the bar of the day's range is at the place of the price."""
    put(board.service, "AAPL", **FIGURES)
    board.next_slot()
    bar = board.row("AAPL").locator(".bar-of-day")
    expect(bar).to_have_attribute("aria-label", "At 25% of the day’s range from 180.00 to 190.00")
    outer, mark = bar.bounding_box(), bar.locator(".mark").bounding_box()
    place = (mark["x"] + mark["width"] / 2 - outer["x"]) / outer["width"]
    assert place == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize(
    ("state", "group", "details"),
    [
        (MarketState.OPEN, "market open", "open"),
        (MarketState.CLOSED, "market closed", "closed"),
        (MarketState.PRE, "pre-market", "pre-market"),
        (MarketState.POST, "after hours", "after hours"),
    ],
)
def test_the_state_of_the_market_is_said(board, state, group, details):
    """A group in which all agree shows the market's state once, and so do the details."""
    for symbol in ("AAPL", "MSFT"):
        put(board.service, symbol, **{**FIGURES, "market_state": state})
    board.next_slot()
    stocks = board.page.get_by_role("rowgroup", name="Stocks")
    expect(stocks.locator(".state-of-market")).to_have_text(group)
    expect(board.row("AAPL").locator(".session")).to_be_hidden()
    board.row("AAPL").locator("td.price").click()
    assert facts(board, "AAPL")["Market"] == details


def test_a_row_says_where_its_market_differs(board):
    """A row whose market's state differs from its group's shows the state."""
    put(board.service, "AAPL", **FIGURES)
    put(board.service, "MSFT", **{**FIGURES, "market_state": MarketState.CLOSED})
    board.next_slot()
    expect(board.row("MSFT").locator(".session")).to_have_text("closed")
    expect(board.row("AAPL").locator(".session")).to_be_hidden()


def test_the_price_after_hours_is_in_the_details(board):
    """The details have the after-hours price with its change."""
    service = board.service
    after = ExtendedPrice(
        session=ExtendedSession.POST,
        price=Decimal("183.1"),
        change=Decimal("0.6"),
        percent_change=Decimal("0.33"),
        timestamp=None,
    )
    put(service, "AAPL", **{**FIGURES, "market_state": MarketState.POST, "extended": after})
    board.next_slot()
    board.row("AAPL").locator("td.price").click()
    assert facts(board, "AAPL")["After hours"] == "183.1 USD, +0.33%"


def test_a_symbol_leads_to_its_json(board):
    """A row and its details link to the quote of the API as JSON."""
    page = board.page
    link = page.get_by_role("link", name="EUR/USD as JSON")
    answer = page.request.get(f"{board.origin}/{link.get_attribute('href')}")
    assert json.loads(answer.body())["symbol"] == "EUR/USD"
    board.row("EUR/USD").locator("td.price").click()
    sheet = page.get_by_role("group", name="Details of EUR/USD")
    for link in sheet.get_by_role("link").all():
        assert page.request.get(f"{board.origin}/{link.get_attribute('href')}").ok


def test_a_column_sorts_each_group_and_is_remembered(board):
    """A column sorts down, up, and then not at all; a reload keeps the order."""
    for _ in range(2):  # a jump needs its confirmation
        put(board.service, "AAPL", "100", percent_change=Decimal(-1))
        put(board.service, "MSFT", "500", percent_change=Decimal(2))
    board.next_slot()
    head = board.page.get_by_role("columnheader", name="Change")
    assert order(board) == ["AAPL", "MSFT"]
    head.get_by_role("button").press("Enter")
    expect(head).to_have_attribute("aria-sort", "descending")
    assert order(board) == ["MSFT", "AAPL"]
    board.page.reload()
    expect(head).to_have_attribute("aria-sort", "descending")
    expect(board.row("AAPL").locator("data")).to_be_visible()
    assert order(board) == ["MSFT", "AAPL"]
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    assert order(board) == ["AAPL", "MSFT"]
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") is None
    assert order(board) == ["AAPL", "MSFT"]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("Symbol", ["AAPL", "MSFT", "TSLA"]),
        ("Price", ["MSFT", "TSLA", "AAPL"]),
        ("Day range", ["TSLA", "AAPL", "MSFT"]),
        ("Source", ["TSLA", "AAPL", "MSFT"]),
        ("Age", ["TSLA", "MSFT", "AAPL"]),
    ],
)
def test_every_column_can_sort(tab, service, column, expected):
    """Each column sorts by the figure that it shows; rows without the figure come last."""
    for _ in range(2):  # a jump needs its confirmation
        put(service, "AAPL", "181", **FIGURES)
        put(service, "MSFT", "400")
        put(service, "TSLA", "189", **FIGURES, source=Source.FINNHUB)
    with (
        service.served() as origin,
        BoardPage(tab, service, origin).open("/#watch=TSLA") as board,
    ):
        expect(board.row("TSLA").locator("data")).to_be_visible()
        board.page.get_by_role("columnheader", name=column).get_by_role("button").click()
        assert order(board) == expected


def test_an_opened_row_keeps_the_focus_and_its_details_when_it_moves(board):
    """An opened row that moves keeps the focus and its details."""
    put(board.service, "AAPL", percent_change=Decimal(1))
    put(board.service, "MSFT", percent_change=Decimal(2))
    board.next_slot()
    board.page.get_by_role("columnheader", name="Change").get_by_role("button").click()
    toggle = board.page.get_by_role("button", name="AAPL details")
    toggle.press("Enter")
    assert order(board) == ["MSFT", "AAPL"]
    put(board.service, "AAPL", percent_change=Decimal(3))
    board.next_slot()
    assert order(board) == ["AAPL", "MSFT"]
    expect(toggle).to_be_focused()
    following = board.row("AAPL").locator("xpath=following-sibling::tr[2]")
    expect(following).to_have_class("details")


def test_prices_are_converted_to_the_currency_of_choice(board):
    """Prices of shares and coins are converted, pairs stay, and a reload keeps the choice."""
    service = board.service
    for _ in range(2):  # a jump needs its confirmation
        put(service, "EUR/USD", "1.25")
    put(service, "AAPL", "182.5", **FIGURES)
    board.next_slot()
    select = board.page.get_by_label("Currency of the prices")
    select.select_option("EUR")
    for _ in range(2):
        expect(board.row("AAPL").locator("data")).to_have_text("146.00")
        expect(board.row("AAPL").locator(".currency")).to_have_text("EUR")
        expect(board.row("AAPL").locator(".absolute")).to_have_text("+0.96")
        expect(board.row("BTC-USD").locator(".currency")).to_be_visible()
        expect(board.row("EUR/USD").locator("data")).to_have_text("1.25")
        expect(board.page.locator("#rates")).to_have_text("")
        board.page.reload()
        expect(select).to_have_value("EUR")
    board.row("AAPL").locator("td.price").click()
    found = facts(board, "AAPL")
    assert found["Price"] == "182.5 USD"
    assert found["In EUR"] == "146"
    assert found["Rate to EUR"].startswith("0.80 (EUR/USD, yfinance")
    select.select_option("")
    expect(board.row("AAPL").locator("data")).to_have_text("182.50")


def test_a_rate_that_is_missing_is_said(board):
    """A missing rate is named once; prices stay in their own currency, which is marked."""
    board.page.get_by_label("Currency of the prices").select_option("JPY")
    rates = board.page.locator("#rates")
    expect(rates).to_contain_text("No rate to JPY for 3 prices")
    expect(rates).to_contain_text("USD/JPY")
    expect(board.row("AAPL").locator("data")).to_have_text("182.50")
    expect(board.row("AAPL").locator(".currency")).to_have_text("USD")
    expect(board.row("AAPL").locator(".currency")).to_have_class(re.compile("unconverted"))
    board.row("AAPL").locator("td.price").click()
    assert "USD/JPY" in facts(board, "AAPL")["Converted"]


def test_a_rate_that_is_stale_is_said(board):
    """A stale rate is named."""
    service = board.service
    service.now_ms += round(timedelta(seconds=70).total_seconds() * 1000)
    service.price("AAPL", "MSFT", "BTC-USD")
    board.next_slot()
    board.page.get_by_label("Currency of the prices").select_option("EUR")
    expect(board.page.locator("#rates")).to_have_text("The rate of EUR/USD is stale")


def test_names_are_there_for_symbols_beyond_the_first_of_a_list(tab, service):
    """A symbol far down in a list has its name, and a symbol in no list has none."""
    service.now_ms += 5_000
    many = {f"AA{index:03}": f"Filler {index}" for index in range(205)}
    service.list_assets(AssetClass.STOCKS, {**many, "ZZZ": "Last of All, Inc."}, "v2")
    service.price("ZZZ")
    service.watched()
    with (
        service.served() as origin,
        BoardPage(tab, service, origin).open("/#watch=ZZZ") as board,
    ):
        expect(board.row("ZZZ").locator(".name")).to_have_text("Last of All, Inc.")
        expect(board.row("AAPL").locator(".name")).to_have_text("")
