"""Finding symbols in the search box of the board."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.support.board_page import BoardPage


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


def test_the_keyboard_alone_is_enough(listed, board):
    """Skipping, searching, choosing, opening and removing work with the keyboard alone."""
    press = board.page.keyboard.press
    press("Tab")
    assert board.focused() == "Skip to the prices"
    press("Enter")
    assert board.focused() == "prices"
    press("Tab")
    assert board.focused() == "currency"
    press("Tab")
    assert board.focused() == "query"
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
    assert board.focused() == "Symbol"
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
    assert re.search("ETH-USD as JSON", board.focused())
    press("Tab")
    assert re.search("Stop watching ETH-USD", board.focused())
    press("Space")
    expect(board.row("ETH-USD")).to_have_count(0)
    assert board.focused() == "query"
