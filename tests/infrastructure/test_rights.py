"""The rights of the stack's roles, and what is kept secret and private."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.infrastructure.stack import EXISTING, Stack, statements, template
from tests.infrastructure.watched import every_stack

# Step Functions needs these to deliver logs. IAM cannot limit them to a resource.
LOG_DELIVERY = {
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
}
# IAM cannot limit traces to a resource either.
TRACES = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
SAMPLING = {"xray:GetSamplingRules", "xray:GetSamplingTargets"}
TRACED = {"PlanQuotes", "FetchQuotes", "CommitQuotes"}
IN_VPC = {"PlanQuotes", "CommitQuotes", "PlanAssets", "CommitAssets", "Api"}
OUTSIDE = {"FetchQuotes", "FetchAssets"}


def policies_of(stack: Stack, role: str) -> Iterator[dict[str, Any]]:
    """The statements of a role: its own, and those of the stack's policies that it has."""
    properties = stack.resources[role]["Properties"]
    for policy in properties.get("Policies", ()):
        yield from statements(policy["PolicyDocument"])
    for attached in properties.get("ManagedPolicyArns", ()):
        if isinstance(attached, dict):
            yield from statements(stack.resources[attached["Ref"]]["Properties"]["PolicyDocument"])


def role_of(function: dict[str, Any]) -> str:
    """The logical id of a function's role."""
    return function["Role"]["Fn::GetAtt"][0]


def allowed(stack: Stack, function: str) -> set[str]:
    """Every action that a function may take."""
    role = role_of(stack.functions()[function])
    return {
        action
        for statement in policies_of(stack, role)
        if statement["Effect"] == "Allow"
        for action in statement["Action"]
    }


@every_stack
def test_the_functions_are_on_their_sides(parameters):
    """Functions that use the cache are in the VPC; functions that reach providers are not."""
    functions = Stack(**parameters).functions()
    assert {name for name, function in functions.items() if "VpcConfig" in function} == IN_VPC
    assert functions.keys() == IN_VPC | OUTSIDE


@every_stack
def test_no_role_may_do_anything_everywhere(parameters):
    """Only log delivery and traces, which IAM cannot limit to a resource, have `*`."""
    stack = Stack(**parameters)
    for role in stack.of_type("AWS::IAM::Role"):
        for statement in policies_of(stack, role):
            if statement["Effect"] == "Allow" and "*" in statement["Resource"]:
                actions = set(statement["Action"])
                if role == "PriceLoopRole":
                    assert actions in (LOG_DELIVERY, TRACES | SAMPLING)
                else:
                    assert actions == TRACES
            assert not any("*" in action for action in statement["Action"])


@every_stack
def test_every_resource_is_one_of_the_stack(parameters):
    """Each right is limited to a resource of the stack, or to the cache of the parameters."""
    stack = Stack(**parameters)
    for role in stack.of_type("AWS::IAM::Role"):
        for statement in policies_of(stack, role):
            for resource in statement["Resource"]:
                text = json.dumps(resource)
                names_own = any(
                    f'"{name}"' in text or f"${{{name}" in text for name in stack.resources
                )
                names_given = any(f":{name}" in text for name in ("prices", "reader"))
                exempt = statement["Effect"] == "Deny" or resource == "*"
                assert names_own or names_given or exempt, resource


@every_stack
def test_the_fetch_side_has_no_way_into_the_cache(parameters):
    """The roles of the fetch side have no right to ElastiCache, EC2 or the VPC."""
    for function in OUTSIDE:
        services = {action.split(":")[0] for action in allowed(Stack(**parameters), function)}
        assert services <= {"logs", "secretsmanager", "s3", "xray"}


@every_stack
def test_the_cache_side_has_no_way_to_the_keys(parameters):
    """In the VPC no role may read secrets or parameters, and only commit_assets may read S3."""
    stack = Stack(**parameters)
    for function in IN_VPC:
        services = {action.split(":")[0] for action in allowed(stack, function)}
        own = {"logs", "elasticache"} | ({"s3"} if function == "CommitAssets" else set())
        assert services - {"xray"} == own, function


