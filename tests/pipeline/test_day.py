"""Two hours of the simulated day, across the opening of New York, with all kinds of faults."""

from __future__ import annotations

import json

from local.day import command


def test_a_short_day_meets_every_target(capfd, monkeypatch, tmp_path):
    """With outages, rejections, bad ticks and lost workers, two hours meet every target."""
    monkeypatch.setenv("MARKETDATA_HOME", str(tmp_path))
    code = command.day(seed=1, hours=2)
    out, err = capfd.readouterr()
    file = command.results_file(1, 2)
    assert out.splitlines()[-1].endswith(str(file))
    report = json.loads(file.read_text())
    assert (code, report["missed"], err) == (0, [], "")
    assert report["ok"]
    assert report["wrong_quotes"] == 0
    assert report["bad_ticks"]["planted"] == 7
    assert [provider["violations"] for provider in report["calls"].values()] == [0] * 5
    assert min(report["fresh_stocks"], report["fresh_crypto"], report["fresh_forex"]) >= 0.99
    reasons = {reason for _, _, _, reason in report["openings"]}
    assert reasons == {"unavailable", "stale_source", "bad_key"}
    assert all(count > 0 for count in report["fallbacks"].values())
