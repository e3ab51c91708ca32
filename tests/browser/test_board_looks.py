"""The look of the board and its accessibility, in several widths and both themes."""

from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from marketdata.domain.outcomes import BreakerEffect, MissingQuote, Reason
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from tests.browser.screenshots import MOST_BYTES, PIXELS
from tests.support.api_service import Service, quote
from tests.support.board_page import PHONE, WIDE, BoardPage
from tests.support.running_service import ROOT

SCREEN, LARGE, SMALL = (1400, 900), (1920, 1080), (320, 640)
SCHEMES = ("light", "dark")
# Colours depend on the theme, and the visible parts and their places on the width.
WIDTHS = [(size, "light") for size in (WIDE, SCREEN, LARGE, PHONE, SMALL)]
THEMES = [(size, scheme) for size in (WIDE, PHONE) for scheme in SCHEMES]
LOOKS = [*THEMES, (SCREEN, "light"), (LARGE, "dark"), (SMALL, "light")]
LONG = "@a-bridged-token-USD"
TWENTY = (
    "AAPL,MSFT,GOOGL,AMZN,NVDA,META,TSLA,BRK.B,JPM,V,BTC-USD,ETH-USD,SOL-USD,XRP-USD,BNB-USD,"
    "DOGE-USD,EUR/USD,GBP/USD,USD/JPY,USD/CHF"
)


def whole_quote(now_ms):
    """Return a quote with the range of its day."""
    found = quote("AAPL", now_ms, "182.5")
    return replace(found, low=Decimal("180.25"), high=Decimal("1190.75"), volume=Decimal(34521708))


def name_of(look):
    """Return width and theme as the id of a test, such as `1280-light`."""
    return f"{look[0][0]}-{look[1]}"


@pytest.fixture
def look(request, tab, service):
    """A board with stale and missing prices, long symbols and open breakers, in one look."""
    size, scheme = request.param
    service.now_ms += 70_000
    service.price("AAPL", "BTC-USD", "EUR/USD")
    for _ in range(2):  # a jump needs its confirmation
        service.now_ms += 1_000
        service.stores.quotes.put(
            [
                quote("BTC-USD", service.now_ms, "0.000000008851"),
                quote(LONG, service.now_ms, "1234567.891"),
                whole_quote(service.now_ms),
            ],
            service.now_ms,
        )
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
        BoardPage(tab, service, origin, size=size, scheme=scheme) as board,
    ):
        board.open("/#watch=NOPE123,@a-bridged-token-USD")
        expect(board.row("MSFT")).to_contain_text("MSFT")
        yield board
        assert board.complaints == []


@pytest.mark.parametrize("look", LOOKS, ids=name_of, indirect=True)
def test_no_rule_of_accessibility_is_broken(look, tmp_path):
    """Axe finds no violation with stale and missing prices, opened rows and an open list."""
    expect(look.page.locator(".note:not([hidden])")).to_contain_text("stale")
    look.page.get_by_role("button", name="AAPL details").click()
    look.page.get_by_role("button", name="Details of Finnhub").click()
    look.page.get_by_label("Currency of the prices").select_option("JPY")
    expect(look.page.locator("#rates")).to_contain_text("No rate to JPY")
    look.page.get_by_role("columnheader", name="Price").get_by_role("button").click()
    look.page.screenshot(path=tmp_path / "whole.png", full_page=True)
    assert look.violations() == []
    look.type_and_find("usd")
    look.page.keyboard.press("ArrowDown")
    look.page.screenshot(path=tmp_path / "found.png")
    assert look.violations() == []


@pytest.mark.parametrize("look", WIDTHS, ids=name_of, indirect=True)
def test_nothing_is_wider_than_the_screen(look):
    """Nothing is wider than the screen, also on small phones and with text twice as large."""
    look.page.get_by_role("button", name="AAPL details").click()
    look.page.get_by_role("button", name="Details of Finnhub").click()
    overflow = "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"
    assert look.page.evaluate(overflow) == 0
    look.page.set_viewport_size({"width": 320, "height": 640})
    assert look.page.evaluate(overflow) == 0
    look.page.set_viewport_size({"width": 640, "height": 640})
    look.page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert look.page.evaluate(overflow) == 0


OVERLAPS = """() => {
    const texts = [...document.querySelectorAll('#tables tr')].flatMap((row) =>
        [...row.querySelectorAll('.symbol, .name, .price data, .currency, .percent, '
            + '.absolute, svg.small, .edge, .bar-of-day, td.source, td.age, .json, .remove, '
            + '.reason, .count')]);
    const found = [];
    const boxes = texts.filter((node) => node.checkVisibility({visibilityProperty: true}))
        .map((node) => {
            const range = document.createRange();
            range.selectNodeContents(node);
            const box = (node.matches('td') ? range : node).getBoundingClientRect();
            return {text: node.className + ': ' + node.textContent, box};
        }).filter(({box}) => box.width > 0);
    boxes.forEach((one, i) => boxes.slice(i + 1).forEach((other) => {
        const [a, b] = [one.box, other.box];
        const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (across > 1 && down > 4) found.push(`${one.text} | ${other.text}`);
    }));
    return found;
}"""


