"""The board in a real browser, for tests, with two clocks that move together.

The service's clock moves only by the test, and the page's clock moves with it, so that a test of
minutes takes seconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal, Self

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Locator, Page, Request, Response, expect

from tests.support.api_service import Service, quote

FLAGS = (
    "--no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
SLOT_MS = 5_000
# The page asks a little after the next slot's start; within this it has.
ASKED_BY_S = 6.6
WIDE, PHONE = (1280, 900), (390, 844)


def new_tab(browser: Browser) -> Page:
    """A page for all boards of a file: a page for each board would cost a process of Chromium."""
    return browser.new_context(locale="en-GB", timezone_id="UTC").new_page()


def put(service: Service, symbol: str, price: str = "182.5", **changes: Any) -> None:
    """Store a new quote a second later, with some fields changed."""
    service.now_ms += 1_000
    found = replace(quote(symbol, service.now_ms, price), **changes)
    service.stores.quotes.put([found], service.now_ms)


class BoardPage:
    """A page of a browser, on a service's board. `complaints`: its console and its failures.

    At its end the page is empty again, and nothing that the board stored is left for the next one.
    """

    def __init__(
        self,
        tab: Page,
        service: Service,
        origin: str,
        *,
        size: tuple[int, int] = WIDE,
        scheme: Literal["light", "dark"] = "light",
    ) -> None:
        self.service = service
        self.origin = origin
        self.complaints: list[str] = []
        self.asked: list[Request] = []
        self.answers: list[Response] = []
        self.page = tab
        self.page.set_viewport_size({"width": size[0], "height": size[1]})
        self.page.emulate_media(color_scheme=scheme)
        self._listeners: dict[str, Callable[[Any], None]] = {
            "console": lambda message: self._complain(message.type, message.text),
            "pageerror": lambda error: self._complain("error", str(error)),
            "request": self._note_request,
            "response": self._note_answer,
        }
        for event, listener in self._listeners.items():
            self.page.on(event, listener)
        # The clock runs from the first call to the second, and cannot be paused at a time that
        # is past; a busy machine may need seconds for that.
        self.page.clock.install(time=datetime.fromtimestamp(service.now_ms / 1000 - 3600, UTC))
        self.page.clock.pause_at(datetime.fromtimestamp(service.now_ms / 1000, UTC))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for event, listener in self._listeners.items():
            self.page.remove_listener(event, listener)
        self.page.unroute_all()
        if self.page.url.startswith(self.origin):
            self.page.evaluate("localStorage.clear(), sessionStorage.clear()")
        self.page.goto("about:blank")

    def open(self, place: str = "/") -> Self:
        """Open the board and wait for its first answer."""
        self.page.goto(self.origin + place)
        self._settle()
        return self

    def next_slot(self, *, working: bool = True) -> None:
        """Move the clocks on by a slot, so that the page asks; `working`: the loop runs, too."""
        self.service.now_ms += SLOT_MS
        if working:
            self.service.watched()
        with self.page.expect_response(re.compile("v1/quotes")):
            self.pass_s(ASKED_BY_S)
        self._settle()

    def pass_s(self, seconds: float) -> None:
        """Let time pass for the page."""
        self.page.clock.run_for(round(seconds * 1000))

    def row(self, symbol: str) -> Locator:
        """The row of a symbol."""
        return self.page.locator(f'tr[data-symbol="{symbol}"]')

    def provider(self, name: str) -> Locator:
        """The card of a provider."""
        return self.page.locator(f'[data-provider="{name}"]')

    def type_and_find(self, text: str) -> Locator:
        """Type into the box; the options that it offers."""
        self.page.locator("#query").press_sequentially(text)
        self.page.clock.run_for(300)
        options = self.page.locator("#found").get_by_role("option")
        expect(options.first).to_be_visible()
        return options

    def focused(self) -> str:
        """The id or the text of the element with the keyboard's focus."""
        found: str = self.page.evaluate(
            "() => document.activeElement.id || document.activeElement.innerText"
        )
        return found

    def asked_for(self, path: str) -> list[Request]:
        """The requests for a path so far."""
        return [request for request in self.asked if re.search(path, request.url)]

    def violations(self) -> list[str]:
        """The violations that axe finds, with their places. The page's clock runs from here on."""
        self.page.clock.resume()  # axe waits for timers
        self.page.evaluate(AXE_SCRIPT)
        found: dict[str, Any] = self.page.evaluate("axe.run({resultTypes: ['violations']})")
        return [
            f"{violation['id']}: {node['target']}"
            for violation in found["violations"]
            for node in violation["nodes"]
        ]

    def _settle(self) -> None:
        expect(self.page.locator("#page")).to_have_attribute("data-asking", "no")

    def _note_request(self, request: Request) -> None:
        self.asked.append(request)

    def _note_answer(self, response: Response) -> None:
        self.answers.append(response)

    def _complain(self, kind: str, text: str) -> None:
        if kind in ("error", "warning", "assert"):
            self.complaints.append(f"{kind}: {text}")
