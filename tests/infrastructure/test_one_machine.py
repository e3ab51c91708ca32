"""The files that `sam local` reads beside the template, checked without Docker."""

from __future__ import annotations

import json
import tomllib

import yaml

from tests.infrastructure.stack import ROOT, template

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
LOCAL = json.loads((ROOT / "env.local.json").read_text(encoding="utf-8"))["Parameters"]
CONFIG = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
COMMANDS = ("local_start_api", "local_start_lambda", "local_invoke")


def test_settings_for_one_machine_override_variables_that_there_are():
    """env.local.json overrides only variables of the template, as SAM ignores others silently."""
    declared = template()["Globals"]["Function"]["Environment"]["Variables"]
    assert LOCAL.keys() <= declared.keys()


def test_functions_find_the_redis_of_compose():
    """Functions find the Redis of compose.yaml by its service, network and port."""
    service = "redis"
    assert (LOCAL["REDIS_HOST"], LOCAL["REDIS_PORT"]) == (service, "6379")
    assert COMPOSE["services"][service]["ports"] == ["127.0.0.1:${REDIS_PORT:-6379}:6379"]
    networks = {CONFIG["default"][name]["parameters"]["docker_network"] for name in COMMANDS}
    assert networks == {"mda"}
    assert COMPOSE["networks"]["mda"]["name"] == "${SAM_DOCKER_NETWORK:-mda}"


def test_the_other_processor_has_the_same_settings_and_itself():
    """The section x86_64 has the settings of all default sections, and the architecture."""
    shared = {
        name: value
        for command in ("build", *COMMANDS)
        for name, value in CONFIG["default"][command]["parameters"].items()
    }
    chosen = {"parameter_overrides": "Architecture=x86_64"}
    assert CONFIG["x86_64"] == {"global": {"parameters": {**shared, **chosen}}}
