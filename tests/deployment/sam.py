"""The SAM CLI as a person uses it, and the deployed stack.

Nothing is built into `.aws-sam`, which is for packages for AWS: the packages here are built for
MiniStack, which runs functions on its own Python.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from packaging.tags import platform_tags
from samtranslator.yaml_helper import yaml_parse

from marketdata.settings import ENV_PREFIXES
from tests.deployment.ground import HOST, LIMITS, REGION, Ground, architecture, run_text
from tests.infrastructure.stack import ROOT, template

SAM = ROOT / ".venv-sam" / "bin" / "sam"
# Types of resources that the template always makes and that MiniStack does not know.
LEFT_OUT = ("AWS::Logs::QueryDefinition",)


class Sam:
    """Builds the template, deploys and deletes it, with a samconfig.toml of its own."""

    def __init__(self, ground: Ground) -> None:
        self._emulator = ground.emulator
        self._built = ground.folder / "build"
        home = ground.folder / "sam"
        home.mkdir()
        # SAM does not look for a newer version on the internet if it has just looked.
        checked = json.dumps({"lastVersionCheck": time.time()})
        (home / "metadata.json").write_text(checked, encoding="utf-8")
        self._config = Path(shutil.copy(ROOT / "samconfig.toml", home))
        self._env = {
            **ground.emulator.env,
            "SAM_CLI_TELEMETRY": "0",
            "__SAM_CLI_APP_DIR": str(home),
        }

    def build(self) -> str:
        """Build all packages without resources that MiniStack does not know; return the output."""
        printed = self._run(
            "build",
            *("--template-file", str(ROOT / "template.yaml"), "--build-dir", str(self._built)),
            *("--parameter-overrides", f"Architecture={architecture()}"),
            PYTHON=sys.executable,
            TARGET_PYTHON=self._emulator.python(),
            TARGET_PLATFORMS=" ".join(platform_tags()),
        )
        built = self._built / "template.yaml"
        document = yaml_parse(built.read_text(encoding="utf-8"))
        document["Resources"] = {
            name: resource
            for name, resource in document["Resources"].items()
            if resource["Type"] not in LEFT_OUT
        }
        built.write_text(json.dumps(document), encoding="utf-8")
        return printed

    def copy_of_build(self, name: str) -> Path:
        """Copy everything that was built; return the folder of the copy.

        The copy is next to the build, because the template has relative paths to files
        that are not built.
        """
        return Path(shutil.copytree(self._built, self._built.with_name(name)))

    def deploy_guided(self, given: Mapping[str, str]) -> str:
        """Deploy what was built for the first time, with Enter for each question."""
        # Two questions come before the parameters, six after them, and at last the confirmation.
        answers = "\n" * (2 + len(template()["Parameters"]) + 6) + "y\n"
        return self._deploy("--guided", *_overrides(given), answers=answers)

    def deploy(self, built: Path | None = None, **changed: str) -> str:
        """Deploy what was built, or another build; parameters not given keep their values."""
        return self._deploy(*_overrides(changed), answers="y\n", built=built)

    def delete(self, stack: str) -> str:
        """Delete a stack; return the output."""
        return self._run("delete", "--stack-name", stack, "--no-prompts", "--region", REGION)

    def _deploy(self, *arguments: str, answers: str, built: Path | None = None) -> str:
        file = ("--template-file", str((built or self._built) / "template.yaml"))
        return self._run("deploy", *file, *arguments, answers=answers)

    def _run(self, *arguments: str, answers: str = "", **env: str) -> str:
        command = [str(SAM), *arguments, "--config-file", str(self._config)]
        return run_text(command, {**self._env, **env}, answers)


def _overrides(given: Mapping[str, str]) -> list[str]:
    named = [f"{name}={value}" for name, value in given.items()]
    return ["--parameter-overrides", *named] if named else []


@dataclass(frozen=True)
class Deployed:
    """A stack that is deployed."""

    ground: Ground
    name: str

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The outputs of the stack, by their names in the template."""
        (stack,) = self._stacks().describe_stacks(StackName=self.name)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def parameters(self) -> dict[str, str]:
        """Return the parameters that the stack has now."""
        (stack,) = self._stacks().describe_stacks(StackName=self.name)["Stacks"]
        return {
            given["ParameterKey"]: given["ParameterValue"] for given in stack.get("Parameters", ())
        }

    @cached_property
    def resources(self) -> dict[str, dict[str, Any]]:
        """Type, status and physical id of each resource, by its name in the template."""
        pages = self._stacks().get_paginator("list_stack_resources")
        return {
            resource["LogicalResourceId"]: resource
            for page in pages.paginate(StackName=self.name)
            for resource in page["StackResourceSummaries"]
        }

    def id(self, resource: str) -> str:
        """Return the physical id of a resource."""
        return str(self.resources[resource]["PhysicalResourceId"])

    def client(self, service: str) -> Any:
        """Return a client of the emulator."""
        return self.ground.emulator.client(service)

    def invoke(self, function: str, event: Any) -> Any:
        """Return a function's answer to an event."""
        answer = self.client("lambda").invoke(
            FunctionName=self.id(function), Payload=json.dumps(event)
        )
        payload = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, payload
        return payload

    def function(self, name: str) -> dict[str, Any]:
        """Return the configuration of a function."""
        configuration = self.client("lambda").get_function_configuration(FunctionName=self.id(name))
        return dict(configuration)

    def start(self, machine: str, **given: str) -> str:
        """Start a state machine; return the ARN of the execution."""
        started = self.client("stepfunctions").start_execution(
            stateMachineArn=self.id(machine), input=json.dumps(given)
        )
        return str(started["executionArn"])

    def finished(self, execution: str, timeout_s: float) -> dict[str, Any]:
        """Return the description of an execution once it has ended."""
        machines, end = self.client("stepfunctions"), time.monotonic() + timeout_s
        while (found := machines.describe_execution(executionArn=execution))["status"] == "RUNNING":
            assert time.monotonic() < end, f"still running after {timeout_s} s: {execution}"
            time.sleep(0.2)
        return dict(found)

    def source(self, given: Mapping[str, str]) -> dict[str, Any]:
        """Return the arguments for another stack: the packaged template and parameters."""
        store, bucket = self.client("s3"), "aws-sam-cli-managed-default-samclisourcebucket"
        (bucket,) = [
            entry["Name"] for entry in store.list_buckets()["Buckets"] if bucket in entry["Name"]
        ]
        (uploaded,) = [
            entry["Key"]
            for entry in store.list_objects_v2(Bucket=bucket)["Contents"]
            if entry["Key"].endswith(".template")
        ]
        return {
            "TemplateURL": f"{self.ground.emulator.url}/{bucket}/{uploaded}",
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            "Parameters": [
                {"ParameterKey": name, "ParameterValue": value} for name, value in given.items()
            ],
        }

    def _stacks(self) -> Any:
        return self.client("cloudformation")


