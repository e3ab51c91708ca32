import re

import pytest
from playwright.sync_api import expect

from marketdata.domain.outcomes import BreakerEffect
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from tests.support.board_page import BoardPage

SERVER_IS_AWAY = "Failed to load resource: net::ERR_CONNECTION_REFUSED"


def test_the_state_of_the_service_is_shown_in_text_and_numbers(board):
    """All that /health says, at a glance."""
    page = board.page
    expect(page.get_by_role("status").first).to_have_text("Healthy")
    expect(page.locator("#fresh")).to_have_text("4 of 4")
    expect(page.locator("#closed")).to_have_text("4 of 4")
    expect(page.locator("#loop")).to_have_text("0\xa0s ago")
    board.pass_s(3)
    expect(page.locator("#loop")).to_have_text("3\xa0s ago")


def test_a_breaker_that_opens_shows_within_two_slots(board):
    """With why, since when, and a countdown to its probe; the service counts as degraded."""
    service = board.service
    service.attempt(Source.FINNHUB, AssetClass.STOCKS, BreakerEffect.TRIP, reason="bad_key")
    board.next_slot()
    breaker = board.provider("finnhub").locator(".breakers li")
    expect(breaker).to_have_text("✕Stocks open bad key · since 14:05:00 · probe in 4:55")
    expect(board.page.locator("#verdict")).to_have_text("Degraded")
    expect(board.page.locator("#reasons")).to_have_text(
        "the breaker of finnhub for stocks is open (bad key)"
    )
    expect(board.provider("finnhub").locator(".error")).to_contain_text("the key is not accepted")
    board.pass_s(3)
    expect(breaker).to_contain_text(re.compile(r"probe in 4:5[1-3]"))


def test_a_provider_without_its_key_is_shown_as_such(board):
    """It is out of service, not broken."""
    breaker = board.provider("alpha_vantage").locator(".breakers li")
    expect(breaker).to_have_text("–Forex disabled no key")
    expect(board.provider("alpha_vantage").get_by_role("meter")).to_have_count(0)


def test_a_budget_is_a_bar_with_its_reset(board):
    """It reads as a number as well."""
    for _ in range(3):
        board.service.attempt(Source.FINNHUB, AssetClass.STOCKS, BreakerEffect.SUCCESS)
        board.next_slot()
    minute = board.provider("finnhub").locator(".budgets li").first
    expect(minute).to_contain_text("3 of 60 a minute")
    expect(minute).to_contain_text(re.compile(r"frees up in \d+ s"))
    meter = minute.get_by_role("meter")
    expect(meter).to_have_attribute("aria-valuenow", "3")
    bar, inner = (node.bounding_box()["width"] for node in (meter, meter.locator("span")))
    assert inner == pytest.approx(bar * 3 / 60, abs=1)


def test_a_loop_that_stands_still_is_seen(board):
    """The page counts on by itself, and the service is unhealthy after a minute."""
    for _ in range(4):
        board.next_slot(working=False)
    expect(board.page.locator("#loop")).to_have_text("20\xa0s ago")
    expect(board.page.locator("#loop")).to_have_class("late")


def test_the_api_goes_away_and_comes_back(browser, service):
    """The page says since when, keeps the prices and lets them age, and needs no reload."""
    with service.served() as origin:
        board = BoardPage(browser, service, origin).open()
        expect(board.row("AAPL").locator("data")).to_have_text("182.50")
    with board:
        page = board.page
        board.pass_s(7)
        verdict = page.locator("#verdict")
        expect(verdict).to_have_text("No new data since 14:05:00. The API does not answer")
        expect(board.row("AAPL").locator("data")).to_have_text("182.50")
        board.pass_s(120)
        expect(board.row("AAPL").locator(".age")).to_have_text("2\xa0min")
        expect(page.locator("#fresh")).to_have_text("not known")
        expect(page.get_by_text("as of 14:05:00").first).to_be_visible()
        grey = page.locator("#verdict").evaluate("() => getComputedStyle(tables).color")
        assert grey == page.locator("footer").evaluate("node => getComputedStyle(node).color")
        with service.served(int(origin.rpartition(":")[2])):
            service.price("AAPL", price="190")
            page.get_by_role("button", name="Try again now").click()
            expect(verdict).to_have_text("Healthy")
            expect(board.row("AAPL").locator("data")).to_have_text("190.00")
            expect(page.get_by_role("button", name="Try again now")).to_be_hidden()
        assert {text.removeprefix("error: ") for text in board.complaints} <= {SERVER_IS_AWAY}


def test_the_page_asks_less_often_while_nobody_answers(browser, service):
    """5, 10, 20, 40 and then 60 seconds lie between two questions."""
    with service.served() as origin:
        board = BoardPage(browser, service, origin).open()
    with board:
        asked = board.asked_for("/health$")
        before = len(asked)
        for _ in range(40):
            board.pass_s(15)
            expect(board.page.locator("#page")).not_to_have_text("trying again")
        assert 8 <= len(board.asked_for("/health$")) - before <= 16


def test_the_page_shows_the_api_s_error_when_the_cache_is_away(browser, redis_server):
    """The page says what the API says, and shows the prices it had."""
    from marketdata.cache.client import connect
    from marketdata.settings import Settings
    from tests.support.api_service import Service

    service = Service(connect(Settings.from_env(redis_server.env()), caller_time=True))
    service.at_work()
    with service.served() as origin, BoardPage(browser, service, origin).open() as board:
        redis_server.kill()
        board.pass_s(7)
        expect(board.page.locator("#verdict")).to_contain_text(
            "All data is read from a cache, which does not answer at the moment."
        )
        expect(board.row("AAPL").locator("data")).to_have_text("182.50")
        assert all("503" in text for text in board.complaints)


def test_the_page_asks_once_a_slot_and_only_what_has_changed(board):
    """A question that was asked before names the answer that is known."""
    for path in ("/health$", "/v1/providers$", r"/v1/quotes\?"):
        assert len(board.asked_for(path)) == 1
    for _ in range(3):
        board.next_slot()
    for path in ("/v1/providers$", r"/v1/quotes\?"):
        asked = board.asked_for(path)
        assert len(asked) == 4
        assert all("if-none-match" in request.all_headers() for request in asked[1:])


def test_a_page_that_nobody_sees_asks_nothing(board):
    """It catches up as soon as it is seen again."""
    hide = """hidden => {
        Object.defineProperty(document, 'hidden', {get: () => hidden, configurable: true});
        document.dispatchEvent(new Event('visibilitychange'));
    }"""
    board.page.evaluate(hide, arg=True)
    before = len(board.asked)
    board.pass_s(600)
    assert len(board.asked) == before
    with board.page.expect_response(re.compile("v1/quotes")):
        board.page.evaluate(hide, arg=False)
