"""The three handlers of a loop, with answers that a test chooses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from local.service.loop import Steps
from marketdata.domain.messages import Plan, Summary
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass

SLOT = 1_763_820_310  # 14:05:10 UTC


IDLE = Plan(slot=SLOT, claimed=True, jobs=()).to_event()


SUMMARY = Summary(
    slot=SLOT,
    job="j1",
    asset_class=AssetClass.CRYPTO,
    written={Source.COINGECKO: 6},
    held_back={},
    missing={},
    outcomes=(),
    transitions=(),
).to_event()


@dataclass
class Fakes:
    """The three handlers: what each returns or raises, and the events that each got."""

    plan: Any = field(default_factory=lambda: IDLE)
    fetch: Any = field(default_factory=dict)
    commit: Any = field(default_factory=lambda: SUMMARY)
    given: list[tuple[str, Any]] = field(default_factory=list)

    def steps(self) -> Steps:
        """The handlers."""
        return Steps(*(self._step(name) for name in ("plan", "fetch", "commit")))

    def _step(self, name: str) -> Any:
        def handler(event: dict[str, Any], _context: object) -> Any:
            self.given.append((name, event))
            answer = getattr(self, name)
            answer = answer(event) if callable(answer) else answer
            if isinstance(answer, Exception):
                raise answer
            return answer

        return handler
