"""The network, the cache and the names of the stack."""

from __future__ import annotations

import json

import pytest

from tests.infrastructure.stack import EXISTING, NODES, OWN, Stack
from tests.infrastructure.watched import every_stack

NOTHING = "127.0.0.1/32"


def ways_out(stack: Stack) -> dict[str, list[tuple[str, str]]]:
    """Return what each security group may reach, as ports and targets."""
    rules = [
        (name, rule)
        for name, group in stack.of_type("AWS::EC2::SecurityGroup").items()
        for rule in group["SecurityGroupEgress"]
    ]
    rules += [
        (rule["GroupId"]["Fn::GetAtt"][0], rule)
        for rule in stack.of_type("AWS::EC2::SecurityGroupEgress").values()
    ]
    ways: dict[str, list[tuple[str, str]]] = {name: [] for name, _ in rules}
    for name, rule in rules:
        if rule.get("CidrIp") != NOTHING:
            assert rule["IpProtocol"] == "tcp"
            assert rule["FromPort"] == rule["ToPort"]
            targets = ("DestinationSecurityGroupId", "DestinationPrefixListId", "CidrIp")
            (target,) = [rule[key] for key in targets if key in rule]
            place = target if isinstance(target, str) else target["Fn::GetAtt"][0]
            ways[name].append((str(rule["FromPort"]), place))
    return ways


@pytest.mark.parametrize(
    ("parameters", "ways"),
    [
        (OWN, [("6379", "CacheSecurityGroup")]),
        (NODES, [("6379", "CacheSecurityGroup")]),
        (EXISTING, [("6380", "sg-11111111")]),
    ],
    ids="own nodes existing".split(),
)
def test_functions_reach_the_cache_and_nothing_else(parameters, ways):
    """The functions' security group has one rule out, to the cache's port."""
    assert ways_out(Stack(**parameters))["FunctionsSecurityGroup"] == ways


@pytest.mark.parametrize("parameters", [OWN, NODES], ids="own nodes".split())
def test_the_cache_reaches_nothing_and_is_reached_by_the_functions(parameters):
    """The cache's security group has one rule in, on its port, and none out."""
    stack = Stack(**parameters)
    assert ways_out(stack)["CacheSecurityGroup"] == []
    (rule,) = stack.resources["CacheSecurityGroup"]["Properties"]["SecurityGroupIngress"]
    assert (rule["FromPort"], rule["ToPort"]) == (6379, 6379)
    assert rule["SourceSecurityGroupId"]["Fn::GetAtt"][0] == "FunctionsSecurityGroup"


def test_only_the_function_that_reads_the_archive_reaches_s3():
    """Only commit_assets has the security group with a rule to port 443."""
    stack = Stack()
    groups = {
        name: [group["Fn::GetAtt"][0] for group in function["VpcConfig"]["SecurityGroupIds"]]
        for name, function in stack.functions().items()
        if "VpcConfig" in function
    }
    assert groups.pop("CommitAssets") == ["FunctionsSecurityGroup", "ArchiveSecurityGroup"]
    assert all(of_function == ["FunctionsSecurityGroup"] for of_function in groups.values())


def test_in_a_vpc_of_ones_own_the_way_to_s3_is_closed_by_its_addresses():
    """In an existing VPC commit_assets may reach the addresses of S3 alone."""
    assert ways_out(Stack(**EXISTING))["ArchiveSecurityGroup"] == [("443", "pl-11111111")]


def test_the_vpc_of_the_stack_leads_to_one_bucket():
    """The VPC has no gateway to the internet, and its endpoint allows the archive alone."""
    stack = Stack()
    kinds = {resource["Type"] for resource in stack.resources.values()}
    assert not [kind for kind in kinds if "Gateway" in kind and "ApiGateway" not in kind]
    assert "AWS::EC2::Route" not in kinds
    (endpoint,) = stack.of_type("AWS::EC2::VPCEndpoint").values()
    assert endpoint["VpcEndpointType"] == "Gateway"
    assert "ArchiveBucket" in json.dumps(endpoint["PolicyDocument"])


