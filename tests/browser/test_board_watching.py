"""Finding and watching symbols on the board."""

import re

import pytest
from playwright.sync_api import Route, expect

from marketdata.domain.outcomes import MissingQuote, Reason
from marketdata.domain.symbols import AssetClass
from tests.support.board_page import PHONE, WIDE, BoardPage


@pytest.fixture
def listed(service):
    """The service with lists that have more symbols than are priced."""
    service.now_ms += 5_000
    service.list_assets(AssetClass.STOCKS, ["AAPL", "MSFT", "TSLA", "BTCM"], "v2")
    service.list_assets(AssetClass.CRYPTO, ["BTC-USD", "ETH-USD"], "v2")
    service.watched()
    return service


def focused(board):
    """Return the id or the text of the element with the keyboard's focus."""
    return board.page.evaluate(
        "() => document.activeElement.id || document.activeElement.innerText"
    )


def test_a_symbol_is_found_and_watched(listed, board):
    """A chosen symbol is pending, has its price with the next slot, and is kept by a reload."""
    options = board.type_and_find("tsl")
    expect(options.first).to_contain_text("TSLA Name of TSLA Stocks")
    options.first.click()
    note = board.page.locator("#found-note")
    expect(note).to_have_text("Waiting for the first price of TSLA")
    expect(board.row("TSLA")).to_contain_text("pending TSLA is watched from now on")
    listed.now_ms += 5_000
    assert listed.watched() == {"TSLA"}
    listed.price("TSLA", price="330.5")
    board.next_slot()
    expect(board.row("TSLA").locator("data")).to_have_text("330.50")
    expect(note).to_have_text("TSLA is watched")
    assert board.page.url.endswith("/#watch=TSLA")
    board.page.reload()
    expect(board.row("TSLA").locator("data")).to_have_text("330.50")


def test_what_begins_with_the_text_comes_first(listed, board):
    """Symbols that begin with the text come first, and the text itself can be watched."""
    options = board.type_and_find("BTC")
    symbols = options.locator(".symbol").all_inner_texts()
    assert symbols == ["BTC-USD", "BTCM", "BTC"]
    expect(options.last).to_contain_text("watch this text as a symbol")
    expect(options.first.locator(".enter")).to_be_visible()
    expect(options.last.locator(".enter")).to_be_hidden()


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("tesla", "TSLA"),
        ("apple", "AAPL"),
        ("btc", "BTC-USD"),
        ("bitcoin cash", "BCH-USD"),
        ("btcm", "BTCM"),
        ("BTCM ", "BTCM"),
        ("eth", "ETH-USD"),
        ("^gspc", "^GSPC"),
        ("GC=F", "GC=F"),
        ("OCDO.L", "OCDO.L"),
        ("BTC-EUR", "BTC-EUR"),
        ("tesla.com", "TSLA"),
        ("NEW1", "NEW1"),
    ],
)
def test_enter_takes_the_first_suggestion_unless_the_text_is_a_symbol(named, board, text, symbol):
    """Enter watches the first suggestion, or the text if the text is a symbol."""
    board.page.locator("#query").fill(text)
    board.page.keyboard.press("Enter")
    expect(board.row(symbol)).to_be_visible()
    expect(board.page.locator("#found-note")).not_to_have_text("")
    added = set(
        board.page.locator("tr[data-symbol]").evaluate_all(
            "rows => rows.map(r => r.dataset.symbol)"
        )
    )
    assert added - {"AAPL", "MSFT", "BTC-USD", "EUR/USD"} <= {symbol}


@pytest.fixture
def named(service):
    """The service with lists of usual names."""
    service.now_ms += 5_000
    stocks = {
        "AAPL": "Apple Inc.",
        "TSLA": "Tesla.com, Inc.",
        "BTCM": "BIT Mining Limited",
        "KO": "The Coca-Cola Company",
        "PEP": "PepsiCo, Inc.",
    }
    coins = {"BTC-USD": "Bitcoin", "ETH-USD": "Ethereum", "BCH-USD": "Bitcoin Cash"}
    service.list_assets(AssetClass.STOCKS, stocks, "v2")
    service.list_assets(AssetClass.CRYPTO, coins, "v2")
    service.watched()
    return service


