"""The parameters of the template: described, used, checked, and in step with the settings."""

from __future__ import annotations

import json
import re

import pytest

from marketdata.errors import SettingsError
from marketdata.settings import SETTINGS, Settings
from tests.infrastructure.stack import EXISTING, JWT, NODES, OWN, ROOT, Stack, template
from tests.infrastructure.watched import every_stack

PARAMETERS = template()["Parameters"]
# Settings whose value the template decides itself, so they have no parameter.
DECIDED = {
    "API_IS_PUBLIC",
    "ARCHIVE_BUCKET",
    "ARCHIVE_FOLDER",
    "METRICS_SERVICE",
    "PROVIDER_KEYS_SECRET",
}

# How a parameter says which values are allowed.
RULES = {"AllowedValues", "AllowedPattern", "MinValue"}

every_parameter = pytest.mark.parametrize("name", PARAMETERS)


def as_setting(parameter: str) -> str:
    """The setting that a parameter is named for: QuoteTtl is QUOTE_TTL."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", parameter).upper()


@every_parameter
def test_every_parameter_says_what_it_is_and_what_it_may_be(name):
    """Each parameter has a description, a default, and the values that are allowed."""
    declared = PARAMETERS[name]
    assert re.match(r"[A-Z].*\.$", declared["Description"]), declared["Description"]
    assert "Default" in declared
    free = name == "JwtAudience"  # an issuer's own text
    assert RULES & declared.keys() or free


def test_what_is_deployed_is_what_runs():
    """No version is published: SAM would make none for a parameter's new value or a new layer."""
    for how in (OWN, NODES, EXISTING):
        assert not Stack(**how).of_type("AWS::Lambda::Version", "AWS::Lambda::Alias")


@pytest.mark.parametrize("name", [name for name in PARAMETERS if RULES & PARAMETERS[name].keys()])
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
    """Every parameter is used outside of its group in the console."""
    rest = json.dumps({key: part for key, part in template().items() if key != "Metadata"})
    assert f'{{"Ref": "{name}"}}' in rest or f"${{{name}}}" in rest


