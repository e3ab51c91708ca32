"""Two hours of the simulated day, across the opening of New York, with all kinds of faults."""

from __future__ import annotations

import json

from local.day import command


def test_a_short_day_meets_every_target(capfd, monkeypatch, tmp_path):
    """Through outages, refusals, bad ticks and lost workers every figure of the day is met."""
    monkeypatch.setenv("MARKETDATA_HOME", str(tmp_path))
    code = command.day(seed=1, hours=2)
    out, err = capfd.readouterr()
    file = command.results_file(1, 2)
    assert out.splitlines()[-1].endswith(str(file))
    told = json.loads(file.read_text())
    assert (code, told["missed"], err) == (0, [], "")
    assert told["ok"]
    assert told["wrong_quotes"] == 0
    assert told["bad_ticks"]["planted"] == 7
    assert [provider["violations"] for provider in told["calls"].values()] == [0] * 5
    assert min(told["fresh_stocks"], told["fresh_crypto"], told["fresh_forex"]) >= 0.99
    reasons = {reason for _, _, _, reason in told["openings"]}
    assert reasons == {"unavailable", "stale_source", "bad_key"}
    assert all(count > 0 for count in told["fallbacks"].values())
