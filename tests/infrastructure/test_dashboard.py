"""The dashboard: its layout, and that its queries find the lines of the log."""

from __future__ import annotations

import logging
import re

from marketdata.domain.messages import Summary
from marketdata.domain.outcomes import Outcome
from marketdata.observability.logs import log_commit
from marketdata.observability.metrics import STATES
from tests.infrastructure.stack import Stack
from tests.infrastructure.watched import dashboard_of, every_stack, shown_by, widgets_of


@every_stack
def test_the_dashboard_shows_the_state_of_every_alarm(parameters):
    """The first widget shows every alarm, beside the age of the quotes."""
    stack = Stack(**parameters)
    first, second = dashboard_of(stack)["widgets"][:2]
    shown = [re.fullmatch(r"\$\{(\w+)\.Arn\}", alarm) for alarm in first["properties"]["alarms"]]
    assert sorted(alarm[1] for alarm in shown) == sorted(stack.of_type("AWS::CloudWatch::Alarm"))
    assert {named.name for named in shown_by(second["properties"])} == {"QuoteAge"}


@every_stack
def test_widgets_lie_beside_each_other(parameters):
    """Widgets are on the grid of 24 columns without overlap, each with region and title."""
    taken = set()
    for widget in dashboard_of(Stack(**parameters))["widgets"]:
        left, top = widget["x"], widget["y"]
        cells = {
            (x, y)
            for x in range(left, left + widget["width"])
            for y in range(top, top + widget["height"])
        }
        assert not cells & taken
        assert all(x < 24 for x, _ in cells)
        taken |= cells
        assert widget["properties"]["title"]
        assert widget["type"] == "alarm" or widget["properties"]["region"] == "eu-central-1"


def test_the_breakers_are_drawn_with_the_numbers_that_they_have():
    """The title of the breakers' graph says what each number of the code means."""
    (title,) = [w["title"] for w in widgets_of(Stack(), "metric") if "breakers" in w["title"]]
    legend = ", ".join(f"{at} {state.value.replace('_', '-')}" for state, at in STATES.items())
    assert f"({legend})" in title


def test_log_queries_find_what_is_logged(caplog):
    """The log queries name only messages and fields that a commit logs."""
    step = {"provider": "finnhub", "calls_used": 1, "latency_ms": 9, "quotes": 0, "detail": "x"}
    change = {"provider": "finnhub", "asset_class": "stocks", "before": "closed", "after": "open"}
    summary = Summary(
        slot=1,
        job="j1",
        asset_class="stocks",
        written={},
        held_back={},
        missing={},
        outcomes=[{**step, "outcome": outcome.value} for outcome in Outcome],
        transitions=[{**change, "reason": "bad_key"}],
    )
    with caplog.at_level(logging.DEBUG, "marketdata"):
        log_commit(summary)
    logged: dict[str, set[str]] = {}
    for record in caplog.records:
        logged.setdefault(record.message, set()).update(vars(record))
    queries = [widget["query"] for widget in widgets_of(Stack(), "log")]
    assert len(queries) == 2
    for query in queries:
        assert query.startswith("SOURCE '${FunctionLogs}' | filter message ")
        _, found, shown, *_ = query.split(" | ")
        messages = re.findall(r"'([^']+)'", found)
        fields = re.sub(r"fields @timestamp,|stats .* by", "", shown).replace("`", "")
        for message in messages:
            assert {field.strip() for field in fields.split(",")} <= logged[message]


def test_log_queries_read_the_log_that_functions_write_to():
    """The dashboard's queries search the one log group that all functions share."""
    for function in Stack().functions().values():
        assert function["LoggingConfig"]["LogGroup"] == {"Ref": "FunctionLogs"}
