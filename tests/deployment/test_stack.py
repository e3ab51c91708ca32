"""The resources of the deployed stack."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from tests.deployment.ground import REGION
from tests.deployment.sam import LEFT_OUT, Deployed
from tests.infrastructure.stack import Stack

ACCOUNT = "0" * 12
ARN = f"arn:aws:{{}}:{REGION}:{ACCOUNT}:{{}}"
OUTPUTS = {
    "ApiUrl": rf"https://\w+\.execute-api\.{REGION}\.amazonaws\.com",
    "FirstQuotes": rf"curl 'https://\w+\.execute-api\.{REGION}\.amazonaws\.com/v1/quotes\?symbols=.+'",
    "PutProviderKeys": rf"aws secretsmanager put-secret-value --region {REGION} --secret-id \S+ .+",
    "RefreshAssetLists": rf"aws stepfunctions start-execution --region {REGION} .+",
    "ReadLogs": rf"aws logs tail /aws/lambda/market-data --region {REGION} --follow",
    "DashboardUrl": rf"https://{REGION}\.console\.aws\.amazon\.com/\S+market-data-{REGION}",
    "AlarmTopicArn": ARN.format("sns", ".+"),
    "PriceLoopArn": ARN.format("states", "stateMachine:.+"),
    "AssetRefreshArn": ARN.format("states", "stateMachine:.+"),
    "ProviderKeysArn": ARN.format("secretsmanager", "secret:.+"),
    "ArchiveBucketName": r"[a-z0-9-]{3,63}",
    "DeadLettersUrl": rf"https?://\S+/{ACCOUNT}/\S+",
    "FunctionsSecurityGroupId": r"sg-[0-9a-f]+",
}


@pytest.fixture(scope="module")
def expected(given: dict[str, str]) -> Stack:
    """The resources of the template for these parameters, as the tests compute them."""
    return Stack(**given)


def test_every_resource_is_complete(stack: Deployed, expected: Stack):
    """Each resource of the template for these parameters exists and is CREATE_COMPLETE."""
    statuses = {name: entry["ResourceStatus"] for name, entry in stack.resources.items()}
    assert set(statuses.values()) == {"CREATE_COMPLETE"}, statuses
    made = {
        name: resource
        for name, resource in expected.resources.items()
        if resource["Type"] not in LEFT_OUT
    }
    wanted = Counter(resource["Type"] for resource in made.values())
    assert Counter(entry["ResourceType"] for entry in stack.resources.values()) == wanted
    # The names of layers end with a hash of their content.
    layers = expected.of_type("AWS::Lambda::LayerVersion").keys()
    assert made.keys() - layers <= stack.resources.keys()


def test_outputs_have_their_forms(stack: Deployed, expected: Stack):
    """The stack has each output of the template, each in its form."""
    assert stack.outputs.keys() == expected.outputs.keys() == OUTPUTS.keys()
    for name, form in OUTPUTS.items():
        assert re.fullmatch(form, stack.outputs[name]), (name, stack.outputs[name])


def test_alarms_watch_and_tell(stack: Deployed, expected: Stack):
    """Each alarm has its name, a metric of an existing resource, and notifies the topic."""
    client = stack.client("cloudwatch")
    found = {
        alarm["AlarmName"]: alarm
        for page in client.get_paginator("describe_alarms").paginate(AlarmNamePrefix=stack.name)
        for alarm in page["MetricAlarms"]
    }
    wanted = expected.of_type("AWS::CloudWatch::Alarm")
    assert found.keys() == {stack.id(name) for name in wanted}
    ids = {entry["PhysicalResourceId"] for entry in stack.resources.values()}
    ids |= {stack.name, *(stack.outputs["DeadLettersUrl"].rpartition("/")[2:])}
    for name, properties in wanted.items():
        alarm = found[stack.id(name)]
        assert alarm["AlarmActions"] == alarm["OKActions"] == [stack.outputs["AlarmTopicArn"]]
        assert alarm["MetricName"] == properties["MetricName"]
        assert alarm["TreatMissingData"] == properties["TreatMissingData"]
        dimensions = {entry["Name"]: entry["Value"] for entry in alarm["Dimensions"]}
        dimensions.pop("asset_class", None)
        assert set(dimensions.values()) <= ids, (name, dimensions)


def test_dashboard_is_whole(stack: Deployed):
    """The dashboard is JSON without a substitution left, and shows each alarm."""
    client = stack.client("cloudwatch")
    body = client.get_dashboard(DashboardName=stack.id("Dashboard"))["DashboardBody"]
    assert "${" not in body
    widgets = json.loads(body)["widgets"]
    shown = {
        arn
        for widget in widgets
        if widget["type"] == "alarm"
        for arn in widget["properties"]["alarms"]
    }
    alarms = client.describe_alarms(AlarmNamePrefix=stack.name, MaxRecords=100)["MetricAlarms"]
    assert shown == {alarm["AlarmArn"] for alarm in alarms}


def test_state_machines_call_their_functions(stack: Deployed):
    """The definitions have no substitution left, and call the functions of the stack."""
    client = stack.client("stepfunctions")
    for machine, functions in {
        "PriceLoop": {"PlanQuotes", "FetchQuotes", "CommitQuotes"},
        "AssetRefresh": {"PlanAssets", "FetchAssets", "CommitAssets"},
    }.items():
        described = client.describe_state_machine(stateMachineArn=stack.id(machine))
        assert "${" not in described["definition"]
        called = set(re.findall(r'"FunctionName": ?"([^"]+)"', described["definition"]))
        assert called == {stack.function(name)["FunctionArn"] for name in functions}
        assert described["roleArn"].endswith(stack.id(f"{machine}Role"))


def test_schedules_start_the_machines(stack: Deployed):
    """The loop starts each minute and the refresh each ten; failures go to the queue."""
    client = stack.client("scheduler")
    for name, machine, expression in (
        ("PriceLoopEachMinute", "PriceLoop", "cron(* * * * ? *)"),
        ("AssetRefreshEachTenMinutes", "AssetRefresh", "cron(0/10 * * * ? *)"),
    ):
        described = client.get_schedule(Name=stack.id(name))
        assert described["ScheduleExpression"] == expression
        assert described["State"] == "ENABLED"
        assert described["Target"]["Arn"] == stack.id(machine)
        assert described["Target"]["RoleArn"].endswith(stack.id("ScheduleRole"))
        queue = described["Target"]["DeadLetterConfig"]["Arn"].rpartition(":")[2]
        assert stack.outputs["DeadLettersUrl"].endswith(f"/{queue}")


def test_functions_have_no_key(stack: Deployed, expected: Stack):
    """No function has a provider's key in its environment; all logs expire after 14 days."""
    for name in expected.functions():
        described = stack.function(name)
        assert not [
            given for given in described["Environment"]["Variables"] if "KEY" in given.split("_")
        ]
        assert described["LoggingConfig"]["LogGroup"] == stack.id("FunctionLogs")
    groups = stack.client("logs").describe_log_groups()["logGroups"]
    assert {group["logGroupName"]: group["retentionInDays"] for group in groups} == {
        stack.id(name): 14 for name in ("FunctionLogs", "PriceLoopLogs", "ApiAccessLogs")
    }


