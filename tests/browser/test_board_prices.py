import json
import re
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from playwright.sync_api import expect

from marketdata.domain.outcomes import MissingQuote, Reason
from tests.support.api_service import quote


def asked(board):
    """The quotes that the API told the page last, by symbol, numbers as the texts they were."""
    body = [found for found in board.answers if "v1/quotes" in found.url][-1].body()
    body = json.loads(body, parse_float=str, parse_int=str)
    return {entry["symbol"]: entry for entry in body["quotes"]}


def put(service, symbol, price="182.5", **changes):
    """Store a new quote, with some fields changed."""
    service.now_ms += 1_000
    found = replace(quote(symbol, service.now_ms, price), **changes)
    service.stores.quotes.put([found], service.now_ms)


def test_the_page_shows_what_the_api_tells(board):
    """Each symbol in its class's table: the very digits of the price, change, source and age."""
    service = board.service
    for _ in range(2):  # a jump needs its confirmation
        put(service, "AAPL", "0.000005120000000000001")
    board.next_slot()
    expect(board.row("AAPL").locator("data")).to_have_text("0.000005120000000000001")
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
        table = board.page.get_by_role("table", name=title)
        expect(table.locator(f'[data-symbol="{symbol}"]')).to_be_visible()


def test_a_large_price_is_grouped_and_keeps_its_digits(board):
    """A person reads 90,679.068; a program finds 90679.068."""
    service = board.service
    for price in ("90679.068", "90679.068"):  # a jump needs its confirmation
        put(service, "BTC-USD", price)
    board.next_slot()
    shown = board.row("BTC-USD").locator("data")
    expect(shown).to_have_text("90,679.068")
    assert shown.get_attribute("value") == "90679.068"


def test_a_change_shows_its_direction_by_sign_arrow_and_colour(board):
    """None of the three is needed to tell it."""
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


def test_a_change_that_the_source_does_not_tell_is_not_made_up(board):
    """There is a dash to see, and words to hear."""
    put(board.service, "EUR/USD", change=None, percent_change=None, change_basis=None)
    board.next_slot()
    change = board.row("EUR/USD").locator(".percent")
    expect(change).to_have_text("–not told by the source")


def test_a_stale_price_is_marked_with_the_reason(board):
    """The reason is the API's own; until there is one, the page says so."""
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
    """It keeps its row, and gets its price as soon as there is one."""
    service = board.service
    service.stores.cache.command("UNLINK", service.stores.cache.key("quotes", "q", "AAPL"))
    why = [MissingQuote("AAPL", Reason.PROVIDER_UNAVAILABLE, "yfinance: breaker open")]
    service.stores.quotes.explain(why)
    board.next_slot()
    expect(board.row("AAPL")).to_contain_text("provider unavailable yfinance: breaker open")
    service.price("AAPL")
    board.next_slot()
    expect(board.row("AAPL").locator("data")).to_have_text("182.50")


def test_the_last_minutes_become_a_line(board):
    """It begins with what the page saw first, and outlives a reload."""
    service = board.service
    line = board.row("AAPL").locator("svg")
    expect(line).to_have_attribute("aria-label", "No line yet")
    for price in ("183", "184"):
        put(service, "AAPL", price)
        board.next_slot()
    expect(line).to_have_attribute("aria-label", re.compile(r"\+0\.82%, low 182\.5, high 184$"))
    board.page.reload()
    expect(line).to_have_attribute("aria-label", re.compile(r"low 182\.5, high 184$"))


def test_a_source_that_is_behind_its_own_answer_is_shown(board):
    """The age is ours; what the source says of its price stands beside it."""
    service = board.service
    put(service, "EUR/USD", timestamp=None)
    board.next_slot()
    expect(board.row("EUR/USD").locator(".age")).to_contain_text("source gives no time")


def test_the_market_that_is_simulated_says_so(board):
    """Before anything else on the page."""
    banner = board.page.locator("#simulated")
    expect(banner).to_be_visible()
    expect(banner).to_contain_text("Every price on this page is invented")
