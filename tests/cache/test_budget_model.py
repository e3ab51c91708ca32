"""The ledger compared with a small model: no window is ever exceeded.

Workers take calls, make them at random moments of their reservation, and report late or never.
Some give unused calls back. One worker's clock is wrong by up to two seconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from marketdata.cache.client import Cache
from marketdata.cache.control import ControlState
from marketdata.domain.budget import Limit, Use, parse_limits
from marketdata.domain.outcomes import BreakerEffect, DenyReason
from marketdata.domain.permits import AttemptResult, CallGrant, CallRequest
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from tests.support.examples import examples

START = 1_763_820_310_000
SOURCE, CLASS = Source.FINNHUB, AssetClass.STOCKS
ROUTINE = {Use.ACTIVE, Use.WATCHED}
FIRST = {Use.NEW, Use.UNLISTED}
LIMITS = ["5/second,20/minute", "7/minute,30/hour", "25/day,1/second", "12/minute,40/day,90/month"]
PAUSES = [0, 7, 300, 1_000, 4_000, 10_000, 31_000, 60_000, 400_000, 3_600_000, 86_400_000]


@dataclass
class Entry:
    """One reservation: its end, its use, and how many calls are counted."""

    end_ms: int
    use: Use
    calls: int


@dataclass
class Made:
    """The times of the calls of one grant."""

    at_ms: list[int]


class Model:
    """The expected behaviour of a ledger in simple Python."""

    def __init__(self, limits: tuple[Limit, ...]) -> None:
        self.limits = limits
        self.entries: list[Entry] = []
        self.paces = dict.fromkeys((limit.window for limit in limits if limit.is_long), 0.0)
        self.hold = 0
        self.latest = 0
        self.reason = DenyReason.BUDGET_EXHAUSTED

    def take(self, want: CallRequest, now: int) -> tuple[int, Entry | None]:
        """Return how many calls are granted, and the reservation."""
        self.latest = max(self.latest, now)
        room = want.calls
        self.reason = DenyReason.PACED
        routine = want.use in ROUTINE
        for limit in self.limits:
            used = [entry for entry in self.entries if self._counts(entry, limit, now)]
            total = sum(entry.calls for entry in used)
            spared = want.use in {Use.WATCHED, *FIRST} and not limit.is_long
            cap = limit.calls - (limit.calls // 2 if spared else 0) - total
            if limit.is_long and routine:
                own = sum(entry.calls for entry in used if entry.use in ROUTINE)
                cap = min(cap, self._share(limit) - own)
                due = max(self.paces[limit.window], now - 5000)
                room = min(room, max(0, math.ceil((now + 5000 - due) / self._interval(limit))))
            if limit.is_long and want.use in FIRST:
                cap = min(cap, self._new(limit) - sum(e.calls for e in used if e.use in FIRST))
            if not limit.is_long and want.use is Use.UNLISTED:
                own = sum(e.calls for e in used if e.use is Use.UNLISTED)
                share = max(1, limit.calls // 20)
                half = limit.calls - limit.calls // 2
                cap = min(cap, share - own, max(1, half - share) - total)
            if cap < want.least:
                self.reason = DenyReason.BUDGET_EXHAUSTED
            room = min(room, cap)
        if now < self.hold:
            self.reason = DenyReason.HELD
        if now < self.hold or room < want.least:
            return 0, None
        entry = Entry(want.until_ms, want.use, room)
        self.entries.append(entry)
        for limit in self.limits:
            if limit.is_long and routine:
                self._pace(limit, max(self.paces[limit.window], now - 5000), room)
        return room, entry

    def give_back(self, entry: Entry, calls: int, now: int) -> None:
        """Free calls that were not made, in the windows in which they still count."""
        for limit in self.limits:
            if limit.is_long and entry.use in ROUTINE and self._counts(entry, limit, now):
                self._pace(limit, self.paces[limit.window], -calls)
        entry.calls -= calls
        entry.end_ms = min(entry.end_ms, now)

    def _pace(self, limit: Limit, due: float, calls: int) -> None:
        """Move the time of the next routine call, rounded to the microsecond."""
        moved = due + calls * limit.window_ms / self._share(limit)
        self.paces[limit.window] = float(f"{moved:.3f}")

    def _counts(self, entry: Entry, limit: Limit, now: int) -> bool:
        """Return whether a reservation still counts: its end rounded up, plus the window.

        The latest time that any worker has shown decides, also for workers with an
        earlier time.
        """
        width = math.ceil(limit.window_ms / 120)
        end = entry.end_ms + (2000 if limit.window_ms >= 60_000 else 0)
        return (end // width + 1) * width + limit.window_ms > max(now, self.latest)

    @staticmethod
    def _share(limit: Limit) -> int:
        return max(1, limit.calls * 9 // 10)

    def _new(self, limit: Limit) -> int:
        return max(1, (limit.calls - self._share(limit)) // 2)

    def _interval(self, limit: Limit) -> float:
        return limit.window_ms / self._share(limit)


class BudgetMachine(RuleBasedStateMachine):
    """Workers that take, call, report or die, under one set of limits."""

    grants = Bundle("grants")

    def __init__(self, control_with: Callable[[str], ControlState]) -> None:
        super().__init__()
        self.control_with = control_with
        self.now, self.asked = START, 0
        self.calls_made: list[Made] = []

    @initialize(limits=st.sampled_from(LIMITS), skew_ms=st.integers(-2000, 2000))
    def begin(self, limits: str, skew_ms: int) -> None:
        """Choose a set of limits, and how wrong one worker's clock is."""
        self.control = self.control_with(limits)
        self.model = Model(parse_limits(limits))
        # Windows of a second are for workers whose clocks agree.
        self.skew_ms = 0 if "second" in limits else skew_ms

    @rule(ms=st.sampled_from(PAUSES))
    def time_passes(self, ms: int) -> None:
        """Move the time forward."""
        self.now += ms

    @rule(
        target=grants,
        use=st.sampled_from(Use),
        calls=st.integers(1, 8),
        least=st.integers(1, 3),
        run_ms=st.sampled_from([0, 500, 3_500, 30_000]),
        is_off=st.booleans(),
        random=st.randoms(use_true_random=False),
    )
    def take(
        self, *, use, calls, least, run_ms, is_off, random
    ) -> tuple[CallGrant, Entry | None, Made]:
        """A worker takes calls, and makes some or all at random moments of its reservation."""
        self.asked += 1
        skew_ms = self.skew_ms if is_off else 0
        clock = self.now + skew_ms
        want = CallRequest(SOURCE, CLASS, max(calls, least), use, clock + run_ms, least=least)
        (grant,) = self.control.take([want], clock, f"t{self.asked}")
        granted, entry = self.model.take(want, clock)
        assert grant.calls == granted
        assert grant.reason is (None if granted else self.model.reason)
        if not granted and grant.available_at_ms is not None:
            assert grant.available_at_ms > clock
        used = random.randint(0, granted) if random.random() < 0.5 else granted
        made = Made([self.now + random.randint(0, run_ms) for _ in range(used)])
        self.calls_made.append(made)
        return grant, entry, made

    @rule(taken=consumes(grants), held_s=st.sampled_from([None, None, None, 1, 20]))
    def report(self, taken: tuple[CallGrant, Entry | None, Made], held_s: int | None) -> None:
        """A worker reports at once or later, and sometimes with a hold."""
        grant, entry, made = taken
        if entry is None:
            return
        # A worker reports after its last call.
        made.at_ms = [min(at, self.now) for at in made.at_ms]
        used = len(made.at_ms)
        hold = None if held_s is None else self.now + held_s * 1000
        result = AttemptResult(
            source=SOURCE,
            asset_class=CLASS,
            generation=grant.generation,
            probe=grant.probe,
            calls_granted=grant.calls,
            end_ms=grant.end_ms,
            use=grant.use,
            calls_used=used,
            effect=BreakerEffect.NEUTRAL,
            outcome="ok",
            hold_until_ms=hold,
        )
        self.control.record([result], {}, (), self.now, report=f"r{id(entry)}")
        self.model.give_back(entry, grant.calls - used, self.now)
        self.model.hold = max(self.model.hold, hold or 0)

    @rule(taken=consumes(grants))
    def die(self, taken: object) -> None:
        """A worker dies and never reports."""

    @rule(use=st.sampled_from(Use))
    def wait_until_available(self, use: Use) -> None:
        """A denied worker that asks again at `available_at_ms` gets a call."""
        want = CallRequest(SOURCE, CLASS, 1, use, self.now)
        self.asked += 1
        (grant,) = self.control.take([want], self.now, f"t{self.asked}")
        granted, _ = self.model.take(want, self.now)
        assert grant.calls == granted
        if granted:
            self.calls_made.append(Made([self.now]))
            return
        assert grant.available_at_ms is not None
        early = CallRequest(SOURCE, CLASS, 1, use, grant.available_at_ms - 1)
        assert self.control.take([early], early.until_ms, "early")[0].calls == 0
        self.now = grant.available_at_ms
        want = CallRequest(SOURCE, CLASS, 1, use, self.now)
        assert self.control.take([want], self.now, "again")[0].calls == 1
        assert self.model.take(want, self.now)[0] == 1
        self.calls_made.append(Made([self.now]))

    @invariant()
    def no_window_is_exceeded(self) -> None:
        """No rolling window has more calls than its limit."""
        if not hasattr(self, "model"):
            return
        made = sorted(at for grant in self.calls_made for at in grant.at_ms)
        for limit in self.model.limits:
            for first, last in zip(made, made[limit.calls :], strict=False):
                assert last - first >= limit.window_ms, (str(limit), first, last)


def test_the_ledger_keeps_every_limit_and_grants_what_its_model_grants(
    cache: Cache, control_of: Callable[..., ControlState]
):
    """No rolling window is exceeded in any order of events, and no call is denied needlessly."""

    def fresh() -> BudgetMachine:
        cache.command("FLUSHALL")
        return BudgetMachine(lambda limits: control_of(cache, {SOURCE: limits}))

    run_state_machine_as_test(
        fresh,
        settings=settings(max_examples=examples(40), stateful_step_count=40, database=None),
    )
