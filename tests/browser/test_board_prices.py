"""Prices on the board: digits, changes, lines, sources and reasons."""

import json
import re
from datetime import datetime
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from marketdata.domain.outcomes import MissingQuote, Reason
from tests.support.api_service import Service
from tests.support.board_page import PHONE, WIDE, BoardPage, put


def asked(board):
    """Return the latest quotes that the page got, by symbol, with numbers as text."""
    body = [found for found in board.answers if "v1/quotes" in found.url][-1].body()
    body = json.loads(body, parse_float=str, parse_int=str)
    return {entry["symbol"]: entry for entry in body["quotes"]}


def test_the_page_shows_what_the_api_tells(board):
    """Each row has the exact price, change, source and age of the API's answer."""
    service = board.service
    for _ in range(2):  # a jump needs its confirmation
        put(service, "AAPL", "0.000005120000000000001")
    board.next_slot()
    expect(board.row("AAPL").locator("data")).to_have_attribute("value", "0.000005120000000000001")
    quotes = asked(board)
    assert list(quotes) == ["AAPL", "MSFT", "BTC-USD", "EUR/USD"]
    for symbol, served in quotes.items():
        row = board.row(symbol)
        assert row.locator("data").get_attribute("value") == served["price"]
        assert row.locator(".currency").text_content() == served["currency"]
        assert row.locator(".percent").inner_text() == f"+{served['percent_change']}%"
        assert row.locator(".source").inner_text() == served["source"]
        age_s = service.now_ms // 1000 - datetime.fromisoformat(served["fetched_at"]).timestamp()
        assert row.locator(".age").inner_text() == f"{age_s:.0f}\xa0s"
    for title, symbol in (("Stocks", "MSFT"), ("Crypto", "BTC-USD"), ("Forex", "EUR/USD")):
        group = board.page.get_by_role("rowgroup", name=title)
        expect(group.locator(f'[data-symbol="{symbol}"]')).to_be_visible()


@pytest.mark.parametrize(
    ("price", "seen", "spoken"),
    [
        ("90679.068", "90,679.07", "90,679.068"),
        ("1.9740265", "1.97403", "1.9740265"),
        ("153.577", "153.577", None),
        ("190", "190.00", None),
        ("0.873301", "0.8733", "0.873301"),
        ("0.00000885", "0.0₅885", "0.00000885"),
        ("0.000000000012399", "0.0₁₀124", "0.000000000012399"),
    ],
)
def test_a_price_is_shown_short_and_read_out_whole(tab, service, price, seen, spoken):
    """A price is shown short, and is whole in the title and for screen readers."""
    for _ in range(2):  # a jump needs its confirmation
        put(service, "BTC-USD", price)
    with service.served() as origin, BoardPage(tab, service, origin).open() as board:
        shown = board.row("BTC-USD").locator("data")
        expect(shown.locator("> span:first-child")).to_have_text(seen)
        assert shown.get_attribute("value") == price
        assert shown.get_attribute("title") == spoken
        unseen = shown.locator(".visually-hidden").all_inner_texts()
        assert unseen == ([spoken] if spoken else [])
        hidden = shown.locator("> span:first-child").get_attribute("aria-hidden")
        assert hidden == ("true" if spoken else None)


def test_a_negative_price_has_its_sign(tab, service):
    """A negative price is shown with its sign."""
    put(service, "CL=F", "-37.63", currency="USD", change=Decimal("-55.9"), percent_change=None)
    with (
        service.served() as origin,
        BoardPage(tab, service, origin).open("/#watch=CL=F") as board,
    ):
        expect(board.row("CL=F").locator("data")).to_have_text("−37.63")
        expect(board.row("CL=F").locator(".absolute")).to_have_text("−55.90")


@pytest.mark.parametrize("size", [WIDE, PHONE, (320, 640)])
def test_prices_are_aligned_at_the_decimal_point(tab, service, size):
    """Prices of all groups are aligned at the decimal point."""
    for symbol, price in (("AAPL", "75676.09"), ("BTC-USD", "0.00000885"), ("EUR/USD", "1.03847")):
        for _ in range(2):  # a jump needs its confirmation
            put(service, symbol, price)
    with service.served() as origin, BoardPage(tab, service, origin, size=size).open() as board:
        expect(board.row("AAPL").locator("data")).to_have_attribute("value", "75676.09")
        places = board.page.locator("tr[data-symbol] .fraction").evaluate_all(
            "nodes => nodes.map((node) => Math.round(node.getBoundingClientRect().left))"
        )
    assert len(places) == 4
    assert max(places) - min(places) <= 1


def test_a_change_shows_its_direction_by_sign_arrow_and_colour(board):
    """A change has a sign, an arrow and a colour, each of which shows its direction."""
    service = board.service
    colours = {}
    for symbol, percent, arrow, expected in (
        ("AAPL", "0.66", "▲", "+0.66%"),
        ("MSFT", "-1.1", "▼", "−1.10%"),
    ):
        put(service, symbol, percent_change=Decimal(percent))
        board.next_slot()
        shown = board.row(symbol).locator(".percent")
        expect(shown).to_have_text(expected)
        expect(board.row(symbol).locator(".arrow")).to_have_text(arrow)
        colours[symbol] = shown.evaluate("node => getComputedStyle(node).color")
    assert colours["AAPL"] != colours["MSFT"]


def test_a_change_that_the_source_does_not_give_is_a_dash(board):
    """A change that the source does not give is a dash, with words for screen readers."""
    put(board.service, "EUR/USD", change=None, percent_change=None, change_basis=None)
    board.next_slot()
    change = board.row("EUR/USD").locator(".percent")
    expect(change).to_have_text("–no change from the source")


