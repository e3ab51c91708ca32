from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

NOW_MS = 1_795_356_310_000
DAY_MS = 86_400_000


def test_one_of_many_gets_the_refresh(cache, control_of):
    """However many services poll at once, one refresh is made."""
    control = control_of(cache, {})
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda _: control.claim_refresh(NOW_MS, DAY_MS), range(40)))
    assert won.count(True) == 1


def test_the_next_refresh_is_due_after_the_gap(cache, control_of):
    """Nobody gets it before, somebody gets it after."""
    control = control_of(cache, {})
    assert control.claim_refresh(NOW_MS, DAY_MS)
    assert not control.claim_refresh(NOW_MS + DAY_MS - 1, DAY_MS)
    assert control.claim_refresh(NOW_MS + DAY_MS, DAY_MS)


def test_a_clock_that_ran_ahead_does_not_stop_the_refreshes(cache, control_of):
    """A claim from the future counts for a minute at most."""
    control = control_of(cache, {})
    assert control.claim_refresh(NOW_MS + DAY_MS, DAY_MS)
    assert control.claim_refresh(NOW_MS, DAY_MS)
