from datetime import timedelta

import pytest
from playwright.sync_api import expect

from marketdata.domain.outcomes import BreakerEffect, MissingQuote, Reason
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from tests.support.board_page import PHONE, WIDE, BoardPage

LOOKS = [(size, scheme) for size in (WIDE, PHONE) for scheme in ("light", "dark")]


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look[0][0]}-{look[1]}")
def look(request, browser, service):
    """A board with something of everything on it, in one width and one theme."""
    size, scheme = request.param
    service.now_ms += 70_000
    service.price("AAPL", "BTC-USD", "EUR/USD")
    missing = [
        MissingQuote("MSFT", Reason.BUDGET_EXHAUSTED, "yfinance: no call left before 15:00"),
        MissingQuote("NOPE123", Reason.NOT_FOUND, "yfinance: no quote for NOPE123"),
    ]
    service.stores.quotes.explain(missing)
    for source in (Source.FINNHUB, Source.YFINANCE):
        service.attempt(source, AssetClass.STOCKS, BreakerEffect.TRIP, reason="unavailable")
    service.watched()
    with (
        service.served() as origin,
        BoardPage(browser, service, origin, size=size, scheme=scheme) as board,
    ):
        yield board.open("/#watch=NOPE123")
        assert board.complaints == []


def test_no_rule_of_accessibility_is_broken(look, tmp_path):
    """By axe, on a page with prices, stale and missing ones, open breakers and an open list."""
    expect(look.row("MSFT")).to_contain_text("MSFT")
    expect(look.page.locator(".note:not([hidden])")).to_contain_text("stale")
    look.page.screenshot(path=tmp_path / "whole.png", full_page=True)
    assert look.violations() == []
    look.type_and_find("usd")
    look.page.keyboard.press("ArrowDown")
    look.page.screenshot(path=tmp_path / "found.png")
    assert look.violations() == []


def test_nothing_is_wider_than_the_screen(look):
    """Not even on the smallest phones, nor with the text twice as large."""
    overflow = "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"
    assert look.page.evaluate(overflow) == 0
    look.page.set_viewport_size({"width": 320, "height": 640})
    assert look.page.evaluate(overflow) == 0
    look.page.set_viewport_size({"width": 640, "height": 640})
    look.page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert look.page.evaluate(overflow) == 0


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_no_rule_is_broken_while_the_api_is_away(browser, service, tmp_path, size, scheme):
    """Greyed prices can be read, too."""
    with service.served() as origin:
        board = BoardPage(browser, service, origin, size=size, scheme=scheme).open()
    with board:
        board.pass_s(timedelta(minutes=3).total_seconds())
        expect(board.page.locator("#verdict")).to_contain_text("No new data")
        board.page.screenshot(path=tmp_path / "away.png", full_page=True)
        assert board.violations() == []


def test_the_documentation_is_swagger_ui_from_our_own_host(browser, service):
    """It loads whole under its content security policy, and asks no other host."""
    with service.served() as origin, BoardPage(browser, service, origin) as board:
        asked: list[str] = []
        board.page.on("request", lambda request: asked.append(request.url))
        board.page.goto(f"{origin}/docs")
        expect(board.page.get_by_role("button", name="Try it out").or_(
            board.page.locator(".opblock-summary-path").first
        ).first).to_be_visible()  # fmt: skip
        assert [url for url in asked if not url.startswith((origin, "data:"))] == []
        assert board.complaints == []


def test_without_a_script_the_page_says_where_the_data_is(browser, service):
    """Links lead to the same answers."""
    with service.served() as origin:
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(origin)
        note = page.locator("#unscripted")
        expect(note).to_contain_text("This page needs JavaScript")
        for link in note.get_by_role("link").all():
            assert page.request.get(f"{origin}/{link.get_attribute('href')}").ok
        context.close()