def test_bucket_is_closed(stack: Deployed):
    """The archive is encrypted, versioned and private, and it denies requests without TLS."""
    bucket, client = {"Bucket": stack.outputs["ArchiveBucketName"]}, stack.client("s3")
    rules = client.get_bucket_encryption(**bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert [rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] for rule in rules] == [
        "AES256"
    ]
    assert client.get_bucket_versioning(**bucket)["Status"] == "Enabled"
    closed = client.get_public_access_block(**bucket)["PublicAccessBlockConfiguration"]
    assert set(closed.values()) == {True}
    (statement,) = json.loads(client.get_bucket_policy(**bucket)["Policy"])["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_queue_and_topic_are_there(stack: Deployed):
    """The queue of dead letters is empty and encrypted, and the topic has no subscriber yet."""
    described = stack.client("sqs").get_queue_attributes(
        QueueUrl=stack.outputs["DeadLettersUrl"], AttributeNames=["All"]
    )["Attributes"]
    assert described["SqsManagedSseEnabled"] == "true"
    assert described["ApproximateNumberOfMessages"] == "0"
    topic = {"TopicArn": stack.outputs["AlarmTopicArn"]}
    assert not stack.client("sns").list_subscriptions_by_topic(**topic)["Subscriptions"]


def test_parameters_are_checked_first(stack: Deployed, given: dict[str, str]):
    """Parameters that do not fit together fail before a resource is made."""
    client = stack.client("cloudformation")
    incomplete = {**given, "ExistingRedisHost": ""}
    with pytest.raises(
        client.exceptions.ClientError, match="CacheMode=existing needs ExistingRedisHost"
    ):
        client.create_change_set(
            StackName="incomplete",
            ChangeSetName="first",
            ChangeSetType="CREATE",
            **stack.source(incomplete),
        )