@every_stack
def test_a_vpc_is_made_only_where_none_is_given(parameters):
    """With ExistingVpcId only security groups are made."""
    kinds = {resource["Type"] for resource in Stack(**parameters).resources.values()}
    made = {kind for kind in kinds if kind.startswith("AWS::EC2::")}
    groups = {"AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupEgress"}
    assert (made <= groups) is ("ExistingVpcId" in parameters)


@pytest.mark.parametrize(
    ("parameters", "kinds"),
    [
        (OWN, {"ServerlessCache", "User", "UserGroup"}),
        (OWN | {"CacheEngine": "redis"}, {"ServerlessCache", "User", "UserGroup"}),
        (NODES, {"ReplicationGroup", "ParameterGroup", "SubnetGroup", "User", "UserGroup"}),
        (EXISTING, set()),
    ],
    ids="serverless serverless-redis nodes existing".split(),
)
def test_a_cache_is_what_its_parameters_say(parameters, kinds):
    """Each mode makes its own resources of ElastiCache, and an existing Redis none."""
    made = {resource["Type"] for resource in Stack(**parameters).resources.values()}
    found = {kind.split("::")[2] for kind in made if kind.startswith("AWS::ElastiCache")}
    assert found == kinds


@pytest.mark.parametrize("parameters", [OWN, NODES], ids="own nodes".split())
def test_a_new_cache_speaks_tls_to_those_who_sign_in(parameters):
    """Functions use TLS and IAM with the cache, and no other user has any right."""
    stack = Stack(**parameters)
    variables = stack.functions()["Api"]["Environment"]["Variables"]
    assert (variables["REDIS_TLS"], variables["REDIS_AUTH"], variables["REDIS_PORT"]) == (
        "true",
        "iam",
        "6379",
    )
    users = stack.of_type("AWS::ElastiCache::User")
    assert users.pop("CacheUser")["AuthenticationMode"] == {"Type": "iam"}
    assert all(user["AccessString"] == "off -@all" for user in users.values())
    nodes = stack.of_type("AWS::ElastiCache::ReplicationGroup").values()
    assert all(node["TransitEncryptionEnabled"] and node["MultiAZEnabled"] for node in nodes)


def test_an_existing_redis_is_used_as_it_is():
    """Host, port, TLS and authentication are those of the parameters."""
    variables = Stack(**EXISTING).functions()["PlanQuotes"]["Environment"]["Variables"]
    assert {name: variables[name] for name in variables if name.startswith("REDIS_")} == {
        "REDIS_HOST": "redis.example.com",
        "REDIS_PORT": "6380",
        "REDIS_TLS": "true",
        "REDIS_AUTH": "iam",
        "REDIS_USERNAME": "reader",
        "REDIS_CACHE_NAME": "prices",
        "REDIS_PREFIX": "a-stack",
    }


def test_two_stacks_share_no_name():
    """Names that an account has once come from the stack's name or id, or are generated."""
    stack = Stack(CacheMode="nodes")
    for name in ("PriceLoopEachMinute", "AssetRefreshEachTenMinutes"):
        assert "Name" not in stack.resources[name]["Properties"]
    for group in stack.of_type("AWS::Logs::LogGroup").values():
        assert group["LogGroupName"].endswith("/a-stack")
    assert "AWS::StackId" in json.dumps(stack.resources["CacheUser"]["Properties"]["UserId"])
    for kind, name in (
        ("AWS::Lambda::Function", "FunctionName"),
        ("AWS::IAM::Role", "RoleName"),
        ("AWS::IAM::ManagedPolicy", "ManagedPolicyName"),
        ("AWS::S3::Bucket", "BucketName"),
        ("AWS::SQS::Queue", "QueueName"),
        ("AWS::SecretsManager::Secret", "Name"),
        ("AWS::StepFunctions::StateMachine", "StateMachineName"),
    ):
        made = stack.of_type(kind).values()
        assert made
        assert not [properties for properties in made if name in properties]
