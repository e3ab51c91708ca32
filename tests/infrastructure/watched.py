"""The metrics that the dashboard and the alarms of a stack name, as CloudWatch reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.infrastructure.stack import EXISTING, NODES, OWN, Stack

every_stack = pytest.mark.parametrize(
    "parameters", [OWN, NODES, EXISTING], ids="own nodes existing".split()
)


@dataclass(frozen=True)
class Named:
    """One metric that a widget or an alarm names, and its statistic over a period."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    statistic: str


def alarms_of(stack: Stack) -> dict[str, Any]:
    """The alarms by the names of their runbooks."""
    return {
        alarm["AlarmName"].removeprefix("a-stack-"): alarm
        for alarm in stack.of_type("AWS::CloudWatch::Alarm").values()
    }


def named_by(alarm: dict[str, Any]) -> Iterator[Named]:
    """The metrics of an alarm."""
    for query in alarm.get("Metrics") or [{"MetricStat": {"Metric": alarm, **alarm}}]:
        if "MetricStat" in query:
            stat = query["MetricStat"]
            yield Named(
                stat["Metric"]["Namespace"],
                stat["Metric"]["MetricName"],
                tuple((d["Name"], place(d["Value"])) for d in stat["Metric"]["Dimensions"]),
                stat.get("Stat") or stat["Statistic"],
            )


def place(value: Any) -> str:
    """A value that only AWS knows, written as `${...}` with the name of its resource."""
    if isinstance(value, str):
        return value
    if "Ref" in value:
        return f"${{{value['Ref']}}}"
    if "Fn::GetAtt" in value:
        return f"${{{'.'.join(value['Fn::GetAtt'])}}}"
    return str(value["Fn::Sub"])


def dashboard_of(stack: Stack) -> dict[str, Any]:
    """The body of the dashboard, parsed; what only AWS knows is in it as `${...}`."""
    (dashboard,) = stack.of_type("AWS::CloudWatch::Dashboard").values()
    text, parts = dashboard["DashboardBody"]["Fn::Sub"]
    for name, part in parts.items():
        text = text.replace(f"${{{name}}}", part if isinstance(part, str) else part["Fn::Sub"])
    body: dict[str, Any] = json.loads(stack._substituted(text))
    return body


def widgets_of(stack: Stack, kind: str) -> list[dict[str, Any]]:
    """The properties of the dashboard's widgets of a kind."""
    return [w["properties"] for w in dashboard_of(stack)["widgets"] if w["type"] == kind]


def shown_by(widget: dict[str, Any]) -> Iterator[Named]:
    """The metrics of a widget, with CloudWatch's marks for what repeats written out."""
    before: list[str] = []
    for line in widget["metrics"]:
        parts = [part for part in line if isinstance(part, str)]
        options: dict[str, Any] = next((part for part in line if isinstance(part, dict)), {})
        if parts[0] == "...":
            parts = [*before[: len(before) - len(parts) + 1], *parts[1:]]
        parts = [before[at] if part == "." else part for at, part in enumerate(parts)]
        before = parts
        namespace, name, *rest = parts
        dimensions = tuple(zip(rest[::2], rest[1::2], strict=True))
        yield Named(namespace, name, dimensions, options.get("stat") or widget["stat"])


def ours(named: Named) -> tuple[Any, ...]:
    """One of our series as in the table."""
    dimensions = dict(named.dimensions)
    assert dimensions.pop("service") == "a-stack"
    return (named.name, *sorted(dimensions.items()))


def all_shown(stack: Stack) -> list[Named]:
    """Every metric of the dashboard."""
    return [named for widget in widgets_of(stack, "metric") for named in shown_by(widget)]


def all_alarmed(stack: Stack) -> list[Named]:
    """Every metric of an alarm."""
    return [named for alarm in alarms_of(stack).values() for named in named_by(alarm)]
