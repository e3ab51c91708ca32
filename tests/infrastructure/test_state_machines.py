"""The definitions of both state machines: their states, limits, expressions and calls."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonata import Jsonata

from marketdata.clock import SLOT_S
from marketdata.prices.planning import FETCH_BUDGET_MS
from tests.infrastructure.stack import ROOT, Stack, definition, template

NAMES = [path.name.removesuffix(".asl.json") for path in (ROOT / "functions").glob("*.asl.json")]
RESOURCES = {"price_loop": "PriceLoop", "asset_refresh": "AssetRefresh"}

every_machine = pytest.mark.parametrize("name", NAMES)


def machines_of(machine: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A machine and the machines inside its maps."""
    yield machine
    for state in machine["States"].values():
        if state["Type"] == "Map":
            yield from machines_of(state["ItemProcessor"])


def states_of(name: str) -> dict[str, dict[str, Any]]:
    """All states of a definition by their names, which are unique."""
    found = [
        item for machine in machines_of(definition(name)) for item in machine["States"].items()
    ]
    states = dict(found)
    assert len(states) == len(found)
    return states


def tasks_of(name: str) -> dict[str, dict[str, Any]]:
    """The states that call a function."""
    return {label: state for label, state in states_of(name).items() if state["Type"] == "Task"}


def next_of(state: dict[str, Any]) -> set[str]:
    """The states that may follow a state."""
    ways = [state, *state.get("Choices", ()), *state.get("Catch", ())]
    return {way[key] for way in ways for key in ("Next", "Default") if key in way}


def strings_of(part: Any) -> Iterator[str]:
    """Every text in a definition."""
    if isinstance(part, dict):
        for value in part.values():
            yield from strings_of(value)
    elif isinstance(part, list):
        for value in part:
            yield from strings_of(value)
    elif isinstance(part, str):
        yield part


def test_both_machines_are_in_the_template():
    """Each definition has its state machine, and each state machine its definition."""
    machines = {
        name: resource["Properties"]["DefinitionUri"]
        for name, resource in template()["Resources"].items()
        if resource["Type"] == "AWS::Serverless::StateMachine"
    }
    assert machines == {RESOURCES[name]: f"functions/{name}.asl.json" for name in NAMES}


@every_machine
def test_every_state_is_reached_and_every_way_leads_somewhere(name):
    """From its start each machine reaches all of its own states, and no others."""
    for machine in machines_of(definition(name)):
        reached, open_ = set(), {machine["StartAt"]}
        while open_:
            state = open_.pop()
            assert state in machine["States"], f"{state} is no state"
            reached.add(state)
            open_ |= next_of(machine["States"][state]) - reached
        assert reached == machine["States"].keys()


@every_machine
def test_every_state_ends_or_leads_on(name):
    """A state has an end, a successor or a choice of successors, and only one of these."""
    for label, state in states_of(name).items():
        final = state["Type"] in ("Succeed", "Fail") or state.get("End", False)
        leads_on = "Default" in state if state["Type"] == "Choice" else "Next" in state
        assert final != leads_on, label


@every_machine
def test_every_call_has_a_time_limit_and_no_failure_ends_the_machine(name):
    """A task has TimeoutSeconds, and tasks and maps catch whatever may happen."""
    for label, state in states_of(name).items():
        if state["Type"] in ("Task", "Map"):
            assert any(c["ErrorEquals"] == ["States.ALL"] for c in state["Catch"]), label
        if state["Type"] == "Task":
            assert state["TimeoutSeconds"] > 0, label
    assert definition(name)["TimeoutSeconds"] > 0


@every_machine
def test_every_expression_parses(name):
    """Text between {% and %} is JSONata without functions that Step Functions lacks."""
    expressions = [text for text in strings_of(definition(name)) if "{%" in text]
    assert expressions
    for text in expressions:
        (inner,) = re.fullmatch(r"\{%(.*)%\}", text).groups()
        Jsonata(inner)
        assert "$eval" not in inner


@every_machine
def test_substitutions_are_those_of_the_template(name):
    """Each placeholder of a definition is declared in the template, and each declared one used."""
    used = set(re.findall(r"\$\{(\w+)\}", json.dumps(definition(name))))
    properties = template()["Resources"][RESOURCES[name]]["Properties"]
    assert used == properties["DefinitionSubstitutions"].keys()


@every_machine
def test_machines_call_their_functions(name):
    """A substitution is the function that it is named for, or the partition of the stack."""
    properties = template()["Resources"][RESOURCES[name]]["Properties"]
    substitutions = dict(properties["DefinitionSubstitutions"])
    assert substitutions.pop("Partition") == {"Ref": "AWS::Partition"}
    for placeholder, value in substitutions.items():
        assert value == {"Fn::GetAtt": [placeholder.removesuffix("Arn"), "Arn"]}


@every_machine
def test_every_call_passes_the_execution_on(name):
    """Each function gets the id of the execution that calls it, for its log lines."""
    for label, state in tasks_of(name).items():
        payload = state["Arguments"]["Payload"]
        text = payload["execution"] if isinstance(payload, dict) else payload
        assert "$states.context.Execution.Id" in text, label


@every_machine
def test_no_arn_names_a_partition(name):
    """The stack can be deployed in China and in GovCloud, whose ARNs begin otherwise."""
    for text in strings_of(definition(name)):
        assert not text.startswith("arn:aws")


@every_machine
def test_a_state_gives_up_before_its_function_does(name):
    """A state's time limit is shorter than its function's, so the function stays warm."""
    functions = Stack().functions()
    for label, state in tasks_of(name).items():
        function = re.fullmatch(r"\$\{(\w+)Arn\}", state["Arguments"]["FunctionName"]).group(1)
        assert functions[function]["Timeout"] > state["TimeoutSeconds"], label


def test_the_loop_retries_only_throttled_calls():
    """The loop retries only throttled calls, each once and after one second."""
    retries = [
        retry for state in tasks_of("price_loop").values() for retry in state.get("Retry", ())
    ]
    assert retries
    for retry in retries:
        assert retry["ErrorEquals"] == ["Lambda.TooManyRequestsException"]
        assert (retry["MaxAttempts"], retry["IntervalSeconds"]) == (1, 1)


def test_the_time_limits_of_the_loop_fit_its_slots():
    """A fetch ends by its own deadline before its state does, and no call takes a slot."""
    tasks = tasks_of("price_loop")
    assert tasks["Fetch"]["TimeoutSeconds"] * 1000 > FETCH_BUDGET_MS
    assert max(task["TimeoutSeconds"] for task in tasks.values()) < SLOT_S


def test_the_loop_counts_the_slots_that_the_program_counts():
    """The definition's slots are as long as the program's, and a minute has all of them."""
    text = json.dumps(definition("price_loop"))
    assert f"* {SLOT_S * 1000}" in text
    assert f"/ {SLOT_S * 1000}" in text
    assert f"$tick < {60 // SLOT_S} " in text


def test_a_failed_fetch_is_committed_as_such():
    """After a failed fetch commit gets the job and the error, so that it can settle the job."""
    for name in NAMES:
        (caught,) = tasks_of(name)["Fetch"]["Catch"]
        assert caught["Next"] == "Commit"
        assert caught["Output"].keys() == {"job", "error"}
        assert caught["Output"]["job"] == "{% $states.input %}"