@pytest.mark.parametrize("look", [(WIDE, "light"), (PHONE, "light")], ids=name_of, indirect=True)
def test_no_text_lies_over_another(look):
    """No text overlaps another text or a line at any width, also with long symbols and prices."""
    assert look.page.evaluate(OVERLAPS) == []
    for width in (320, 390, 700, 961, 1090, 1153, 1400):
        look.page.set_viewport_size({"width": width, "height": 844})
        assert look.page.evaluate(OVERLAPS) == [], width


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_groups_of_twenty_symbols_fit_on_a_screen(tab, plain_redis, service, scheme):
    """All symbols that `make start` watches, and the providers, fit on 1400 by 900."""
    usual = Service(service.stores.cache, MARKET="simulated", ACTIVE_SYMBOLS=TWENTY)
    usual.now_ms = service.now_ms + 5_000
    usual.at_work()
    with (
        usual.served() as origin,
        BoardPage(tab, usual, origin, size=SCREEN, scheme=scheme).open() as board,
    ):
        expect(board.page.locator("tr[data-symbol] data")).to_have_count(20)
        for place in ("#tables", ".providers"):
            box = board.page.locator(place).bounding_box()
            assert box["y"] + box["height"] <= SCREEN[1]


def test_names_are_whole_where_there_is_room(tab, service):
    """A long name is cut on a narrow page and whole on a wide one, and its title is whole."""
    service.now_ms += 5_000
    name = "Berkshire Hathaway Inc. Class B"
    service.list_assets(AssetClass.STOCKS, {"AAPL": name, "MSFT": "Microsoft"}, "v2")
    service.watched()
    with service.served() as origin, BoardPage(tab, service, origin, size=LARGE) as board:
        shown = board.open().row("AAPL").locator(".name")
        expect(shown).to_have_text(name)
        assert shown.get_attribute("title") == name
        is_whole = "node => node.scrollWidth <= node.clientWidth"
        assert shown.evaluate(is_whole)
        board.page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        assert not shown.evaluate(is_whole)


def test_without_symbols_the_board_says_what_to_do(tab, service):
    """Without a watched symbol the board says so instead of showing an empty table."""
    with service.served() as origin, BoardPage(tab, service, origin) as board:
        health = board.page.request.get(f"{origin}/health").json()
        health["quotes"]["classes"] = []
        board.page.route("**/health", lambda route: route.fulfill(json=health))
        board.open()
        expect(board.page.get_by_text("No symbol is watched yet")).to_be_visible()
        expect(board.page.get_by_role("table")).to_have_count(0)


@pytest.mark.parametrize(("size", "scheme"), THEMES)
def test_no_rule_is_broken_while_the_api_is_away(tab, service, tmp_path, size, scheme):
    """Axe finds no violation while the API does not answer."""
    with service.served() as origin:
        board = BoardPage(tab, service, origin, size=size, scheme=scheme).open()
    with board:
        board.pass_s(timedelta(minutes=3).total_seconds())
        expect(board.page.locator("#verdict")).to_contain_text("No new data")
        board.page.screenshot(path=tmp_path / "away.png", full_page=True)
        assert board.violations() == []


def test_the_documentation_is_swagger_ui_from_our_own_host(tab, service):
    """The documentation loads under its security policy and asks no other host."""
    with service.served() as origin, BoardPage(tab, service, origin) as board:
        asked: list[str] = []
        board.page.on("request", lambda request: asked.append(request.url))
        board.page.goto(f"{origin}/docs")
        expect(board.page.get_by_role("button", name="Try it out").or_(
            board.page.locator(".opblock-summary-path").first
        ).first).to_be_visible()  # fmt: skip
        assert [url for url in asked if not url.startswith((origin, "data:"))] == []
        assert board.complaints == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_pictures_in_docs_are_whole_and_small(browser, scheme):
    """The pictures in docs have the size that `make screenshots` gives them."""
    png = (ROOT / "docs" / f"board-{scheme}.png").read_bytes()
    assert len(png) < MOST_BYTES
    page = browser.new_page()
    width, height, _ = page.evaluate(PIXELS, b64encode(png).decode())
    assert (width, height) == SCREEN
    page.close()


def test_without_a_script_the_page_says_where_the_data_is(browser, service):
    """Without JavaScript the page says so and links to the answers of the API."""
    with service.served() as origin:
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(origin)
        note = page.locator("#unscripted")
        expect(note).to_contain_text("This page needs JavaScript")
        for link in note.get_by_role("link").all():
            assert page.request.get(f"{origin}/{link.get_attribute('href')}").ok
        context.close()