def test_the_console_shows_every_parameter_in_a_group():
    """Each parameter is in one group, and groups have no other names."""
    groups = template()["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(PARAMETERS)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_parameter_has_the_default_of_its_setting(setting):
    """A parameter that is named for a setting has the default of that setting."""
    defaults = {as_setting(name): declared["Default"] for name, declared in PARAMETERS.items()}
    if setting.name in defaults:
        assert str(defaults[setting.name]) == setting.default
    else:
        assert (
            setting.name.startswith("REDIS_")
            or setting.secret
            or setting.name in DECIDED | {"HOST", "MARKET", "PORT"}
        )


@every_stack
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


DOMAIN = {"DomainName": "prices.example.com", "CertificateArn": "arn:aws:acm:a:b:c"}
BUDGET = {"MonthlyBudget": "50", "AlarmEmail": "me@example.com"}
OWN_IN_A_VPC = {
    name: value
    for name, value in EXISTING.items()
    if name.startswith(("ExistingVpc", "ExistingFirst", "ExistingSecond", "S3"))
}
WITHOUT_IAM = {**EXISTING, "ExistingRedisAuth": "none", "ExistingRedisTls": "false"}


@pytest.mark.parametrize(
    "parameters", [OWN, NODES, EXISTING, WITHOUT_IAM, OWN_IN_A_VPC, JWT, DOMAIN, BUDGET]
)
def test_rules_let_through_what_fits_together(parameters):
    """No rule is against a complete set of parameters."""
    assert Stack(**parameters).refusals() == []


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"CacheMode": "existing"}, "CacheMode=existing needs ExistingRedisHost"),
        (EXISTING | {"ExistingRedisSecurityGroupId": ""}, "needs ExistingRedisSecurityGroupId"),
        (EXISTING | {"ExistingVpcId": ""}, "CacheMode=existing needs ExistingVpcId"),
        (EXISTING | {"ExistingRedisName": ""}, "ExistingRedisAuth=iam needs ExistingRedisName"),
        (EXISTING | {"ExistingRedisUser": ""}, "ExistingRedisAuth=iam needs ExistingRedisUser"),
        (EXISTING | {"ExistingRedisTls": "false"}, "iam needs ExistingRedisTls=true"),
        (EXISTING | {"CacheMode": "serverless"}, "ExistingRedisHost needs CacheMode=existing"),
        (EXISTING | {"ExistingFirstSubnetId": ""}, "ExistingVpcId needs ExistingFirstSubnetId"),
        (EXISTING | {"ExistingSecondSubnetId": ""}, "ExistingVpcId needs ExistingSecondSubnetId"),
        (EXISTING | {"S3PrefixListId": ""}, "ExistingVpcId needs S3PrefixListId"),
        (OWN_IN_A_VPC | {"ExistingVpcId": ""}, "ExistingSecondSubnetId need ExistingVpcId"),
        (JWT | {"JwtIssuer": ""}, "ApiAccess=jwt needs JwtIssuer"),
        (JWT | {"JwtAudience": ""}, "ApiAccess=jwt needs JwtAudience"),
        (JWT | {"ApiAccess": "public"}, "JwtIssuer needs ApiAccess=jwt"),
        (DOMAIN | {"CertificateArn": ""}, "DomainName needs CertificateArn"),
        (DOMAIN | {"DomainName": ""}, "CertificateArn needs DomainName"),
        (BUDGET | {"AlarmEmail": ""}, "MonthlyBudget needs AlarmEmail"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_rules_refuse_what_cannot_work(parameters, said):
    """Each rule says which parameter is missing, or which one has no effect, by its name."""
    refusals = Stack(**parameters).refusals()
    assert [text for text in refusals if said in text], refusals
    for text in refusals:
        assert [name for name in PARAMETERS if name in text]


def test_every_assertion_of_a_rule_has_been_seen_to_fail():
    """The cases of the test above break each assertion of each rule."""
    written = {
        assertion["AssertDescription"]
        for rule in template()["Rules"].values()
        for assertion in rule["Assertions"]
    }
    cases = next(
        mark.args[1]
        for mark in test_rules_refuse_what_cannot_work.pytestmark
        if mark.name == "parametrize"
    )
    assert written == {text for parameters, _ in cases for text in Stack(**parameters).refusals()}


@pytest.mark.parametrize("name", [name for name in PARAMETERS if name.endswith("Limits")])
@pytest.mark.parametrize(
    "text",
    [
        "60/minute",
        "25/day,1/second",
        "0/minute",
        "60/fortnight",
        "60/minutes",
        "/day",
        "5/day,",
        "",
    ],
)
def test_limits_that_the_program_refuses_are_not_deployed(name, text):
    """The pattern of a parameter allows what the setting of its name allows."""
    try:
        Settings.from_env({as_setting(name): text or "none"})
    except SettingsError:
        allowed = False
    else:
        allowed = True
    assert bool(re.fullmatch(PARAMETERS[name]["AllowedPattern"], text)) is allowed


@pytest.mark.parametrize("name", [name for name in PARAMETERS if name.endswith("BaseUrl")])
@pytest.mark.parametrize(
    "text", ["https://a.example/v1", "http://10.0.0.1:8080", "https://", "ftp://a.example",
             "https://user:word@a.example", "https://a.example?key=1", "https://a.example/#top"],
)  # fmt: skip
def test_base_urls_that_the_program_refuses_are_not_deployed(name, text):
    """The pattern of a parameter allows what the setting of its name allows."""
    try:
        Settings.from_env({as_setting(name): text})
    except SettingsError:
        allowed = False
    else:
        allowed = True
    assert bool(re.fullmatch(PARAMETERS[name]["AllowedPattern"], text)) is allowed


def test_every_form_of_a_symbol_can_be_deployed():
    """ActiveSymbols takes shares, indices, futures, coins by name and by id, and pairs."""
    text = "BRK.B,M&M.NS,^GSPC,GC=F,BTC-USD,@mantle-USD,@usd-coin_2-USD,EUR/USD,EUR_USD"
    assert re.fullmatch(PARAMETERS["ActiveSymbols"]["AllowedPattern"], text)
    assert len(Settings.from_env({"ACTIVE_SYMBOLS": text}).active_symbols) == 8


def test_every_output_says_what_it_is():
    """Outputs are described, and those that a person runs are whole commands."""
    outputs = template()["Outputs"]
    assert all(re.match(r"[A-Z].*\.$", output["Description"]) for output in outputs.values())
    outputs = Stack().outputs
    for name in ("PutProviderKeys", "RefreshAssetLists", "ReadLogs"):
        assert "--region eu-central-1" in json.dumps(outputs[name]["Value"])


def test_a_deployment_needs_no_named_roles():
    """The defaults of `sam deploy` do not need CAPABILITY_NAMED_IAM."""
    text = (ROOT / "samconfig.toml").read_text(encoding="utf-8")
    assert "CAPABILITY_NAMED_IAM" not in re.sub("#.*", "", text)