def parameters(ground: Ground) -> dict[str, str]:
    """Return the parameters for an existing Redis and VPC, and for the simulated market."""
    network = ground.emulator.client("ec2")
    vpc = network.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        network.create_subnet(VpcId=vpc, CidrBlock=f"10.1.{number}.0/24", AvailabilityZone=zone)
        for number, zone in enumerate((f"{REGION}a", f"{REGION}b"))
    ]
    group = network.create_security_group(GroupName="redis", Description="redis", VpcId=vpc)
    lists = network.describe_managed_prefix_lists(
        Filters=[{"Name": "prefix-list-name", "Values": [f"com.amazonaws.{REGION}.s3"]}]
    )
    given = {
        "Architecture": architecture(),
        "CacheMode": "existing",
        "ExistingRedisHost": HOST,
        "ExistingRedisPort": str(ground.redis_port),
        "ExistingRedisTls": "false",
        "ExistingRedisSecurityGroupId": group["GroupId"],
        "ExistingVpcId": vpc,
        "ExistingFirstSubnetId": subnets[0]["Subnet"]["SubnetId"],
        "ExistingSecondSubnetId": subnets[1]["Subnet"]["SubnetId"],
        "S3PrefixListId": lists["PrefixLists"][0]["PrefixListId"],
    }
    for source, url in ground.market.base_urls.items():
        prefix = "".join(word.capitalize() for word in ENV_PREFIXES[source].split("_"))
        given |= {f"{prefix}BaseUrl": url, f"{prefix}Limits": LIMITS}
    return given
