"""The simulated readers of a CDN: which requests its caches answer, and which reach the api."""

from __future__ import annotations

import argparse

from local.service import crowd
from local.service.crowd import START_MS, Cdn, Crowd, play

SMALL = Crowd(readers=2_000, poll_s=5, places=3, symbols=20, shared_lists=4, seconds=20)


def test_an_answer_is_asked_for_once_a_slot_and_place():
    """Two readers of one place share an answer until the next slot; another place has its own."""
    cdn = Cdn(Crowd())
    for place, now_ms in ((1, 0), (1, 4_999), (2, 100), (1, 5_000), (1, 5_001)):
        cdn.ask("one symbol", 7, place, START_MS + now_ms)
    assert cdn.seen.asked.total() == 5
    assert cdn.seen.reached.total() == 3


def test_a_shield_asks_once_for_all_places():
    """With a shield one request a slot reaches the api, and no answer outlives its slot."""
    cdn = Cdn(Crowd(shield=True))
    for place, now_ms in ((1, 0), (2, 100), (3, 4_000), (3, 5_000)):
        cdn.ask("one symbol", 7, place, START_MS + now_ms)
    assert cdn.seen.reached.total() == 2
    assert cdn.seen.oldest_ms == 4_000


def test_prices_that_stand_still_are_not_sent_again():
    """If the CDN has the current bytes already, the api answers 304."""
    cdn = Cdn(Crowd(period_s=3_600))
    for now_ms in (0, 5_000, 10_000):
        cdn.ask("one symbol", 7, 1, START_MS + now_ms)
    assert (cdn.seen.reached.total(), cdn.seen.not_modified) == (3, 2)


def test_nobody_gets_an_answer_that_is_older_than_a_slot_and_its_rounding():
    """An answer is at most a slot and a second old, because `max-age` is in whole seconds."""
    assert play(SMALL).oldest_ms < 6_000


def test_what_reaches_the_api_does_not_grow_with_the_readers():
    """Ten times as many readers of shared URLs send the api at most a tenth more requests."""
    few = play(Crowd(readers=2_000, poll_s=5, places=2, symbols=5, shared_lists=2, of_one=70))
    many = play(Crowd(readers=20_000, poll_s=5, places=2, symbols=5, shared_lists=2, of_one=70))
    assert many.asked.total() == 10 * few.asked.total()
    assert many.reached.total() <= 1.1 * few.reached.total()
    assert few.share < many.share


def test_own_lists_always_reach_the_api():
    """Every request for a reader's own list reaches the api."""
    seen = play(Crowd(readers=300, poll_s=15, of_one=0, of_shared=0, seconds=30))
    assert seen.reached == seen.asked


def test_the_same_seed_plays_the_same_crowd():
    """One seed gives the same requests each time."""
    assert play(SMALL) == play(SMALL)


def test_the_command_tells_what_is_left():
    """The report has a row for each kind of URL that is used, and the sum."""
    parser = argparse.ArgumentParser()
    crowd.add_arguments(parser)
    text = crowd.report(parser.parse_args(["--readers", "1000", "--own-lists", "0", "--shield"]))
    assert "1,000 readers" in text
    assert "own list" not in text
    assert "all" in text
