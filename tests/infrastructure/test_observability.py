"""The metrics of the dashboard and of the alarms are those of the code and of AWS."""

from __future__ import annotations

import re

from marketdata.observability.metrics import API_FAILED, METRICS, NAMESPACE
from tests.infrastructure.stack import EXISTING, ROOT, Stack
from tests.infrastructure.watched import (
    alarms_of,
    all_alarmed,
    all_shown,
    every_stack,
    ours,
)
from tests.support.metric_lines import TABLE

# What AWS itself measures of our resources: the dimension by which, the type of resource that it
# names, and the metrics, as each service documents them.
AWS_METRICS = {
    ("AWS/Lambda", "FunctionName"): (
        "AWS::Lambda::Function",
        "Invocations Errors Throttles Duration ConcurrentExecutions",
    ),
    ("AWS/States", "StateMachineArn"): (
        "AWS::StepFunctions::StateMachine",
        "ExecutionsStarted ExecutionsSucceeded ExecutionsFailed ExecutionsTimedOut ExecutionTime",
    ),
    ("AWS/SQS", "QueueName"): ("AWS::SQS::Queue", "ApproximateNumberOfMessagesVisible"),
    ("AWS/ApiGateway", "ApiId"): (
        "AWS::ApiGatewayV2::Api",
        "Count 4xx 5xx Latency IntegrationLatency DataProcessed",
    ),
    ("AWS/ElastiCache", "clusterId"): (
        "AWS::ElastiCache::ServerlessCache",
        "BytesUsedForCache Evictions ElastiCacheProcessingUnits ThrottledCmds CurrConnections",
    ),
    ("AWS/ElastiCache", "CacheClusterId"): (
        "AWS::ElastiCache::ReplicationGroup",
        "DatabaseMemoryUsagePercentage Evictions EngineCPUUtilization CurrConnections",
    ),
}
# The metrics that count events.
COUNTED = {metric.name for metric in METRICS if metric.unit == "Count"}


@every_stack
def test_the_dashboard_shows_every_series_that_the_code_measures_and_no_other(parameters):
    """The dashboard shows every series that the code writes, and no other."""
    shown = {
        ours(named) for named in all_shown(Stack(**parameters)) if named.namespace == NAMESPACE
    }
    assert shown == TABLE


@every_stack
def test_alarms_watch_series_that_the_code_measures(parameters):
    """The alarms on our metrics watch series that the code writes."""
    watched = [ours(n) for n in all_alarmed(Stack(**parameters)) if n.namespace == NAMESPACE]
    assert sorted(watched) == [
        ("ApiFailed",),
        *(("QuoteAge", ("asset_class", name)) for name in ("crypto", "forex", "stocks")),
    ]
    assert set(watched) <= TABLE


@every_stack
def test_other_metrics_are_ones_that_aws_has_of_our_resources(parameters):
    """Every other metric is one of AWS's, by one dimension, of a resource of the stack."""
    stack = Stack(**parameters)
    others = [n for n in all_shown(stack) + all_alarmed(stack) if n.namespace != NAMESPACE]
    assert others
    for named in others:
        ((dimension, value),) = named.dimensions
        kind, names = AWS_METRICS[named.namespace, dimension]
        assert named.name in names.split()
        logical = re.fullmatch(r"\$\{(\w+)(\.QueueName)?\}(-00[12])?", value)
        assert logical, value
        assert logical[1] in stack.of_type(kind)


def test_a_cache_that_is_not_ours_has_no_alarms_and_no_graphs():
    """An existing Redis has no alarms and graphs, except hits and misses of the api."""
    stack = Stack(**EXISTING)
    named = all_shown(stack) + all_alarmed(stack)
    assert not [one for one in named if one.namespace == "AWS/ElastiCache"]
    assert not [name for name in alarms_of(stack) if name.startswith("cache-")]
    assert "CacheHits" in {one.name for one in named}


@every_stack
def test_statistics_fit_their_metrics(parameters):
    """Counts are summed, and states and ages are maxima."""
    stack = Stack(**parameters)
    for named in all_shown(stack) + all_alarmed(stack):
        if named.name in COUNTED - {API_FAILED.name}:
            assert named.statistic == "Sum"
        if named.name in ("QuoteAge", "BreakerState"):
            assert named.statistic == "Maximum"
        # The average of ones and zeros is the share of failures among all requests.
        shares = "|Average" if named.name == API_FAILED.name else ""
        assert re.fullmatch(rf"Sum|SampleCount|Maximum|Minimum|p\d\d{shares}", named.statistic)


def test_every_metric_is_in_the_operators_table():
    """docs/operating.md lists each metric with unit, series and meaning, as in the code."""
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| (\d+) \| (.+) \|$", text, re.MULTILINE)
    assert rows == [
        (metric.name, metric.unit, str(len(metric.series)), metric.meaning) for metric in METRICS
    ]


def test_functions_name_the_stack_in_their_metrics():
    """Metrics name the stack, so two stacks in one account have different series."""
    for function in Stack().functions().values():
        assert function["Environment"]["Variables"]["METRICS_SERVICE"] == "a-stack"
