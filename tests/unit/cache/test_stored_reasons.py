"""Stored reasons are read back, also texts that this service would not write."""

from __future__ import annotations

import json

import pytest

from marketdata.api.readers.missing import error_json
from marketdata.cache.stored_reasons import held_reason, reason_of, reason_text
from marketdata.domain.outcomes import MissingQuote, Reason

HALF = "\ud83d"  # the first half of a surrogate pair, which UTF-8 cannot express


def test_a_stored_reason_is_read_back():
    """A stored reason is read back with all its fields."""
    missing = MissingQuote("KO", Reason.BUDGET_EXHAUSTED, "yfinance: budget exhausted", 42)
    assert reason_of("KO", reason_text(missing).encode()) == missing


def test_half_of_a_surrogate_pair_makes_a_reason_unreadable():
    """A text with half of a surrogate pair is dropped, because no answer can contain it."""
    assert reason_of("KO", json.dumps({"code": "not_found", "message": HALF}).encode()) is None
    held = {"price": "1", "currency": HALF, "stored": "2", "reason": "jump"}
    assert held_reason("KO", json.dumps({"yfinance": held}).encode()) is None


@pytest.mark.parametrize("wait_s", [0, -5, 0.2])
def test_a_stored_wait_below_a_second_is_shown_as_a_second(wait_s):
    """`retry_after` is at least 1 in every answer, as the OpenAPI document says."""
    stored = {"code": "not_found", "message": "x", "retry_after": wait_s}
    reason = reason_of("KO", json.dumps(stored).encode())
    assert reason is not None
    assert json.loads(error_json(reason))["retry_after"] == 1
