"""The outcomes of attempts and the reasons of missing quotes: their tables have no gap."""

from __future__ import annotations

from marketdata.domain.outcomes import (
    BREAKER_EFFECTS,
    SKIP_REASONS,
    DenyReason,
    Outcome,
    Reason,
    missing_because,
)
from marketdata.domain.quotes import Source


def test_every_outcome_has_an_effect_on_the_breaker():
    """No outcome of an attempt is left out of the table of effects."""
    assert BREAKER_EFFECTS.keys() == set(Outcome)


def test_every_reason_of_a_plan_is_a_reason_for_clients():
    """Only a job without room in its plan needs no reason, because its symbols stay due."""
    assert SKIP_REASONS.keys() == set(DenyReason) - {DenyReason.NO_ROOM}


def test_the_first_provider_that_was_not_asked_gives_the_reason():
    """A client reads which provider was not asked, why, and when it may be asked again."""
    skipped = [(Source.YFINANCE, DenyReason.HELD, 12), (Source.FINNHUB, DenyReason.PROBING, None)]
    missing = missing_because("AAPL", skipped)
    assert missing.code is Reason.BUDGET_EXHAUSTED
    assert missing.message == "yfinance: held, next call in 12 s"
    assert missing.retry_after_s == 12


def test_a_symbol_without_any_provider_is_not_found():
    """A symbol that no provider lists is not found."""
    missing = missing_because("AAPL", [])
    assert (missing.code, missing.retry_after_s) == (Reason.NOT_FOUND, None)
