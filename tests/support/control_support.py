"""One breaker and one ledger, with short methods for the tests of the control state."""

from __future__ import annotations

from dataclasses import dataclass, replace

from marketdata.cache.control import ControlState
from marketdata.domain.breaker import BreakerPolicy, BreakerState, Transition
from marketdata.domain.budget import Use
from marketdata.domain.outcomes import BreakerEffect
from marketdata.domain.permits import AttemptResult, CallGrant, CallRequest
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass

START_MS = 1_763_820_310_000
OPEN_MS, LEASE_MS = 300_000, 15_000
POLICY = BreakerPolicy(OPEN_MS, LEASE_MS)
PLENTY = dict.fromkeys(Source, "1000000000/hour")
LEDGER_SOURCE = Source.FINNHUB


def result_of(grant: CallGrant, used: int, effect: BreakerEffect, **more: object) -> AttemptResult:
    """The result of a grant of which so many calls were made."""
    return AttemptResult(
        source=grant.source,
        asset_class=grant.asset_class,
        generation=grant.generation,
        probe=grant.probe,
        calls_granted=grant.calls,
        end_ms=grant.end_ms,
        use=grant.use,
        calls_used=used,
        effect=effect,
        **{"outcome": effect.value, **more},
    )


@dataclass
class Breaker:
    """One breaker under test: Yahoo's for stocks by default."""

    control: ControlState
    source: Source = Source.YFINANCE
    asset_class: AssetClass = AssetClass.STOCKS
    asked: int = 0

    def ask(self, now_ms: int, **want: object) -> CallGrant:
        """Ask for one call."""
        self.asked += 1
        usual = CallRequest(self.source, self.asset_class, 1, Use.ACTIVE, now_ms + 1000)
        (grant,) = self.control.take([replace(usual, **want)], now_ms, f"t{self.asked}")
        return grant

    def tell(
        self, grant: CallGrant, effect: BreakerEffect, now_ms: int, **more: object
    ) -> tuple[Transition, ...]:
        """Report the result of a grant."""
        return self.control.record([result_of(grant, grant.calls, effect, **more)], {}, (), now_ms)

    def attempt(self, effect: BreakerEffect, now_ms: int, **more: object) -> tuple[Transition, ...]:
        """Ask and report at once."""
        return self.tell(self.ask(now_ms), effect, now_ms, **more)

    def state(self, now_ms: int = START_MS) -> BreakerState:
        """The state of the breaker, as a reader sees it."""
        return self.seen(now_ms).state

    def seen(self, now_ms: int = START_MS):
        """Everything that a reader sees of the breaker."""
        return self.control.read_providers(now_ms).providers[self.source].classes[self.asset_class]

    def open(self, now_ms: int = START_MS) -> None:
        """Open the breaker, by a bad key."""
        self.attempt(BreakerEffect.TRIP, now_ms, reason="bad_key")


@dataclass
class Ledger:
    """One provider's ledger under test."""

    control: ControlState
    asked: int = 0

    def take(
        self, calls: int, now_ms: int, *, use: Use = Use.ACTIVE, least: int = 1, run_ms: int = 0
    ) -> CallGrant:
        """Ask for calls that happen within `run_ms`."""
        self.asked += 1
        want = CallRequest(
            LEDGER_SOURCE, AssetClass.STOCKS, calls, use, now_ms + run_ms, least=least
        )
        (grant,) = self.control.take([want], now_ms, f"t{self.asked}")
        return grant

    def settle(self, grant: CallGrant, used: int, now_ms: int, **more: object) -> None:
        """Report how many calls of a grant were made."""
        result = result_of(grant, used, BreakerEffect.NEUTRAL, **more)
        self.control.record([result], {}, (), now_ms)

    def seen(self, now_ms: int):
        """The provider as readers see it."""
        return self.control.read_providers(now_ms).providers[LEDGER_SOURCE]

    def used(self, now_ms: int) -> list[int]:
        """Calls counted per limit."""
        return [limit.used for limit in self.seen(now_ms).limits]
