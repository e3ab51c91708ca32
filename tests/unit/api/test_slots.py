from hypothesis import given
from hypothesis import strategies as st

from marketdata.api.readers import slots
from marketdata.prices import planning


def test_readers_and_planners_share_one_grid():
    """The two say the same length of a slot."""
    assert slots.SLOT_S == planning.SLOT_S


@given(st.integers(min_value=0, max_value=10**14))
def test_a_slot_begins_on_the_grid_and_holds_its_moment(now_ms):
    """Seconds left are whole, at least one, and lead into the next slot."""
    start = slots.slot_start_ms(now_ms)
    assert start % 5_000 == 0
    assert start <= now_ms < start + 5_000
    left = slots.seconds_left(now_ms)
    assert 1 <= left <= 5
    assert now_ms + left * 1000 >= start + 5_000
    assert now_ms + (left - 1) * 1000 < start + 5_000
