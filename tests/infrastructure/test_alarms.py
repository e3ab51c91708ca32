"""The alarms: their conditions, their recipients, their price and their runbooks."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from local.bill import usage
from marketdata.lists.planning import SCHEDULE_SLACK_MS
from marketdata.observability.metrics import API_FAILED, NAMESPACE
from tests.infrastructure.stack import EXISTING, NODES, OWN, ROOT, Stack
from tests.infrastructure.watched import alarms_of, all_alarmed, every_stack, widgets_of
from tests.support.metric_lines import TABLE

# How many metrics are alarmed on, of which 10 are free and the rest is 0.10 USD a month each.
MOST_ALARM_METRICS = 21


def test_a_serverless_cache_is_full_at_what_it_may_hold():
    """The alarm for a full cache computes the percentage of CacheMaximumGB."""
    alarm = alarms_of(Stack(CacheMaximumGB="7"))["cache-full"]
    (expression,) = [query["Expression"] for query in alarm["Metrics"] if "Expression" in query]
    assert expression == "100 * bytes / (7 * 1000000000)"
    assert alarm["Threshold"] == 80


@pytest.mark.parametrize(("parameters", "nodes"), [(OWN, 1), (NODES, 2)], ids="own nodes".split())
def test_a_cache_of_ours_is_watched_for_room(parameters, nodes):
    """Evictions and used memory of every node have an alarm."""
    watched = Counter(n.name for n in all_alarmed(Stack(**parameters)) if "Cache" in n.namespace)
    full = "BytesUsedForCache" if parameters is OWN else "DatabaseMemoryUsagePercentage"
    assert watched.pop("Evictions") == watched.pop(full) == nodes
    assert watched == ({"ThrottledCmds": 1} if parameters is OWN else {})


@every_stack
def test_alarm_expressions_name_the_metrics_beside_them(parameters):
    """An alarm with an expression uses each of its metrics and judges one result."""
    for alarm in alarms_of(Stack(**parameters)).values():
        queries = alarm.get("Metrics", ())
        for expression in (query["Expression"] for query in queries if "Expression" in query):
            names = set(re.findall(r"[a-z]+", expression))
            assert names == {query["Id"] for query in queries if "MetricStat" in query}
        assert sum(query.get("ReturnData", True) for query in queries) == (1 if queries else 0)


@every_stack
def test_missing_data_is_an_alarm_only_for_ages(parameters):
    """Missing data is an alarm only for the ages, which the loop writes each minute."""
    for name, alarm in alarms_of(Stack(**parameters)).items():
        silent = "breaching" if name.endswith("-old") else "notBreaching"
        assert alarm["TreatMissingData"] == silent


def test_ages_are_judged_by_the_time_to_live_of_quotes():
    """An age alarm begins when prices have been stale by QuoteTtl for three minutes."""
    alarm = alarms_of(Stack(QuoteTtl="120"))["stocks-are-old"]
    assert (alarm["Threshold"], alarm["ComparisonOperator"]) == ("120", "GreaterThanThreshold")
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (60, 3)
    widget = next(w for w in widgets_of(Stack(QuoteTtl="120"), "metric") if "oldest" in w["title"])
    assert widget["annotations"]["horizontal"][0]["value"] == 120


@pytest.mark.parametrize(("state", "is_active"), [("ENABLED", True), ("DISABLED", False)])
def test_a_loop_that_was_switched_off_raises_no_alarm(state, is_active):
    """With ScheduleState=DISABLED the age alarms have no actions."""
    alarms = alarms_of(Stack(ScheduleState=state))
    assert {alarms[name]["ActionsEnabled"] for name in alarms if name.endswith("-old")} == {
        is_active
    }


@every_stack
def test_every_alarm_notifies_the_topic_at_its_start_and_its_end(parameters):
    """Each alarm notifies the topic when it begins and when it ends."""
    for alarm in alarms_of(Stack(**parameters)).values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "AlarmTopic"}]
        assert alarm["AlarmDescription"].endswith(".")


def test_the_topic_mails_to_those_who_want_it():
    """AlarmEmail makes a subscription of the topic; without an address there is none."""
    assert not Stack().of_type("AWS::SNS::Subscription")
    stack = Stack(AlarmEmail="me@example.com")
    (subscription,) = stack.of_type("AWS::SNS::Subscription").values()
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "me@example.com")
    assert stack.of_type("AWS::SNS::Topic")


def test_the_bill_counts_what_the_template_has():
    """The memory of the functions, the metrics and the alarms are those that are deployed."""
    stack = Stack()
    memory = {name: function["MemorySize"] for name, function in stack.functions().items()}
    counted = {
        "PlanQuotes": usage.PLAN_MB,
        "FetchQuotes": usage.FETCH_MB,
        "CommitQuotes": usage.COMMIT_MB,
        "Api": usage.API_MB,
    }
    assert {name: memory[name] for name in counted} == counted
    assert len(TABLE) == usage.METRIC_SERIES
    assert len(all_alarmed(stack)) == usage.ALARM_COUNT


@every_stack
def test_alarms_cost_no_more_than_documented(parameters):
    """All alarms together watch at most MOST_ALARM_METRICS metrics."""
    assert len(all_alarmed(Stack(**parameters))) <= MOST_ALARM_METRICS


def test_every_alarm_has_its_runbook_and_every_runbook_its_alarm():
    """Each alarm has a runbook that says what it means, what to look at and what to do."""
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    _, _, alarms = text.partition("\n## Alarms\n")
    alarms = re.split(r"\n## ", alarms)[0]
    sections = dict(
        re.findall(
            r"^### ([a-z-]+(?:, [a-z-]+)*)\n(.*?)(?=^### |\Z)", alarms, re.MULTILINE | re.DOTALL
        )
    )
    described = [name for title in sections for name in title.split(", ")]
    known = alarms_of(Stack(**OWN)) | alarms_of(Stack(**NODES))
    assert sorted(described) == sorted(known)
    for section in sections.values():
        for part in ("**It means**", "**Look at**", "**Do**"):
            assert section.count(part) == 1


def test_everything_that_can_stand_still_or_fail_has_an_alarm():
    """Prices, loop, refresh, steps, schedules and API have alarms, also with an existing cache."""
    assert sorted(alarms_of(Stack(**EXISTING))) == sorted(
        """
        stocks-are-old crypto-is-old forex-is-old loop-fails loop-late refresh-fails refresh-late
        plan-fails fetch-fails commit-fails plan-throttled fetch-throttled commit-throttled
        api-throttled api-crashes dead-letters api-fails
        """.split()
    )


def test_the_alarm_of_the_refresh_lasts_between_two_failing_executions():
    """A list that is overdue fails an execution every ten minutes, so the alarm has no gap."""
    alarm = alarms_of(Stack())["refresh-fails"]
    assert (alarm["MetricName"], alarm["DatapointsToAlarm"]) == ("ExecutionsFailed", 1)
    lasts_s = alarm["Period"] * alarm["EvaluationPeriods"]
    # The first failure is up to a slack before the list is overdue, and a round may come late.
    assert lasts_s > SCHEDULE_SLACK_MS / 1000 + 2 * 600 + 60


def test_a_few_errors_raise_no_alarm():
    """A step may fail twice in five minutes; of the API's requests a tenth may fail."""
    alarms = alarms_of(Stack())
    for step in ("plan", "fetch", "commit"):
        alarm = alarms[f"{step}-fails"]
        assert (alarm["Threshold"], alarm["Period"]) == (3, 300)
        assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"
    api = alarms["api-fails"]
    assert (api["Threshold"], api["ComparisonOperator"]) == (0.1, "GreaterThanThreshold")
    assert (api["DatapointsToAlarm"], api["EvaluationPeriods"]) == (4, 5)


def test_an_answer_with_the_reason_for_a_missing_price_raises_no_alarm():
    """The alarm of the API watches the share of failures that the API counts itself."""
    api = alarms_of(Stack())["api-fails"]
    assert (api["Namespace"], api["MetricName"]) == (NAMESPACE, API_FAILED.name)
    assert api["Statistic"] == "Average"


def test_an_api_that_ends_before_it_answers_raises_an_alarm():
    """An API that ends before its answer counts nothing, so Lambda's errors are watched."""
    crashes = alarms_of(Stack())["api-crashes"]
    assert (crashes["Namespace"], crashes["MetricName"]) == ("AWS/Lambda", "Errors")
    assert crashes["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": "Api"}}]
    assert (crashes["Threshold"], crashes["Period"]) == (3, 300)
