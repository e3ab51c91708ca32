"""The state of the service, the providers and the API on the board."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from marketdata.cache.client import connect
from marketdata.domain.outcomes import BreakerEffect
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.settings import Settings
from tests.support.api_service import Service
from tests.support.board_page import PHONE, WIDE, BoardPage

SERVER_IS_AWAY = "Failed to load resource: net::ERR_CONNECTION_REFUSED"


def test_the_state_of_the_service_is_shown_in_text_and_numbers(board):
    """The board shows the service's state, fresh prices, providers and the last slot."""
    page = board.page
    expect(page.get_by_role("status").first).to_have_text("Healthy")
    expect(page.locator("#fresh")).to_have_text("4 of 4")
    expect(page.locator("#providers-state")).to_have_text("3 idle, 2 off")
    expect(page.locator("#loop")).to_have_text("0\xa0s ago")
    board.pass_s(3)
    expect(page.locator("#loop")).to_have_text("3\xa0s ago")


def test_a_breaker_that_opens_shows_with_the_next_slot(board):
    """An open breaker is shown with a countdown and its reason with the next slot."""
    service = board.service
    service.attempt(Source.FINNHUB, AssetClass.STOCKS, BreakerEffect.TRIP, reason="bad_key")
    board.next_slot()
    card = board.provider("finnhub")
    state = card.locator(".states li")
    expect(state).to_have_text("■Stocks paused, retry in 4:55")
    expect(board.page.locator("#providers-state")).to_have_text("1 paused, 2 idle, 2 off")
    details = card.get_by_role("button", name="Details of Finnhub")
    expect(details).to_have_attribute("aria-expanded", "false")
    expect(card.locator("dl")).to_be_hidden()
    details.press("Enter")
    expect(details).to_have_attribute("aria-expanded", "true")
    expect(card.locator("dl")).to_contain_text("open · bad key · since 14:05:00 · probe in 4:55")
    expect(card.locator("dl")).to_contain_text("finnhub")
    expect(board.page.locator("#verdict")).to_have_text("Degraded")
    expect(board.page.locator("#reasons")).to_have_text(
        "the breaker of finnhub for stocks is open (bad key)"
    )
    expect(board.provider("finnhub").locator(".error")).to_contain_text("the key is not accepted")
    board.pass_s(3)
    expect(state).to_contain_text(re.compile(r"retry in 4:5[1-3]"))


@pytest.mark.parametrize("outcome", ["unavailable", "bad_payload"])
def test_one_failure_is_seen_before_the_breaker_opens(board, outcome):
    """The first failure is shown in amber until the provider answers again."""
    service = board.service
    state = board.provider("yfinance").locator(".states li").first
    expect(state).to_have_text("○Stocks not used yet")
    service.attempt(Source.YFINANCE, AssetClass.STOCKS, BreakerEffect.FAILURE, outcome=outcome)
    board.next_slot()
    expect(state).to_contain_text("Stocks failing")
    amber = board.page.evaluate(
        "getComputedStyle(document.documentElement).getPropertyValue('--warn')"
    )
    colour = state.locator("strong").evaluate("node => getComputedStyle(node).color")
    assert colour == "rgb({}, {}, {})".format(*bytes.fromhex(amber.strip().lstrip("#")))
    expect(board.provider("yfinance").locator(".error")).to_contain_text("the key is not")
    service.attempt(Source.YFINANCE, AssetClass.STOCKS, BreakerEffect.SUCCESS, outcome="ok")
    board.next_slot()
    expect(state).to_have_text("✓Stocks OK")
    expect(board.provider("yfinance").locator(".error")).to_have_text("")


def test_an_answer_of_long_ago_is_not_called_ok(board):
    """A provider is idle if no call was made to it for some minutes."""
    service = board.service
    service.attempt(Source.YFINANCE, AssetClass.STOCKS, BreakerEffect.SUCCESS, outcome="ok")
    board.next_slot()
    state = board.provider("yfinance").locator(".states li").first
    expect(state).to_have_text("✓Stocks OK")
    service.now_ms += 660_000
    service.at_work()
    board.next_slot()
    expect(state).to_have_text("○Stocks idle")


def test_offline_in_the_live_market_nothing_is_green(tab, service):
    """If no provider answers nothing is green, also a provider that answered before."""
    live = Service(service.stores.cache, FINNHUB_API_KEY="k", QUOTE_TTL="600")
    live.now_ms = service.now_ms + 5_000
    live.at_work()
    with live.served() as origin, BoardPage(tab, live, origin).open() as board:
        answers = (Source.YFINANCE, AssetClass.STOCKS), (Source.COINGECKO, AssetClass.CRYPTO)
        for source, asset_class in answers:
            live.attempt(source, asset_class, BreakerEffect.SUCCESS, outcome="ok")
        board.next_slot()
        expect(board.page.locator("#verdict")).to_have_text("Healthy")
        assert len(greens(board)) > 0
        for _ in range(2):
            live.now_ms += 4_000
            for source in (Source.YFINANCE, Source.FINNHUB):
                live.attempt(
                    source, AssetClass.STOCKS, BreakerEffect.FAILURE, outcome="unavailable"
                )
            board.next_slot()
        expect(board.page.locator("#verdict")).to_have_text("Degraded")
        expect(board.page.locator("#providers-state")).to_have_text("none answers")
        expect(board.page.locator("#reasons")).to_contain_text("no provider answers")
        expect(board.provider("coingecko").locator(".states li")).to_have_text("○Crypto idle")
        assert greens(board) == []


