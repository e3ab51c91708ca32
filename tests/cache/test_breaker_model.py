"""The breaker compared with a small model: random permits, results, dead workers and times."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    rule,
    run_state_machine_as_test,
)

from marketdata.cache.client import Cache
from marketdata.cache.control import ControlState
from marketdata.domain.breaker import BreakerPolicy, BreakerState
from marketdata.domain.budget import Use
from marketdata.domain.outcomes import BreakerEffect
from marketdata.domain.permits import AttemptResult, CallGrant, CallRequest
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from tests.support.examples import examples

START = 1_763_820_310_000
POLICY = BreakerPolicy(open_ms=90_000, probe_lease_ms=15_000)
SOURCE, CLASS = Source.FINNHUB, AssetClass.STOCKS
CLOSED, OPEN, HALF_OPEN = BreakerState


class Model:
    """The expected behaviour of a breaker in simple Python."""

    def __init__(self) -> None:
        self.state, self.since, self.generation = CLOSED, 0, 0
        self.probe: str | None = None
        self.probe_until = 0
        self.results: list[tuple[int, bool]] = []
        self.stale_in_a_row = 0

    def turn(self, state: BreakerState, now: int) -> None:
        """Change state."""
        self.state, self.since, self.generation = state, now, self.generation + 1
        self.probe, self.results, self.stale_in_a_row = None, [], 0

    def ask(self, now: int, token: str) -> str:
        """Return 'pass', 'probe' or 'no'."""
        if self.state is CLOSED:
            return "pass"
        if self.state is OPEN and now < self.since + POLICY.open_ms:
            return "no"
        if self.state is HALF_OPEN and self.probe and now < self.probe_until:
            return "no"
        if self.state is OPEN:
            self.turn(HALF_OPEN, now)
        self.probe, self.probe_until = token, now + POLICY.probe_lease_ms
        return "probe"

    def tell(self, grant: CallGrant, effect: BreakerEffect, now: int, *, judged: bool) -> None:
        """Count a result; `judged` applies to successes only."""
        if grant.generation != self.generation:
            return
        if self.state is HALF_OPEN and grant.probe == self.probe:
            if effect is BreakerEffect.NEUTRAL:
                self.probe = None
            else:
                self.turn(CLOSED if effect is BreakerEffect.SUCCESS else OPEN, now)
        elif self.state is CLOSED and effect is BreakerEffect.TRIP:
            self.turn(OPEN, now)
        elif self.state is CLOSED and effect is not BreakerEffect.NEUTRAL:
            good = effect is BreakerEffect.SUCCESS
            times = self._stale_times() if effect is BreakerEffect.STALE else 1
            self.results += [(now // 1000, good)] * times
            if good and judged:
                self.stale_in_a_row = 0
            last = [good for at, good in self.results if now // 1000 - at < 60]
            if times and not good and last.count(False) >= max(5, last.count(True)):
                self.turn(OPEN, now)

    def _stale_times(self) -> int:
        self.stale_in_a_row += 1
        return {1: 0, 2: 0, 3: 3}.get(self.stale_in_a_row, 1)


class BreakerMachine(RuleBasedStateMachine):
    """Workers that ask and report at once, report late, or die; their clocks are right."""

    permits = Bundle("permits")

    def __init__(self, control: ControlState) -> None:
        super().__init__()
        self.control, self.model = control, Model()
        self.now, self.asked = START, 0
        self.in_flight: dict[str, int] = {}  # probes not reported, and when their leases end

    @rule(ms=st.sampled_from([0, 1, 400, 3_000, 14_999, 15_000, 30_000, 60_000, 90_000]))
    def time_passes(self, ms: int) -> None:
        """Move the time forward."""
        self.now += ms

    @rule(target=permits)
    def ask(self) -> CallGrant:
        """A worker asks for a permit."""
        self.asked += 1
        token = f"t{self.asked}"
        want = CallRequest(SOURCE, CLASS, 1, Use.ACTIVE, self.now + 1000)
        (grant,) = self.control.take([want], self.now, token)
        expected = self.model.ask(self.now, f"{token}:1")
        assert (grant.calls == 1) is (expected != "no")
        assert (grant.probe is not None) is (expected == "probe")
        if grant.probe:
            self.in_flight[grant.probe] = self.now + POLICY.probe_lease_ms
        return grant

    @rule(effect=st.sampled_from(BreakerEffect), burst=st.integers(1, 6), judged=st.booleans())
    def attempts_that_end_at_once(self, effect: BreakerEffect, burst: int, *, judged: bool) -> None:
        """Some workers ask and report without delay, as usual."""
        for _ in range(burst):
            self._tell(self.ask(), effect, judged=judged)

    @rule(pause_ms=st.sampled_from([0, 2_000]))
    def an_outage_that_ends(self, pause_ms: int) -> None:
        """The breaker opens and a probe closes it, so earlier permits are of an old generation."""
        self._tell(self.ask(), BreakerEffect.TRIP)
        self.now += POLICY.open_ms + pause_ms
        self._tell(self.ask(), BreakerEffect.SUCCESS)

    @rule(grant=permits, effect=st.sampled_from(BreakerEffect))
    def report(self, grant: CallGrant, effect: BreakerEffect) -> None:
        """A worker reports, perhaps late or for the second time."""
        self._tell(grant, effect)

    @rule(grant=consumes(permits))
    def die(self, grant: CallGrant) -> None:
        """A worker dies and never reports."""

    @invariant()
    def it_stands_where_the_model_stands(self) -> None:
        """State, time of the last change and generation equal the model's."""
        seen = self._seen()
        assert (seen.state, seen.generation) == (self.model.state, self.model.generation)
        assert (seen.since_ms or 0) == self.model.since

    @invariant()
    def at_most_one_probe_is_in_flight(self) -> None:
        """At most one worker holds a probe within its lease."""
        held = [probe for probe, until in self.in_flight.items() if self.now < until]
        assert len(held) <= 1

    def _tell(self, grant: CallGrant, effect: BreakerEffect, *, judged: bool = True) -> None:
        if not grant.calls:
            return
        before = self._seen()
        result = AttemptResult(
            source=SOURCE,
            asset_class=CLASS,
            generation=grant.generation,
            probe=grant.probe,
            calls_granted=1,
            end_ms=grant.end_ms,
            use=grant.use,
            calls_used=1,
            effect=effect,
            outcome=effect.value,
            judged=judged,
        )
        changed = self.control.record([result], {}, (), self.now)
        self.model.tell(grant, effect, self.now, judged=judged)
        after = self._seen()
        if grant.generation != before.generation or effect is BreakerEffect.NEUTRAL:
            assert (after.state, after.generation) == (before.state, before.generation)
        assert bool(changed) is (before.generation != after.generation)
        if grant.probe:
            self.in_flight.pop(grant.probe, None)

    def _seen(self):
        return self.control.read_providers(self.now).providers[SOURCE].classes[CLASS]


def test_the_breaker_does_what_its_model_does(
    cache: Cache, control_of: Callable[..., ControlState]
):
    """Scripts and model agree for any order of permits, results, dead workers and times."""

    def fresh() -> BreakerMachine:
        cache.command("FLUSHALL")
        return BreakerMachine(control_of(cache, {SOURCE: "1000000000/second"}, POLICY))

    run_state_machine_as_test(
        fresh,
        settings=settings(max_examples=examples(30), stateful_step_count=40, database=None),
    )
