from __future__ import annotations

from marketdata.observability.metrics import METRICS, NAMESPACE
from tests.deployment.logs import Logs
from tests.deployment.minute import Minute
from tests.deployment.sam import Deployed


def test_every_line_is_json(logs: Logs):
    """All that our functions log is JSON, one object a line."""
    for line in logs.lines():
        assert isinstance(line, dict)


def test_nothing_goes_wrong(minute: Minute, logs: Logs):
    """In the minute that was watched nothing is logged as a warning or an error."""
    wrong = [
        line
        for line in logs.lines()
        if line.get("level") in ("WARNING", "ERROR") and line.get("slot", 0) >= minute.start_s
    ]
    assert not wrong


def test_metrics_are_written(stack: Deployed, logs: Logs):
    """Every metric has lines in the embedded metric format, with the stack as its service."""
    written = [line for line in logs.lines() if "_aws" in line]
    names = set()
    for line in written:
        assert line["service"] == stack.name
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == NAMESPACE
        names |= {metric["Name"] for metric in directive["Metrics"]}
    assert names == {metric.name for metric in METRICS}


def test_requests_are_logged(logs: Logs):
    """Each request of the api has a line with its route, its status and its metrics."""
    requests = [line for line in logs.lines() if line.get("message") == "request"]
    assert requests
    assert {line["status"] for line in requests} == {200}
    for line in requests:
        assert "ApiLatency" in line


def test_no_secret_is_logged(stack: Deployed, logs: Logs, keys: dict[str, str]):
    """No key of a provider is in any line of the log, nor in the emulator's own."""
    everything = "\n".join((*logs.messages, *logs.lambdas_own, stack.ground.emulator.log()))
    for key in keys.values():
        assert key not in everything
