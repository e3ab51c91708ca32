"""The loop and the refresh inside this process, with the same handlers as on AWS."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from local.service.logs import log_to_file
from local.service.loop import Handler, PriceLoop, Steps
from local.service.refresh import Refresher
from marketdata import composition

# The loop waits at most this long for the first lists, which are then fetched in the background.
FIRST_LISTS_TIMEOUT_S = 15.0


class Service:
    """The two loops, each in a thread."""

    def __init__(self, say: Callable[[str, str], None], log_file: Path) -> None:
        self._say = say
        # This comes before the import of the handlers, because only the first configuration of a
        # log counts.
        log_to_file(log_file, "loop")
        say("", "loading provider code")
        handlers, warm = _load_handlers()
        # Imported only now, because its library reads the environment when it is imported.
        recorder = importlib.import_module("local.service.prometheus").Recorder()
        self._loop = PriceLoop(
            Steps(
                recorder.measure_plans(handlers["plan_quotes"]),
                handlers["fetch_quotes"],
                recorder.measure_commits(handlers["commit_quotes"]),
            ),
            lambda tick: print(tick.line(), flush=True),
        )
        self._refresher = Refresher(
            Steps(handlers["plan_assets"], handlers["fetch_assets"], handlers["commit_assets"]),
            lambda line: say("assets", line),
        )
        self._warm = warm

    def start(self) -> None:
        """Start both loops. The first tick waits some seconds for the first lists."""
        self._warm()
        threading.Thread(target=self._refresher.run, name="refresher", daemon=True).start()
        if not self._refresher.first_done.wait(FIRST_LISTS_TIMEOUT_S):
            self._say("assets", "still coming; going on without them")
        threading.Thread(target=self._loop.run, name="loop", daemon=True).start()

    def stop(self) -> None:
        """Start no further work. Running work is not interrupted."""
        self._loop.stop()
        self._refresher.stop()


def _load_handlers() -> tuple[dict[str, Handler], Callable[[], None]]:
    """Return the handlers by function, and a call that loads the providers' libraries.

    A function reads its environment when it is imported, so it is imported only now.
    """
    names = (
        "plan_quotes", "fetch_quotes", "commit_quotes", "plan_assets", "fetch_assets",
        "commit_assets",
    )  # fmt: skip
    apps = {name: importlib.import_module(f"functions.{name}.app") for name in names}
    fetch = apps["fetch_quotes"]
    warm = partial(composition.warm_providers, fetch.process.settings, fetch.providers)
    return {name: app.handler for name, app in apps.items()}, warm