@every_stack
def test_the_price_loop_is_traced_and_nothing_else(parameters):
    """Only the price loop and its three functions are traced, and may write traces."""
    stack = Stack(**parameters)
    machines = stack.of_type("AWS::StepFunctions::StateMachine")
    traced = {name: one.get("TracingConfiguration") for name, one in machines.items()}
    assert traced == {"PriceLoop": {"Enabled": True}, "AssetRefresh": None}
    functions = stack.functions()
    active = {name for name, one in functions.items() if one.get("TracingConfig")}
    assert active == TRACED
    assert {functions[name]["TracingConfig"]["Mode"] for name in TRACED} == {"Active"}
    may = {name for name in functions if allowed(stack, name) >= TRACES}
    assert may == TRACED


def test_without_iam_nobody_signs_in_to_the_cache():
    """A Redis without IAM authentication needs no right, so there is none."""
    stack = Stack(**EXISTING | {"ExistingRedisAuth": "none"})
    assert not any("elasticache" in action for name in IN_VPC for action in allowed(stack, name))


def test_the_network_rights_of_lambda_are_not_those_of_the_code():
    """The right to join the VPC, which Lambda needs, is denied to the function's code."""
    stack = Stack()
    for function in IN_VPC:
        role = role_of(stack.functions()[function])
        (denial,) = [s for s in policies_of(stack, role) if s["Effect"] == "Deny"]
        assert "ec2:CreateNetworkInterface" in denial["Action"]
        assert "lambda:SourceFunctionArn" in denial["Condition"]["ArnLike"]


def test_managed_policies_of_aws_are_only_those_for_joining_a_vpc():
    """The only managed policy of AWS that a role has is the one for joining a VPC."""
    foreign = {
        policy
        for role in Stack().of_type("AWS::IAM::Role").values()
        for policy in role.get("ManagedPolicyArns", ())
        if isinstance(policy, str)
    }
    assert foreign == {"arn:aws:iam::aws:policy/service-role/AWSLambdaENIManagementAccess"}


def test_every_role_is_written_in_the_template():
    """The SAM transform adds no role."""
    added = Stack().of_type("AWS::IAM::Role").keys() - template()["Resources"].keys()
    assert not added


def test_roles_of_services_trust_this_account_only():
    """The roles of services trust this account alone."""
    for name in ("PriceLoopRole", "AssetRefreshRole", "ScheduleRole"):
        role = Stack().resources[name]["Properties"]
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Condition"]["StringEquals"] == {
            "aws:SourceAccount": {"Ref": "AWS::AccountId"}
        }


def test_machines_invoke_their_own_functions_only():
    """Each state machine may call its three functions."""
    stack = Stack()
    for role, kind in (("PriceLoopRole", "Quotes"), ("AssetRefreshRole", "Assets")):
        resources = [
            resource["Fn::GetAtt"]
            for statement in policies_of(stack, role)
            if statement["Action"] == ["lambda:InvokeFunction"]
            for resource in statement["Resource"]
        ]
        assert resources == [[f"{step}{kind}", "Arn"] for step in ("Plan", "Fetch", "Commit")]


def test_no_secret_is_in_the_template():
    """The template has no key: none in the environment, an empty secret, no resolved one."""
    for function in Stack().functions().values():
        names = function["Environment"]["Variables"].keys()
        assert not [name for name in names if name.endswith(("_API_KEY", "_PASSWORD"))]
    assert Stack().resources["ProviderKeys"]["Properties"]["SecretString"] == "{}"
    assert "{{resolve:" not in json.dumps(template())


def test_every_log_is_kept_for_a_time():
    """Each log group has its retention, and each function writes to one of them."""
    stack = Stack(LogRetentionDays="30")
    groups = stack.of_type("AWS::Logs::LogGroup")
    assert groups
    assert {group["RetentionInDays"] for group in groups.values()} == {"30"}
    for function in stack.functions().values():
        assert function["LoggingConfig"]["LogGroup"]["Ref"] in groups


def test_the_archive_is_closed():
    """The bucket is encrypted, private and versioned, expires old objects and requires TLS."""
    stack = Stack()
    bucket = stack.resources["ArchiveBucket"]["Properties"]
    assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["LifecycleConfiguration"]["Rules"]
    policy = stack.resources["ArchiveBucketPolicy"]["Properties"]["PolicyDocument"]
    (statement,) = statements(policy)
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
