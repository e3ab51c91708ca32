"""Simulates many readers behind a CDN: how many of their requests reach the api.

`python -m local crowd` simulates each request, with the same `max-age` that the api sends. The CDN
follows RFC 9111: a fresh answer is served from the cache, any other answer is requested from the
api with the tag of the old one.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate

from local.service.arguments import int_between
from marketdata.clock import seconds_left_in_slot

START_MS = 1_763_820_300_000  # the start of any slot


@dataclass(frozen=True, slots=True)
class Crowd:
    """The readers and their requests.

    Of 100 readers, `of_one` read one symbol and `of_shared` one of `shared_lists`; popular symbols
    and lists are read more often. Each of the other readers has a list, and so a URL, that no other
    reader has. Each reader sends a request every `poll_s` seconds to one of `places` of the CDN.
    `period_s`: seconds between two changes of the prices.
    """

    readers: int = 1_000_000
    poll_s: int = 15
    places: int = 50
    symbols: int = 1_000
    shared_lists: int = 200
    of_one: int = 60
    of_shared: int = 30
    period_s: int = 5
    seconds: int = 60
    shield: bool = False
    seed: int = 1


@dataclass(slots=True)
class Seen:
    """The result. `reached`: requests that the api got, by kind of URL."""

    asked: Counter[str] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)
    not_modified: int = 0
    busiest_second: int = 0
    oldest_ms: int = 0

    @property
    def share(self) -> float:
        """Return the share of the requests that the CDN answered without the api."""
        return 1 - self.reached.total() / max(1, self.asked.total())


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer in a cache: until when it is fresh, when it was made, and with which prices."""

    until_ms: int
    made_ms: int
    version: int


class Cdn:
    """The caches of a CDN: one for each place. A shield is one more between them and the api."""

    def __init__(self, crowd: Crowd) -> None:
        self.seen = Seen()
        self._period_ms, self._shield = crowd.period_s * 1000, crowd.shield
        self._kept: dict[tuple[int, int], Kept] = {}
        self._seconds: Counter[int] = Counter()

    def ask(self, kind: str, url: int, place: int, now_ms: int) -> None:
        """Serve one request of a reader."""
        self.seen.asked[kind] += 1
        kept = self._kept.get((place, url))
        if kept is None or kept.until_ms <= now_ms:
            behind = self._kept.get((-1, url)) if self._shield else None
            if behind is None or behind.until_ms <= now_ms:
                behind = self._fetch(kind, behind or kept, now_ms)
                if self._shield:
                    self._kept[-1, url] = behind
            kept = self._kept[place, url] = behind
        self.seen.oldest_ms = max(self.seen.oldest_ms, now_ms - kept.made_ms)

    def _fetch(self, kind: str, old: Kept | None, now_ms: int) -> Kept:
        """Request an answer from the api; it says until when the answer is fresh."""
        version = now_ms // self._period_ms
        self.seen.reached[kind] += 1
        self.seen.not_modified += old is not None and old.version == version
        second = now_ms // 1000
        self._seconds[second] += 1
        self.seen.busiest_second = max(self.seen.busiest_second, self._seconds[second])
        return Kept(now_ms + seconds_left_in_slot(now_ms) * 1000, now_ms, version)


def play(crowd: Crowd) -> Seen:
    """Simulate the requests of a crowd in the order of their time."""
    cdn = Cdn(crowd)
    readers = list(_readers(crowd))
    poll_ms = crowd.poll_s * 1000
    for round_ms in range(START_MS, START_MS + crowd.seconds * 1000, poll_ms):
        for phase_ms, kind, url, place in readers:
            cdn.ask(kind, url, place, round_ms + phase_ms)
    return cdn.seen


def _readers(crowd: Crowd) -> Iterator[tuple[int, str, int, int]]:
    """Return the requests of one round by time: time, kind and number of the URL, and place."""
    rng = random.Random(crowd.seed)
    popular_symbols, popular_lists = _zipf(crowd.symbols), _zipf(crowd.shared_lists)
    phases = sorted(rng.randrange(crowd.poll_s * 1000) for _ in range(crowd.readers))
    symbols = rng.choices(range(crowd.symbols), cum_weights=popular_symbols, k=crowd.readers)
    lists = rng.choices(range(crowd.shared_lists), cum_weights=popular_lists, k=crowd.readers)
    for number, phase_ms in enumerate(phases):
        place, kind = rng.randrange(crowd.places), rng.randrange(100)
        if kind < crowd.of_one:
            yield phase_ms, "one symbol", symbols[number], place
        elif kind < crowd.of_one + crowd.of_shared:
            yield phase_ms, "shared list", crowd.symbols + lists[number], place
        else:
            yield phase_ms, "own list", crowd.symbols + crowd.shared_lists + number, place


def _zipf(count: int) -> list[float]:
    """Return cumulative weights. The n-th item is read 1/n times as often as the first."""
    return list(accumulate(1 / rank for rank in range(1, count + 1)))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    usual = Crowd()
    parser.add_argument("--readers", type=int_between(1, 10_000_000), default=usual.readers)
    parser.add_argument(
        "--poll", type=int_between(1, 3_600), default=usual.poll_s,
        help="seconds between requests",
    )  # fmt: skip
    parser.add_argument("--symbols", type=int_between(1, 1_000_000), default=usual.symbols)
    parser.add_argument(
        "--period",
        type=int_between(1, 86_400),
        default=usual.period_s,
        help="seconds between changes of a price",
    )
    parser.add_argument(
        "--places", type=int_between(1, 10_000), default=usual.places, help="of the CDN"
    )
    parser.add_argument(
        "--own-lists", type=int_between(0, 100), default=100 - usual.of_one - usual.of_shared,
        metavar="PERCENT",
        help="readers whose list of symbols, and so their URL, is theirs alone",
    )  # fmt: skip
    parser.add_argument("--shield", action="store_true", help="one cache behind all places")


def report(arguments: argparse.Namespace) -> str:
    """Return the result of a simulation as text."""
    usual = Crowd()
    left = 100 - arguments.own_lists
    shared = left * usual.of_shared // (usual.of_one + usual.of_shared)
    crowd = Crowd(
        readers=arguments.readers,
        poll_s=arguments.poll,
        symbols=arguments.symbols,
        places=arguments.places,
        of_one=left - shared,
        of_shared=shared,
        shield=arguments.shield,
        period_s=arguments.period,
        seconds=arguments.poll * max(1, usual.seconds // arguments.poll),
    )
    seen = play(crowd)
    lines = [
        f"{crowd.readers:,} readers, a request every {crowd.poll_s} s each, for {crowd.seconds} s",
        _row("", "asked/s", "reach the api/s"),
    ]
    for kind, asked in [*seen.asked.most_common(), ("all", seen.asked.total())]:
        reached = seen.reached.total() if kind == "all" else seen.reached[kind]
        lines.append(_row(kind, f"{asked / crowd.seconds:,.0f}", f"{reached / crowd.seconds:,.1f}"))
    busy = f"the api's busiest second has {seen.busiest_second:,} requests"
    lines += [
        f"  the CDN answers {seen.share:.2%}; {busy}, and {seen.not_modified:,} of all are a 304",
        f"  the oldest answer that anybody got was made {seen.oldest_ms / 1000:.1f} s before",
    ]
    return "\n".join(lines)


def _row(kind: str, asked: str, reached: str) -> str:
    return f"  {kind:<12} {asked:>12} {reached:>16}"
