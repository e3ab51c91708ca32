from __future__ import annotations

import json
import re

import pytest

from marketdata.settings import SETTINGS, Settings
from tests.infrastructure.stack import EXISTING, NODES, OWN, ROOT, Stack, template

PARAMETERS = template()["Parameters"]
# What the template alone decides, so no parameter has its default.
DECIDED = {
    "API_IS_PUBLIC",
    "ARCHIVE_BUCKET",
    "ARCHIVE_FOLDER",
    "METRICS_SERVICE",
    "PROVIDER_KEYS_SECRET",
}

every_parameter = pytest.mark.parametrize("name", PARAMETERS)


def as_setting(parameter: str) -> str:
    """The setting that a parameter is named for: QuoteTtl is QUOTE_TTL."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", parameter).upper()


@every_parameter
def test_every_parameter_says_what_it_is_and_what_it_may_be(name):
    """Each has a description, a default, and the values that are allowed."""
    declared = PARAMETERS[name]
    assert re.match(r"[A-Z].*\.$", declared["Description"]), declared["Description"]
    assert "Default" in declared
    free = name == "JwtAudience"  # an issuer's own text
    allowed = {"AllowedValues", "AllowedPattern", "MinValue"} & declared.keys()
    assert allowed or free


def test_what_is_deployed_is_what_runs():
    """No version is published: SAM would make none for a parameter's new value or a new layer."""
    for how in (OWN, NODES, EXISTING):
        assert not Stack(**how).of_type("AWS::Lambda::Version", "AWS::Lambda::Alias")


@every_parameter
def test_every_default_is_allowed(name):
    """Every default is a value that the parameter allows."""
    declared = PARAMETERS[name]
    default = declared["Default"]
    if "AllowedValues" in declared:
        assert default in declared["AllowedValues"]
    if "AllowedPattern" in declared:
        assert re.fullmatch(declared["AllowedPattern"], default)
        assert len(default) <= declared.get("MaxLength", 4096)
    if "MinValue" in declared:
        assert declared["MinValue"] <= default <= declared["MaxValue"]


@every_parameter
def test_every_parameter_is_used(name):
    """Every parameter is used."""
    rest = json.dumps({key: part for key, part in template().items() if key != "Metadata"})
    assert f'{{"Ref": "{name}"}}' in rest or f"${{{name}}}" in rest


def test_the_console_shows_every_parameter_in_a_group():
    """Each parameter stands in one group, and groups name no other."""
    groups = template()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(PARAMETERS)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_parameter_has_the_default_of_its_setting(setting):
    """Where a parameter is named for a setting, both have the same default."""
    defaults = {as_setting(name): declared["Default"] for name, declared in PARAMETERS.items()}
    if setting.name in defaults:
        assert str(defaults[setting.name]) == setting.default
    else:
        assert (
            setting.name.startswith("REDIS_")
            or setting.secret
            or setting.name in DECIDED | {"HOST", "MARKET", "PORT"}
        )


@pytest.mark.parametrize("parameters", [OWN, NODES, EXISTING], ids="own nodes existing".split())
def test_functions_get_settings_that_the_program_knows_and_accepts(parameters):
    """Every variable is a setting, with a value that passes its check, and fits Lambda's 4 KB."""
    names = {setting.name for setting in SETTINGS}
    for function in Stack(**parameters).functions().values():
        variables = function["Environment"]["Variables"]
        assert variables.keys() <= names
        # Names and addresses that AWS makes when it deploys are any text.
        texts = {
            name: value if isinstance(value, str) else "made-by-aws"
            for name, value in variables.items()
        }
        Settings.from_env(texts)
        longest = sum(len(name) + len(str(value)) for name, value in variables.items())
        assert longest + PARAMETERS["ActiveSymbols"]["MaxLength"] < 4096


@pytest.mark.parametrize("access", ["public", "iam", "jwt"])
def test_the_api_knows_whether_strangers_may_read_it(access):
    """The api function alone has API_IS_PUBLIC, and it is true for ApiAccess=public alone."""
    functions = Stack(ApiAccess=access).functions()
    known = {
        name: function["Environment"]["Variables"].get("API_IS_PUBLIC")
        for name, function in functions.items()
    }
    expected = "true" if access == "public" else "false"
    assert known == dict.fromkeys(functions) | {"Api": expected}


def test_the_cache_may_take_the_swap_of_a_long_list_in_a_second():
    """A list of 17,000 coins is some 5,700 processing units, and prices go on beside it."""
    assert PARAMETERS["CacheMaximumEcpu"]["Default"] == 20_000


def test_a_budget_warns_whom_the_alarms_warn():
    """MonthlyBudget makes one budget of the account, with two mails to AlarmEmail; 0 makes none."""
    assert not Stack().of_type("AWS::Budgets::Budget")
    stack = Stack(MonthlyBudget="50", AlarmEmail="me@example.com")
    (budget,) = stack.of_type("AWS::Budgets::Budget").values()
    assert budget["Budget"]["BudgetLimit"] == {"Amount": "50", "Unit": "USD"}
    assert (budget["Budget"]["BudgetType"], budget["Budget"]["TimeUnit"]) == ("COST", "MONTHLY")
    warned = {
        (one["Notification"]["NotificationType"], one["Notification"]["Threshold"]): [
            reader["Address"] for reader in one["Subscribers"]
        ]
        for one in budget["NotificationsWithSubscribers"]
    }
    assert warned == {("ACTUAL", 80): ["me@example.com"], ("FORECASTED", 100): ["me@example.com"]}


@pytest.mark.parametrize("level", PARAMETERS["SystemLogLevel"]["AllowedValues"])
def test_system_log_level_is_lambdas_and_log_level_is_ours(level):
    """Lambda filters its own lines by SystemLogLevel, and never ours: metrics are lines, too."""
    for function in Stack(SystemLogLevel=level, LogLevel="ERROR").functions().values():
        assert function["LoggingConfig"]["SystemLogLevel"] == level
        assert function["LoggingConfig"]["ApplicationLogLevel"] == "DEBUG"
        assert function["Environment"]["Variables"]["LOG_LEVEL"] == "ERROR"


def test_rules_refuse_what_cannot_work():
    """Each rule's assertions say which parameter is missing, by its name."""
    descriptions = [
        assertion["AssertDescription"]
        for rule in template()["Rules"].values()
        for assertion in rule["Assertions"]
    ]
    assert descriptions
    for text in descriptions:
        assert [name for name in PARAMETERS if name in text]


def test_every_output_says_what_it_is():
    """Outputs are described, and those that a person runs are whole commands."""
    outputs = template()["Outputs"]
    assert all(re.match(r"[A-Z].*\.$", output["Description"]) for output in outputs.values())
    outputs = Stack().outputs
    for name in ("PutProviderKeys", "RefreshAssetLists", "ReadLogs"):
        assert f"--region {'eu-central-1'}" in json.dumps(outputs[name]["Value"])


def test_a_deployment_needs_no_named_roles():
    """The defaults of `sam deploy` do not need CAPABILITY_NAMED_IAM."""
    text = (ROOT / "samconfig.toml").read_text(encoding="utf-8")
    assert "CAPABILITY_NAMED_IAM" not in re.sub("#.*", "", text)