def greens(board):
    """Return the texts in green outside the table of prices."""
    return board.page.evaluate("""() => {
        const green = getComputedStyle(document.documentElement).getPropertyValue('--up');
        const probe = document.createElement('i');
        probe.style.color = green;
        document.body.append(probe);
        const wanted = getComputedStyle(probe).color;
        probe.remove();
        return [...document.querySelectorAll('body *')]
            .filter((node) => !node.closest('#prices') && node.checkVisibility())
            .filter((node) => getComputedStyle(node).color === wanted)
            .map((node) => node.textContent);
    }""")


def test_a_provider_without_its_key_is_shown_as_such(board):
    """A provider without its key is off, and has no budget."""
    state = board.provider("alpha_vantage").locator(".states li")
    expect(state).to_have_text("–Forex off, no key")
    expect(board.provider("alpha_vantage").get_by_role("meter")).to_have_count(0)


def test_a_budget_is_a_bar_with_its_reset(board):
    """A budget has its number, a bar and the time until calls are free."""
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


@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_a_long_budget_stays_inside_its_card(tab, service, size):
    """Where both texts do not fit beside each other, the reset is below the count."""
    now = datetime.fromtimestamp(service.now_ms / 1000, UTC)
    reset = (now + timedelta(days=29)).isoformat()
    with service.served() as origin, BoardPage(tab, service, origin, size=size) as board:
        answer = board.page.request.get(f"{origin}/v1/providers").json()
        for provider in answer["providers"]:
            for limit in provider["budget"]:
                limit |= {"limit": 10_000, "used": 9_999, "resets_at": reset}
        board.page.route("**/v1/providers", lambda route: route.fulfill(json=answer))
        board.open()
        budgets = board.page.locator(".budgets li")
        expect(budgets.first).to_contain_text("9,999 of 10,000 a minute")
        expect(budgets.first).to_contain_text("frees up in 29 d")
        widths = budgets.evaluate_all("nodes => nodes.map((n) => [n.scrollWidth, n.clientWidth])")
        assert [pair for pair in widths if pair[0] > pair[1]] == []


def test_a_loop_that_stands_still_is_seen(board):
    """The age of the last slot grows while the loop does not run."""
    for _ in range(4):
        board.next_slot(working=False)
    expect(board.page.locator("#loop")).to_have_text("20\xa0s ago")
    expect(board.page.locator("#loop")).to_have_class("late")


def test_the_api_goes_away_and_comes_back(tab, service):
    """While the API is away the page keeps the prices with their age, and then goes on."""
    with service.served() as origin:
        board = BoardPage(tab, service, origin).open()
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


def test_the_page_asks_less_often_while_nobody_answers(tab, service):
    """Without an answer the page asks 8 to 16 times in ten minutes, not once a slot."""
    with service.served() as origin:
        board = BoardPage(tab, service, origin).open()
    with board:
        asked = board.asked_for("/health$")
        before = len(asked)
        for _ in range(40):
            board.pass_s(15)
            expect(board.page.locator("#page")).not_to_have_text("trying again")
        assert 8 <= len(board.asked_for("/health$")) - before <= 16


def test_the_page_shows_the_api_s_error_when_the_cache_is_away(tab, redis_server):
    """If Redis is away the page shows the API's error, and keeps the prices."""
    service = Service(connect(Settings.from_env(redis_server.env()), caller_time=True))
    service.at_work()
    with service.served() as origin, BoardPage(tab, service, origin).open() as board:
        redis_server.kill()
        board.pass_s(7)
        expect(board.page.locator("#verdict")).to_contain_text(
            "All data is read from a cache, which does not answer at the moment."
        )
        expect(board.row("AAPL").locator("data")).to_have_text("182.50")
        assert all("503" in text for text in board.complaints)


def test_the_page_asks_once_a_slot_and_only_what_has_changed(board):
    """The page asks once a slot, and names the ETag of the answer that it has."""
    for path in ("/health$", "/v1/providers$", r"/v1/quotes\?"):
        assert len(board.asked_for(path)) == 1
    for _ in range(3):
        board.next_slot()
    for path in ("/v1/providers$", r"/v1/quotes\?"):
        asked = board.asked_for(path)
        assert len(asked) == 4
        assert all("if-none-match" in request.all_headers() for request in asked[1:])


def test_a_page_that_nobody_sees_asks_nothing(board):
    """A hidden page asks nothing, and asks at once when it is visible again."""
    hide = """hidden => {
        Object.defineProperty(document, 'hidden', {get: () => hidden, configurable: true});
        document.dispatchEvent(new Event('visibilitychange'));
    }"""
    board.page.wait_for_load_state("networkidle")  # else the first load may still ask for names
    board.page.evaluate(hide, arg=True)
    before = len(board.asked)
    board.pass_s(600)
    assert len(board.asked) == before
    with board.page.expect_response(re.compile("v1/quotes")):
        board.page.evaluate(hide, arg=False)
