"""The benchmarks' arithmetic: spreads, races, verdicts, and what they print."""

from __future__ import annotations

from tests.benchmarks.cold_start import summed
from tests.benchmarks.rounds import Race, Spread, race
from tests.benchmarks.table import Row, Section, drawn, exact, ms, plain


def test_a_spread_has_the_median_and_the_middle_four_fifths():
    """One slow round of 20 changes neither the median nor the middle four fifths."""
    spread = Spread.of([1.0] * 19 + [100.0])
    assert (spread.median, spread.low, spread.high) == (1.0, 1.0, 1.0)


def test_a_ratio_is_taken_round_by_round():
    """A round in which both take ten times as long leaves their ratio unchanged."""
    result = Race({"ours": [2.0, 20.0, 2.0], "limit": [1.0, 10.0, 1.0]})
    assert result.ratio("ours", "limit") == Spread(2.0, 2.0, 2.0)


def test_a_race_calls_all_in_turn_and_each_as_often():
    """Each contender is called equally often, and each round begins with another one."""
    called: list[str] = []
    contenders = {name: lambda name=name: called.append(name) for name in "abc"}
    result = race(contenders, 3, calls=1, warm_up=0)
    assert "".join(called) == "abcbcacab"
    assert {name: len(times) for name, times in result.seconds.items()} == {"a": 3, "b": 3, "c": 3}


def test_a_bound_judges_the_median():
    """The verdict compares the median with the bound, and is empty without a bound."""
    value = Spread(2.0, 1.0, 3.0)
    verdicts = [
        Row("x", value).verdict,
        Row("x", value, at_most=2.0).verdict,
        Row("x", value, at_most=1.9).verdict,
        Row("x", value, at_least=2.1).verdict,
    ]
    assert verdicts == ["", "ok", "MISSED", "MISSED"]


def test_a_table_has_units_spreads_bounds_and_notes():
    """A table shows units, spreads, bounds and notes; a counted figure has no spread."""
    section = Section("Reading", [Row("a", ms(Spread(0.002, 0.001, 0.003)), at_most=5)], ["a note"])
    section.rows.append(Row("calls", exact(1_234), ""))
    text = drawn([section])
    assert "2 ms" in text
    assert "(1 to 3)  <= 5: ok" in text
    assert "1,234\n" in text
    assert text.endswith("a note")


def test_numbers_have_about_three_digits():
    """Numbers below 1,000 are printed with three digits, larger ones as whole numbers."""
    assert [plain(n) for n in (0.1234, 1.234, 12.34, 123.4, 1234.5)] == [
        "0.123", "1.23", "12.3", "123", "1,234",
    ]  # fmt: skip


def test_import_times_are_summed_by_package():
    """Import times are summed by package, and the standard library is one package."""
    lines = [
        "import time: self [us] | cumulative | imported package",
        "import time:      1000 |       1000 |   redis.client",
        "import time:      2500 |       3500 | redis",
        "import time:      4000 |       4000 | json.decoder",
    ]
    assert summed(lines) == [("the standard library", 4), ("redis", 4)]
