"""The daily refresh of the asset lists is claimed by one of many services."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

NOW_MS = 1_795_356_310_000
DAY_MS = 86_400_000


def test_one_of_many_gets_the_refresh(cache, control_of):
    """If many services ask at once, one of them gets the refresh."""
    control = control_of(cache, {})
    with ThreadPoolExecutor(8) as pool:
        won = list(
            pool.map(lambda _: control.claim_refresh(NOW_MS, DAY_MS, missing=False), range(40))
        )
    assert won.count(True) == 1


def test_the_next_refresh_is_due_after_the_gap(cache, control_of):
    """The next refresh can be claimed after the interval and not before."""
    control = control_of(cache, {})
    assert control.claim_refresh(NOW_MS, DAY_MS, missing=False)
    assert not control.claim_refresh(NOW_MS + DAY_MS - 1, DAY_MS, missing=False)
    assert control.claim_refresh(NOW_MS + DAY_MS, DAY_MS, missing=False)


def test_a_clock_that_ran_ahead_does_not_stop_the_refreshes(cache, control_of):
    """A claim with a time in the future does not stop the next refresh."""
    control = control_of(cache, {})
    assert control.claim_refresh(NOW_MS + DAY_MS, DAY_MS, missing=False)
    assert control.claim_refresh(NOW_MS, DAY_MS, missing=False)


def test_a_missing_list_is_tried_again_at_growing_distances(cache, control_of):
    """A missing list is tried again after 1, 4, 16 and 64 minutes, so a budget is not used up."""
    control = control_of(cache, {})
    tries = [
        minute
        for minute in range(100)
        if control.claim_refresh(NOW_MS + minute * 60_000, DAY_MS, missing=True)
    ]
    assert tries == [0, 1, 5, 21, 85]


def test_the_distances_begin_anew_once_the_lists_are_there(cache, control_of):
    """After a refresh with all lists, a lost list is tried at once, and again after a minute."""
    control = control_of(cache, {})
    for minute in range(100):
        control.claim_refresh(NOW_MS + minute * 60_000, DAY_MS, missing=True)
    assert control.claim_refresh(NOW_MS + 2 * DAY_MS, DAY_MS, missing=False)
    assert not control.claim_refresh(NOW_MS + 2 * DAY_MS + 60_000, DAY_MS, missing=False)
    assert control.claim_refresh(NOW_MS + 4 * DAY_MS, DAY_MS, missing=True)
    assert control.claim_refresh(NOW_MS + 4 * DAY_MS + 60_000, DAY_MS, missing=True)
