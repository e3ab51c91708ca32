"""Slots and times in milliseconds."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from marketdata import clock


@given(st.integers(min_value=0, max_value=10**14))
def test_a_slot_begins_on_the_grid_and_contains_its_time(now_ms):
    """A slot begins at a multiple of 5 s, and its seconds left lead into the next slot."""
    start = clock.slot_start_ms(now_ms)
    assert start % 5_000 == 0
    assert start <= now_ms < start + 5_000
    left = clock.seconds_left_in_slot(now_ms)
    assert 1 <= left <= 5
    assert now_ms + left * 1000 >= start + 5_000
    assert now_ms + (left - 1) * 1000 < start + 5_000


@given(st.integers(min_value=0, max_value=9_999_999_999_999))
def test_milliseconds_are_exact(ms):
    """A time in milliseconds is unchanged after it was a datetime."""
    assert clock.epoch_ms(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)) == ms