def test_a_stale_price_is_marked_with_the_reason(board):
    """A stale price is marked with the API's reason."""
    service = board.service
    why = [MissingQuote("MSFT", Reason.BUDGET_EXHAUSTED, "yfinance: no call left before 15:00", 60)]
    service.stores.quotes.explain(why)
    service.now_ms += 60_000
    service.price("AAPL", "BTC-USD", "EUR/USD")
    board.next_slot()
    row = board.row("MSFT")
    expect(row).to_have_class(re.compile("stale"))
    note = row.locator("xpath=following-sibling::tr[1]")
    expect(note).to_have_text("stale yfinance: no call left before 15:00")
    expect(board.row("AAPL")).not_to_have_class(re.compile("stale"))
    expect(board.page.get_by_text("1 of 2 fresh")).to_be_visible()
    service.price("MSFT")
    board.next_slot()
    expect(row).not_to_have_class(re.compile("stale"))
    expect(note).to_be_hidden()


def test_a_missing_price_is_named_with_the_reason(board):
    """A missing price has its row with the reason, and gets its price with the next slot."""
    service = board.service
    service.stores.cache.command("UNLINK", service.stores.cache.key("quotes", "q", "AAPL"))
    why = [MissingQuote("AAPL", Reason.PROVIDER_UNAVAILABLE, "yfinance: breaker open")]
    service.stores.quotes.explain(why)
    board.next_slot()
    expect(board.row("AAPL")).to_contain_text("provider unavailable yfinance: breaker open")
    service.price("AAPL")
    board.next_slot()
    expect(board.row("AAPL").locator("data")).to_have_text("182.50")


def test_the_recorded_prices_become_a_line_which_goes_on(tab, service):
    """Recorded prices are a line at the first load, with gaps, and new prices extend the line."""
    start_ms = service.now_ms
    for hours, price in ((-20, "170"), (-10, "175"), (-9.99, "176"), (0, "183")):
        service.now_ms = start_ms + round(hours * 3_600_000)
        put(service, "TSLA", price)
    with (
        service.served() as origin,
        BoardPage(tab, service, origin).open("/#watch=TSLA") as board,
    ):
        line = board.row("TSLA").locator("svg.small")
        expect(line).to_have_attribute("aria-label", re.compile(r"\+7\.\d+%, low 170, high 183$"))
        expect(board.page.get_by_role("columnheader", name="Last 20 h")).to_be_visible()
        drawn = line.locator(".line").get_attribute("d")
        assert drawn.count("M") == 3
        put(service, "TSLA", "190")
        board.next_slot()
        expect(line).to_have_attribute("aria-label", re.compile(r"low 170, high 190$"))


def test_histories_are_asked_for_once(board):
    """Histories are asked for once at the first load, and once for each new symbol."""
    expect(board.row("AAPL").locator("data")).to_be_visible()
    board.next_slot()
    board.next_slot()
    assert len(board.asked_for("v1/history")) == 1
    board.service.price("TSLA")
    board.page.locator("#query").fill("TSLA")
    with board.page.expect_response(re.compile(r"v1/history\?symbols=TSLA&")):
        board.page.keyboard.press("Enter")


def test_the_last_minutes_become_a_line(board):
    """Prices that the page has seen become a line, which is kept after a reload."""
    service = board.service
    line = board.row("AAPL").locator("svg.small")
    expect(line).to_have_attribute("aria-label", "No line yet")
    for price in ("183", "184"):
        put(service, "AAPL", price)
        board.next_slot()
    expect(line).to_have_attribute("aria-label", re.compile(r"\+0\.82%, low 182\.5, high 184$"))
    board.page.reload()
    expect(line).to_have_attribute("aria-label", re.compile(r"low 182\.5, high 184$"))


def test_a_source_that_is_behind_its_own_answer_is_shown(board):
    """A row says beside its age that the source gives no time."""
    service = board.service
    put(service, "EUR/USD", timestamp=None)
    board.next_slot()
    expect(board.row("EUR/USD").locator(".age")).to_contain_text("source gives no time")


def test_the_simulated_market_is_named(board):
    """The banner says that the market is simulated."""
    mark = board.page.get_by_role("banner").locator("#market")
    expect(mark).to_have_text("Simulated Every price on this page is invented.")


def test_the_live_market_is_named(tab, plain_redis, service):
    """The banner says that the market is live, in grey while the API does not answer."""
    live = Service(service.stores.cache)
    live.now_ms = service.now_ms + 5_000
    live.at_work()
    with live.served() as origin:
        board = BoardPage(tab, live, origin).open()
        expect(board.page.locator("#market")).to_have_text("Live ")
    with board:
        word = board.page.locator("#market strong")
        before = word.evaluate("node => getComputedStyle(node).color")
        board.pass_s(7)
        expect(board.page.locator("#verdict")).to_contain_text("No new data")
        assert word.evaluate("node => getComputedStyle(node).color") != before


def test_the_page_has_an_icon_and_a_name_of_its_own(board):
    """The page has an icon, a title and a heading."""
    icon = board.page.locator("link[rel=icon]").get_attribute("href")
    assert icon.startswith("data:image/svg+xml,")
    drawn = board.page.evaluate(
        "async (address) => { const image = new Image(); image.src = address;"
        " await image.decode(); return image.width; }",
        icon,
    )
    assert drawn > 0
    expect(board.page).to_have_title("Market Data Aggregator")
    expect(board.page.get_by_role("heading", level=1)).to_have_text("Market Data Aggregator")