def test_enter_waits_for_the_search_that_is_under_way(named, board):
    """Enter during a slow search watches nothing until the answer is there."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    board.page.route(re.compile(r"v1/search\?q=tesla"), hold)
    board.page.locator("#query").fill("tesla")
    board.page.keyboard.press("Enter")
    board.pass_s(0.5)
    expect(board.page.locator("#found-note")).to_have_text("Searching for tesla …")
    expect(board.page.locator("tr[data-symbol]")).to_have_count(4)
    assert len(held) == 1
    held[0].continue_()
    expect(board.row("TSLA")).to_be_visible()


def test_a_list_of_symbols_is_taken(named, board):
    """Each symbol of a typed list is watched."""
    board.page.locator("#query").fill("KO, pepsico,AAPL")
    board.page.keyboard.press("Enter")
    note = board.page.locator("#found-note")
    expect(note).to_have_text(
        "Waiting for the first price of KO and PEP. AAPL is already on the page"
    )
    for symbol in ("KO", "PEP"):
        expect(board.row(symbol)).to_contain_text("pending")
    named.now_ms += 5_000
    named.watched()
    named.price("KO", "PEP")
    board.next_slot()
    expect(note).to_have_text("KO and PEP are watched")
    assert board.page.url.endswith("/#watch=KO,PEP")


def test_a_symbol_without_a_price_is_not_watched(named, board):
    """A symbol that no provider knows loses its row, and the note says why."""
    board.page.locator("#query").fill("NOPE123")
    board.page.keyboard.press("Enter")
    expect(board.row("NOPE123")).to_contain_text("pending")
    missing = MissingQuote("NOPE123", Reason.NOT_FOUND, "yfinance: no quote for NOPE123")
    named.stores.quotes.explain([missing])
    board.next_slot()
    note = board.page.locator("#found-note")
    expect(note).to_contain_text("NOPE123 is not watched: yfinance: no quote for NOPE123")
    expect(board.row("NOPE123")).to_have_count(0)
    assert board.page.url.endswith("/")


def test_a_symbol_whose_price_may_still_come_keeps_its_row(named, board):
    """A symbol whose price is late keeps its row, and the note says why."""
    board.page.locator("#query").fill("KO")
    board.page.keyboard.press("Enter")
    expect(board.row("KO")).to_contain_text("pending")
    late = MissingQuote("KO", Reason.BUDGET_EXHAUSTED, "yfinance: paced, next call in 60 s", 60)
    named.stores.quotes.explain([late])
    board.next_slot()
    expect(board.page.locator("#found-note")).to_contain_text(
        "KO has no price yet: yfinance: paced"
    )
    expect(board.row("KO")).to_contain_text("budget exhausted")


def test_what_is_not_found_is_said_and_kept_in_the_box(named, board):
    """A text without a result stays in the box, and the note says so."""
    board.page.locator("#query").fill("zzz qqq")
    board.page.keyboard.press("Enter")
    expect(board.page.locator("#found-note")).to_have_text("Nothing is found for zzz qqq")
    expect(board.page.locator("#query")).to_have_value("zzz qqq")


def test_a_search_that_nobody_answers_watches_nothing(tab, named):
    """A search without an answer watches nothing, and the note says that the API is away."""
    with named.served() as origin:
        board = BoardPage(tab, named, origin).open()
    with board:
        board.page.locator("#query").fill("tesla")
        board.page.keyboard.press("Enter")
        expect(board.page.locator("#found-note")).to_have_text("The API does not answer")
        expect(board.page.locator("tr[data-symbol]")).to_have_count(4)


@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_the_note_does_not_move_the_table(tab, named, size):
    """A long note does not move the table."""
    with named.served() as origin, BoardPage(tab, named, origin, size=size).open() as board:
        board.page.wait_for_load_state("networkidle")  # names arrive last, and rows grow with them
        before = board.row("AAPL").bounding_box()
        board.page.locator("#query").fill("A*B")
        board.page.keyboard.press("Enter")
        note = board.page.locator("#found-note")
        expect(note).to_contain_text("letters, digits and")
        assert board.row("AAPL").bounding_box() == before


def test_a_spelling_in_the_address_becomes_the_canonical_one(named, tab):
    """A symbol in the address is shown and rewritten in its canonical spelling."""
    place = "/#watch=tsla,eurusd"
    named.price("TSLA")
    with named.served() as origin, BoardPage(tab, named, origin).open(place) as board:
        expect(board.row("TSLA").locator("data")).to_be_visible()
        expect(board.row("EUR/USD")).to_have_count(1)
        assert board.page.url.endswith("/#watch=TSLA,EUR%2FUSD")


def test_a_watched_symbol_can_be_removed(listed, tab, service):
    """A watched symbol can be removed; the focus moves to the next one, and then to the box."""
    with (
        service.served() as origin,
        BoardPage(tab, service, origin).open("/#watch=TSLA,ETH-USD") as board,
    ):
        for symbol, next_one in (("TSLA", "×Stop watching ETH-USD"), ("ETH-USD", "query")):
            expect(board.row(symbol)).to_be_visible()
            board.page.get_by_role("button", name=f"Stop watching {symbol}").click()
            expect(board.row(symbol)).to_have_count(0)
            assert focused(board).replace("\n", "") == next_one
        assert board.page.url == f"{origin}/"
        board.page.reload()
        expect(board.row("AAPL")).to_be_visible()
        expect(board.row("TSLA")).to_have_count(0)


def test_a_text_that_is_no_symbol_is_an_error_with_the_reason(listed, board):
    """A text that is not a symbol is named in the note, and no row is added."""
    board.page.locator("#query").fill("A*B")
    board.page.keyboard.press("Enter")
    expect(board.page.locator("#found-note")).to_contain_text("A*B")
    expect(board.page.locator("tr[data-symbol]")).to_have_count(4)


def test_a_text_that_is_nearly_a_symbol_is_an_error_with_the_symbol(named, board):
    """The note names the symbol that the text may mean."""
    board.page.locator("#query").fill("btc/usdt")
    board.page.keyboard.press("Enter")
    expect(board.page.locator("#found-note")).to_contain_text("(did you mean BTC-USD?)")
    expect(board.page.locator("tr[data-symbol]")).to_have_count(4)


def test_any_spelling_leads_to_the_one_symbol(listed, board):
    """Another spelling of a symbol on the page adds no row."""
    board.page.locator("#query").fill("eurusd=x")
    board.page.keyboard.press("Enter")
    expect(board.page.locator("#found-note")).to_have_text("EUR/USD is already on the page")
    expect(board.row("EUR/USD")).to_have_count(1)


def test_an_address_that_names_nonsense_harms_nothing(listed, tab, service):
    """Markup and invalid text in the address do no harm."""
    place = "/#watch=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E,%E0%A4%A,TSLA"
    with service.served() as origin, BoardPage(tab, service, origin).open(place) as board:
        expect(board.row("TSLA")).to_be_visible()
        assert board.page.locator("img").count() == 0
        assert board.complaints == []


def test_the_keyboard_alone_is_enough(listed, board):
    """Skipping, searching, choosing, opening and removing work with the keyboard alone."""
    press = board.page.keyboard.press
    press("Tab")
    assert focused(board) == "Skip to the prices"
    press("Enter")
    assert focused(board) == "prices"
    press("Tab")
    assert focused(board) == "currency"
    press("Tab")
    assert focused(board) == "query"
    query = board.page.locator("#query")
    assert query.evaluate("node => getComputedStyle(node).outlineStyle") == "solid"
    options = board.type_and_find("e")
    press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    expect(query).to_have_attribute("aria-activedescendant", "found-0")
    press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    press("Escape")
    expect(query).to_have_attribute("aria-expanded", "false")
    assert query.input_value() == "e"
    press("Escape")
    assert query.input_value() == ""
    board.type_and_find("ETH")
    press("ArrowDown")
    press("Enter")
    expect(board.row("ETH-USD")).to_be_visible()
    press("Tab")
    assert focused(board) == "Symbol"
    toggle = board.page.get_by_role("button", name="ETH-USD details")
    for _ in range(20):
        press("Tab")
        if toggle.evaluate("node => node === document.activeElement"):
            break
    press("Enter")
    expect(board.page.get_by_role("group", name="Details of ETH-USD")).to_be_visible()
    expect(toggle).to_be_focused()
    press("Space")
    expect(board.page.get_by_role("group", name="Details of ETH-USD")).to_have_count(0)
    press("Tab")
    assert re.search("ETH-USD as JSON", focused(board))
    press("Tab")
    assert re.search("Stop watching ETH-USD", focused(board))
    press("Space")
    expect(board.row("ETH-USD")).to_have_count(0)
    assert focused(board) == "query"
