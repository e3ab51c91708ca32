"""Watching symbols on the board, and what the board says about them."""

import pytest
from playwright.sync_api import expect

from marketdata.domain.outcomes import MissingQuote, Reason
from tests.support.board_page import PHONE, WIDE, BoardPage


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
            assert board.focused().replace("\n", "") == next_one
        assert board.page.url == f"{origin}/"
        board.page.reload()
        expect(board.row("AAPL")).to_be_visible()
        expect(board.row("TSLA")).to_have_count(0)


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
