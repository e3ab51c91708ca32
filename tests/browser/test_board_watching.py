import re

import pytest
from playwright.sync_api import expect

from marketdata.domain.symbols import AssetClass
from tests.support.board_page import BoardPage


@pytest.fixture
def listed(service):
    """The service, with lists in which there is more than is priced."""
    service.now_ms += 5_000
    service.list_assets(AssetClass.STOCKS, ["AAPL", "MSFT", "TSLA", "BTCM"], "v2")
    service.list_assets(AssetClass.CRYPTO, ["BTC-USD", "ETH-USD"], "v2")
    service.watched()
    return service


def focused(board):
    """What has the keyboard's focus: its id, or its text."""
    return board.page.evaluate(
        "() => document.activeElement.id || document.activeElement.innerText"
    )


def test_a_symbol_is_found_and_watched(listed, board):
    """It is pending at first; its price comes with the next slot, and a reload keeps it."""
    options = board.type_and_find("tsl")
    expect(options.first).to_have_text("TSLA Name of TSLA Stocks")
    options.first.click()
    expect(board.page.locator("#found-note")).to_have_text("TSLA is watched")
    expect(board.row("TSLA")).to_contain_text("pending TSLA is watched from now on")
    listed.now_ms += 5_000
    assert listed.watched() == {"TSLA"}
    listed.price("TSLA", price="330.5")
    board.next_slot()
    expect(board.row("TSLA").locator("data")).to_have_text("330.50")
    assert board.page.url.endswith("/#watch=TSLA")
    board.page.reload()
    expect(board.row("TSLA").locator("data")).to_have_text("330.50")


def test_what_begins_with_the_text_comes_first(listed, board):
    """Of all classes; what was typed can be watched though no list has it."""
    found = board.type_and_find("BTC").all_inner_texts()
    assert [text.split("\n")[0] for text in found] == ["BTC-USD", "BTCM", "BTC"]
    assert "watch what I typed" in found[-1]


def test_a_watched_symbol_can_be_left_again(listed, browser, service):
    """The focus goes to the next one, and then to the box."""
    with (
        service.served() as origin,
        BoardPage(browser, service, origin).open("/#watch=TSLA,ETH-USD") as board,
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
    """Nothing is added."""
    board.page.locator("#query").fill("A*B")
    board.page.keyboard.press("Enter")
    expect(board.page.locator("#found-note")).to_contain_text("A*B")
    expect(board.page.locator("tbody tr:not(.note)")).to_have_count(4)


def test_any_spelling_leads_to_the_one_symbol(listed, board):
    """One that is on the page already is not added again."""
    board.page.locator("#query").fill("eurusd=x")
    board.page.keyboard.press("Enter")
    expect(board.page.locator("#found-note")).to_have_text("EUR/USD is there already")
    expect(board.row("EUR/USD")).to_have_count(1)


def test_an_address_that_names_nonsense_harms_nothing(listed, browser, service):
    """Markup stays text, and what is no symbol says so in its row."""
    place = "/#watch=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E,%E0%A4%A,TSLA"
    with service.served() as origin, BoardPage(browser, service, origin).open(place) as board:
        expect(board.row("TSLA")).to_be_visible()
        assert board.page.locator("img").count() == 0
        assert board.complaints == []


def test_the_keyboard_alone_is_enough(listed, board):
    """Skip, search, choose, close and remove, with the focus always to be seen."""
    press = board.page.keyboard.press
    press("Tab")
    assert focused(board) == "Skip to the prices"
    press("Enter")
    assert focused(board) == "prices"
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
    assert re.search("Stop watching ETH-USD", focused(board))
    press("Space")
    expect(board.row("ETH-USD")).to_have_count(0)
    assert focused(board) == "query"
