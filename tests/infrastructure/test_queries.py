"""The queries that the stack saves in CloudWatch Logs Insights."""

from __future__ import annotations

import re

import pytest

from marketdata.observability.metrics import METRICS
from tests.infrastructure.stack import ROOT, Stack

QUERIES = {
    query["Name"].removeprefix("a-stack/"): query
    for query in Stack().of_type("AWS::Logs::QueryDefinition").values()
}
OPERATING = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")


def test_the_stack_saves_the_queries_that_an_operator_needs():
    """One slot, one request, slow providers and cold starts each have a saved query."""
    assert QUERIES.keys() == {"one slot", "one request", "slowest provider calls", "cold starts"}


@pytest.mark.parametrize("name", QUERIES)
def test_a_saved_query_is_named_in_the_guide(name):
    """docs/operating.md names each query as the console shows it."""
    assert f"`<stack>/{name}`" in OPERATING


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_searches_log_groups_of_the_stack(name):
    """Each log group of a query is one that the stack makes."""
    groups = Stack().of_type("AWS::Logs::LogGroup")
    asked = [group["Ref"] for group in QUERIES[name]["LogGroupNames"]]
    assert asked
    assert set(asked) <= groups.keys()
    assert ("ApiAccessLogs" in asked) == (name == "one request")


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_is_made_of_commands_that_there_are(name):
    """Every stage begins with a command of the query language."""
    for stage in re.split(r"\n\| ", QUERIES[name]["QueryString"]):
        assert re.match(r"(fields|filter|parse|sort|stats|limit) ", stage), stage


def test_a_slot_is_found_in_a_line_and_no_other_slot_is():
    """The pattern finds a slot in JSON and in the text of an error, and no other number."""
    (pattern,) = re.findall(r"like /(.+)/", QUERIES["one slot"]["QueryString"])
    for line in (
        '{"level":"INFO","slot":1763820300,"job":"a"}',
        '{"slot": 1763820300}',
        '{"errorMessage": "Redis does not answer (slot 1763820300, job a)"}',
    ):
        assert re.search(pattern, line)
    for line in ('{"slot":17638203001}', '{"slot":1763820305}', '{"claimed":1763820300}'):
        assert not re.search(pattern, line)


def test_provider_calls_are_looked_up_by_a_metric_that_exists():
    """The query takes the first value in the list of a metric of the table."""
    names = re.findall(r"(\w+)\.0", QUERIES["slowest provider calls"]["QueryString"])
    assert names
    assert set(names) <= {metric.name for metric in METRICS}
