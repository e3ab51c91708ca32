"""The loop and the refresh inside this process, with the same handlers as on AWS."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from functions.commit_assets import app as commit_assets
from functions.commit_quotes import app as commit_quotes
from functions.fetch_assets import app as fetch_assets
from functions.fetch_quotes import app as fetch_quotes
from functions.plan_assets import app as plan_assets
from functions.plan_quotes import app as plan_quotes
from local.service.logs import log_to_file
from local.service.loop import PriceLoop, Steps
from local.service.refresh import Refresher
from marketdata import composition

# The loop does not wait longer than this for the first lists; they go on in the background.
FIRST_LISTS_TIMEOUT_S = 15.0


class Service:
    """The two loops in threads of their own."""

    def __init__(self, say: Callable[[str, str], None], log_file: Path) -> None:
        self._say = say
        self._log_file = log_file
        self._loop = PriceLoop(
            Steps(plan_quotes.handler, fetch_quotes.handler, commit_quotes.handler),
            lambda tick: print(tick.line(), flush=True),
        )
        self._refresher = Refresher(
            Steps(plan_assets.handler, fetch_assets.handler, commit_assets.handler),
            lambda line: say("assets", line),
        )

    def start(self) -> None:
        """Start both; the first lists come before the first tick, if they come soon."""
        log_to_file(self._log_file, "loop")
        self._say("", "loading provider code")
        composition.warm_up()
        threading.Thread(target=self._refresher.run, name="refresher", daemon=True).start()
        if not self._refresher.first_done.wait(FIRST_LISTS_TIMEOUT_S):
            self._say("assets", "still coming; going on without them")
        threading.Thread(target=self._loop.run, name="loop", daemon=True).start()

    def stop(self) -> None:
        """Start nothing more; what is under way is left to end by itself."""
        self._loop.stop()
        self._refresher.stop()
