"""Differences between MiniStack and AWS; a test shows that each still exists.

A test here fails when a newer MiniStack behaves like AWS. Then the test is removed, and another
test can check the behaviour itself. docs/deploying.md lists the same differences.
"""

from __future__ import annotations

import json

import pytest

from tests.deployment.logs import Logs
from tests.deployment.minute import Minute
from tests.deployment.sam import Deployed

UNKNOWN_TYPES = {
    "AWS::ElastiCache::ServerlessCache": {"ServerlessCacheName": "cache", "Engine": "valkey"},
    "AWS::EC2::SecurityGroupEgress": {"GroupId": "sg-11111111", "IpProtocol": "-1"},
    "AWS::Logs::QueryDefinition": {"Name": "one slot", "QueryString": "fields @message"},
}
DENIED = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Action": "lambda:InvokeFunction", "Resource": "*"}],
}


def test_the_scheduled_time_is_not_put_in(stack: Deployed, minute: Minute):
    """Gap: the schedule starts the loop with a placeholder in place of the time."""
    machines = stack.client("stepfunctions")
    started = machines.list_executions(stateMachineArn=stack.id("PriceLoop"))["executions"]
    inputs = [
        machines.describe_execution(executionArn=entry["executionArn"])["input"]
        for entry in started
        if entry["status"] == "FAILED"
    ]
    assert {json.loads(given)["scheduled"] for given in inputs} == {
        "<aws.scheduler.scheduled-time>"
    }


def test_routes_are_not_read(routes: list[str]):
    """Gap: the HTTP API has no route, because MiniStack does not read the document."""
    assert routes == []


def test_functions_run_on_another_python(stack: Deployed, minute: Minute):
    """Gap: functions for Python 3.13 run on the emulator's Python."""
    assert stack.function("PlanQuotes")["Runtime"] == "python3.13"
    major, minor, _ = stack.ground.emulator.python().split(".", 2)
    libraries = (stack.ground.folder / "build" / "YahooLayer").rglob("*.cpython-*.so")
    assert {path.name.split(".")[1].split("-")[1] for path in libraries} == {f"{major}{minor}"}


def test_failures_of_the_loop_are_not_logged(stack: Deployed, minute: Minute):
    """Gap: Step Functions logs nothing to the group that the state machine names."""
    streams = stack.client("logs").describe_log_streams(logGroupName=stack.id("PriceLoopLogs"))
    assert streams["logStreams"] == []


def test_metric_lines_make_no_metrics(stack: Deployed, logs: Logs):
    """Gap: CloudWatch makes no metrics of the lines in its format, so no alarm has data."""
    assert stack.client("cloudwatch").list_metrics(Namespace="MarketData")["Metrics"] == []


def test_lambdas_own_lines_are_text(logs: Logs):
    """Gap: Lambda's START, END and REPORT are text and not JSON, at any SystemLogLevel."""
    assert {line.partition(" ")[0] for line in logs.lambdas_own} == {"START", "END", "REPORT"}


@pytest.mark.parametrize("kind", UNKNOWN_TYPES)
def test_some_types_cannot_be_made(stack: Deployed, kind: str):
    """Gap: MiniStack has no serverless cache, no egress rule as a resource and no saved query."""
    stacks = stack.client("cloudformation")
    resource = {"Type": kind, "Properties": UNKNOWN_TYPES[kind]}
    template = json.dumps({"Resources": {"It": resource}})
    with pytest.raises(stacks.exceptions.ClientError, match="Unrecognized resource types"):
        stacks.create_stack(StackName="of-one", TemplateBody=template)


def test_a_secrets_ref_is_its_name(stack: Deployed):
    """Gap: `Ref` of a secret is its name and not its ARN; `Id` is its ARN, as on AWS."""
    assert stack.outputs["ProviderKeysArn"].startswith("arn:")
    assert not stack.id("ProviderKeys").startswith("arn:")


def test_errors_have_one_name(stack: Deployed):
    """Gap: each error of a function is a Runtime.HandlerError, so no Retry matches its class."""
    answer = stack.client("lambda").invoke(FunctionName=stack.id("PlanQuotes"), Payload=b"{}")
    assert answer["FunctionError"]
    assert json.loads(answer["Payload"].read())["errorType"] == "Runtime.HandlerError"


def test_roles_of_machines_are_not_asked(stack: Deployed, minute: Minute):
    """Gap: a state machine may call functions that its role denies."""
    role = {"RoleName": stack.id("AssetRefreshRole"), "PolicyName": "denied"}
    rights = stack.client("iam")
    rights.put_role_policy(**role, PolicyDocument=json.dumps(DENIED))
    stack.invoke("PlanAssets", {})  # a cold start on a busy machine exceeds the state's timeout
    ended = stack.finished(stack.start("AssetRefresh"), timeout_s=60)
    rights.delete_role_policy(**role)
    assert ended["status"] == "SUCCEEDED", ended.get("cause")


def test_security_groups_let_everything_through(stack: Deployed, minute: Minute):
    """Gap: functions reach a Redis that their security group does not allow."""
    (group,) = stack.client("ec2").describe_security_groups(
        GroupIds=[stack.outputs["FunctionsSecurityGroupId"]]
    )["SecurityGroups"]
    for rule in group["IpPermissionsEgress"]:
        assert not rule["IpRanges"]  # 127.0.0.1 is in no group
    assert minute.readings
