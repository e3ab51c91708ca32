"""The stack that the template makes of given parameters, without AWS.

The SAM transform is the real one; conditions are decided, and parameters put in, as CloudFormation
would. What only AWS knows (ARNs, ids) stays the `Ref`, `Fn::GetAtt` or `${...}` that it is.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parents[2]
REGION = "eu-central-1"
_NOTHING = {"Ref": "AWS::NoValue"}

JWT = {"ApiAccess": "jwt", "JwtIssuer": "https://issuer.example.com", "JwtAudience": "prices"}
OWN = {"CacheMode": "serverless"}
NODES = {"CacheMode": "nodes", "CacheEngine": "redis"}
EXISTING = {
    "CacheMode": "existing",
    "ExistingRedisHost": "redis.example.com",
    "ExistingRedisPort": "6380",
    "ExistingRedisAuth": "iam",
    "ExistingRedisName": "prices",
    "ExistingRedisUser": "reader",
    "ExistingRedisSecurityGroupId": "sg-11111111",
    "ExistingVpcId": "vpc-11111111",
    "ExistingFirstSubnetId": "subnet-11111111",
    "ExistingSecondSubnetId": "subnet-22222222",
    "S3PrefixListId": "pl-11111111",
}


@functools.cache
def template() -> dict[str, Any]:
    """Return the template as it is written, with functions in their long form."""
    text = (ROOT / "template.yaml").read_text(encoding="utf-8")
    written: dict[str, Any] = yaml_parse(text)
    return written


def definition(name: str) -> dict[str, Any]:
    """A state machine's definition, with the places for its substitutions."""
    text = (ROOT / "functions" / f"{name}.asl.json").read_text(encoding="utf-8")
    read: dict[str, Any] = json.loads(text)
    return read


@functools.cache
def _transformed() -> str:
    document = json.loads(json.dumps(template()))
    for resource in document["Resources"].values():
        properties = resource.get("Properties", {})
        for name in ("CodeUri", "ContentUri", "DefinitionUri"):
            if name in properties:  # as `sam package` would write it
                properties[name] = f"s3://bucket/{properties[name]}"
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
    return json.dumps(Translator({}, Parser()).translate(document, {}))


class Stack:
    """The resources of one set of parameters; those not given have their defaults."""

    def __init__(self, **parameters: str) -> None:
        document = json.loads(_transformed())
        unknown = parameters.keys() - document["Parameters"].keys()
        assert not unknown, f"no such parameters: {unknown}"
        self._values = {
            name: str(parameters.get(name, declared["Default"]))
            for name, declared in document["Parameters"].items()
        } | {"AWS::Region": REGION, "AWS::Partition": "aws", "AWS::StackName": "a-stack"}
        self._conditions = document["Conditions"]
        self.outputs = self._kept(document["Outputs"])
        self.resources = self._kept(document["Resources"])

    def refusals(self) -> list[str]:
        """The texts of the template's rules that these parameters break."""
        return [
            assertion["AssertDescription"]
            for rule in template()["Rules"].values()
            if self._holds(rule["RuleCondition"])
            for assertion in rule["Assertions"]
            if not self._holds(assertion["Assert"])
        ]

    def of_type(self, *types: str) -> dict[str, Any]:
        """Properties of the resources of some types, by their logical ids."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.resources.items()
            if resource["Type"] in types
        }

    def functions(self) -> dict[str, Any]:
        """The functions' properties."""
        return self.of_type("AWS::Lambda::Function")

    def _kept(self, section: Mapping[str, Any]) -> dict[str, Any]:
        return {
            name: self._resolved(part)
            for name, part in section.items()
            if self._holds(part.get("Condition"))
        }

    def _holds(self, condition: Any) -> bool:
        if condition is None:
            return True
        if isinstance(condition, str):
            return self._holds(self._conditions[condition])
        ((function, operands),) = condition.items()
        if function == "Fn::Equals":
            first, second = map(self._resolved, operands)
            return str(first) == str(second)
        results = [self._holds(operand) for operand in _listed(operands)]
        return {"Condition": all, "Fn::And": all, "Fn::Or": any, "Fn::Not": _none}[function](
            results
        )

    def _resolved(self, part: Any) -> Any:  # noqa: PLR0911 - one for each function
        if isinstance(part, list):
            return [self._resolved(item) for item in part if self._chosen(item) != _NOTHING]
        if not isinstance(part, dict):
            return part
        chosen = self._chosen(part)
        if chosen is not part:
            return self._resolved(chosen)
        if part.keys() == {"Ref"}:
            return self._values.get(part["Ref"], part)
        if part.keys() == {"Fn::Sub"} and isinstance(part["Fn::Sub"], str):
            return self._substituted(part["Fn::Sub"])
        if part.keys() == {"Fn::Split"}:
            separator, text = part["Fn::Split"]
            resolved = self._resolved(text)
            return resolved.split(separator) if isinstance(resolved, str) else part
        return {
            name: self._resolved(value)
            for name, value in part.items()
            if self._chosen(value) != _NOTHING
        }

    def _chosen(self, part: Any) -> Any:
        while isinstance(part, dict) and part.keys() == {"Fn::If"}:
            condition, if_true, if_false = part["Fn::If"]
            part = if_true if self._holds(condition) else if_false
        return part

    def _substituted(self, text: str) -> str:
        for name, value in self._values.items():
            text = text.replace(f"${{{name}}}", value)
        return text


def statements(policy: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The statements of a policy document, actions and resources as lists."""
    for statement in policy["Statement"]:
        lists = {
            name: _listed(statement[name]) for name in ("Action", "Resource") if name in statement
        }
        yield {**statement, **lists}


def _listed(part: Any) -> list[Any]:
    return part if isinstance(part, list) else [part]


def _none(results: list[bool]) -> bool:
    return not any(results)
