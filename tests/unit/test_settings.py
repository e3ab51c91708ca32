"""Settings: defaults, errors, masked secrets, misspelt names and their documentation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from marketdata.domain.budget import parse_limits
from marketdata.domain.catalogue import FACTS
from marketdata.domain.quotes import Source
from marketdata.errors import SettingsError
from marketdata.setting_names import misspelt_names
from marketdata.settings import SETTINGS, Settings

ROOT = Path(__file__).resolve().parents[2]


def test_no_setting_is_needed():
    """With an empty environment every setting has its default."""
    settings = Settings.from_env({})
    assert settings.redis_host == "redis"
    assert settings.quote_ttl == 300
    assert settings.limits[Source.ALPHA_VANTAGE] == parse_limits("25/day,1/second")
    assert settings.base_urls[Source.FINNHUB] == "https://finnhub.io/api/v1"
    assert settings.active_symbols[0].text == "AAPL"
    assert settings.api_is_public
    assert settings.host == ("127.0.0.1", "::1")


def test_an_empty_value_counts_as_not_set():
    """`NAME=` in a .env file is no value."""
    assert Settings.from_env({"PORT": "", "QUOTE_TTL": "  "}).port == 8000


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("PORT", "99999", "from 1 to 65535"),
        ("PORT", "eighty", "whole number"),
        ("PRICE_FETCH_INTERVAL", "1", "from 5"),
        ("REDIS_TLS", "maybe", "true or false"),
        ("REDIS_AUTH", "kerberos", "none, password, iam"),
        ("MARKET", "paper", "simulated, live"),
        ("LOG_LEVEL", "LOUD", "debug, info"),
        ("ACTIVE_SYMBOLS", "AAPL,A/B", "A/B"),
        ("YAHOO_LIMITS", "60/fortnight", "COUNT/WINDOW"),
        ("YAHOO_LIMITS", "0/minute", "COUNT/WINDOW"),
        ("YAHOO_LIMITS", "60/minute,30/minute", "minute is named twice"),
        ("YAHOO_LIMITS", "60/minute,30/fortnight", "'30/fortnight' is none"),
        ("FINNHUB_BASE_URL", "ftp://x", "https://"),
        ("FINNHUB_BASE_URL", "https://[x", "https://"),
        ("FINNHUB_BASE_URL", "https://x:99999", "port"),
        ("API_IS_PUBLIC", "perhaps", "true or false"),
        ("HOST", "example.com", "localhost, or IP addresses"),
        ("HOST", ",", "at least one"),
    ],
)
def test_a_bad_value_names_setting_value_and_what_is_allowed(name, value, allowed):
    """The error about a bad value has the setting's name, the value and what is allowed."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({name: value})
    message = str(caught.value)
    assert message.startswith(f"{name}={value!r} is not allowed")
    assert allowed in message


def test_a_bad_secret_is_not_shown():
    """The error about a bad key does not show the key."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"FINNHUB_API_KEY": "my secret key"})
    assert "secret" not in str(caught.value)
    assert "FINNHUB_API_KEY=(masked)" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("FINNHUB_BASE_URL", "https://user:hunter2@x", "'https://user:***@x'"),
        ("FINNHUB_BASE_URL", "https://x?apikey=hunter2", "'https://x?apikey=***'"),
        ("YAHOO_PROXY_URL", "ftp://user:hunter2@x", "(masked)"),
        ("YAHOO_PROXY_URL", "http://user:hunter2@x/path", "(masked)"),
    ],
)
def test_a_secret_inside_a_bad_value_is_not_shown(name, value, shown):
    """A password or a key in a URL is masked in the error."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({name: value})
    assert str(caught.value).startswith(f"{name}={shown} is not allowed; allowed: a URL ")
    assert "hunter2" not in str(caught.value)


def test_a_wrong_limit_is_named_once():
    """The error about a wrong limit has the value and the notation once each."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"YAHOO_LIMITS": "5/fortnight"})
    assert str(caught.value) == (
        "YAHOO_LIMITS='5/fortnight' is not allowed; allowed: COUNT/WINDOW, comma-separated, each "
        "COUNT at least 1 and each WINDOW one of second, minute, hour, day, month, for example "
        "60/minute,30/second"
    )


@pytest.mark.parametrize(
    ("env", "missing"),
    [
        ({"REDIS_AUTH": "password"}, "REDIS_PASSWORD"),
        ({"REDIS_AUTH": "password", "REDIS_PASSWORD": " "}, "REDIS_PASSWORD"),
        ({"REDIS_AUTH": "iam", "REDIS_TLS": "true"}, "REDIS_USERNAME and REDIS_CACHE_NAME"),
        ({"REDIS_AUTH": "iam", "REDIS_USERNAME": "u", "REDIS_CACHE_NAME": "c"}, "REDIS_TLS=true"),
    ],
)
def test_a_way_to_sign_in_needs_its_settings(env, missing):
    """The error about a REDIS_AUTH names each setting that is missing for it."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(env)
    expected = f"REDIS_AUTH={env['REDIS_AUTH']} is not allowed without {missing}; allowed: set "
    assert str(caught.value).startswith(expected)


def test_settings_hold_no_secret_when_shown():
    """Neither `repr` nor `str` has a key, a password or the URL of a proxy."""
    secrets = {setting.name: "hunter2" for setting in SETTINGS if setting.secret}
    settings = Settings.from_env({**secrets, "YAHOO_PROXY_URL": "http://me:hunter2@proxy:8080"})
    assert "hunter2" not in repr(settings) + str(settings)
    assert "quote_ttl=300" in repr(settings)


def test_the_password_of_a_proxy_is_masked_in_both_spellings():
    """Logs hold neither the URL's spelling of the password nor the password itself."""
    settings = Settings.from_env({"YAHOO_PROXY_URL": "http://me:hunter%212@proxy:8080"})
    assert {"hunter%212", "hunter!2"} <= settings.secrets


def test_settings_do_not_change():
    """Setting a field of the settings raises ValidationError."""
    settings = Settings.from_env({})
    with pytest.raises(ValidationError):
        settings.port = 1


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("FINHUB_API_KEY", "FINNHUB_API_KEY"),
        ("finnhub_api_key", "FINNHUB_API_KEY"),
        ("ALPHAVANTAGE_API_KEY", "ALPHA_VANTAGE_API_KEY"),
        ("YAHOO_LIMIT", "YAHOO_LIMITS"),
        ("REDIS_HOTS", "REDIS_HOST"),
        ("REDIS_PASSWD", "REDIS_PASSWORD"),
        ("LOGLEVEL", "LOG_LEVEL"),
        ("MARKETDATA_HOM", "MARKETDATA_HOME"),
        ("YAHOO_SECRET_SAUCE", ""),
        ("PROT", "PORT"),
        ("MARKETT", "MARKET"),
    ],
)
def test_a_misspelt_name_is_found(name, nearest):
    """A name that looks like a setting is found, with the nearest setting if there is one."""
    assert misspelt_names([name, "PATH", "PORT"]) == {name: nearest}


def test_every_setting_with_one_letter_less_is_found():
    """Each setting's name is recognised when a letter inside it is missing."""
    for name in (setting.name for setting in SETTINGS):
        slip = name[:2] + name[3:]
        assert misspelt_names([slip]) == {slip: name}


def test_names_of_other_programs_are_left_alone():
    """Names that shells, Lambda, Docker and Kubernetes set are not misspelt settings."""
    names = """
        PATH HOME HOSTNAME HOSTTYPE SHELL PWD POST PORTS_OPEN REPORT SUPPORT MARKETING LANG TERM
        LOGNAME LOG HTTP_PROXY https_proxy NO_PROXY PYTHONPATH VIRTUAL_ENV TMPDIR USER EDITOR PS1
        AWS_REGION AWS_LAMBDA_FUNCTION_NAME AWS_LAMBDA_LOG_LEVEL AWS_SECRET_ACCESS_KEY _HANDLER
        REDIS_SERVICE_HOST REDIS_SERVICE_PORT REDIS_PORT_6379_TCP REDIS_PORT_6379_TCP_ADDR
        KUBERNETES_SERVICE_HOST KUBERNETES_PORT DOCKER_HOST SSH_CONNECTION XDG_RUNTIME_DIR
        POWERTOOLS_LOG_LEVEL API_KEY DATABASE_URL CI GITHUB_TOKEN NODE_ENV
    """.split()
    assert misspelt_names(names) == {}


def test_a_provider_without_its_key_is_off():
    """Yahoo and CoinGecko need no key, the others are enabled by theirs."""
    bare = Settings.from_env({})
    assert [source for source in Source if bare.enabled(source)] == [
        Source.YFINANCE,
        Source.COINGECKO,
    ]
    assert Settings.from_env({"FINNHUB_API_KEY": "k"}).enabled(Source.FINNHUB)


def test_the_free_tiers_own_pace_ends_with_the_free_tier():
    """With paid limits a symbol is due in every slot, and not once a minute."""
    assert Settings.from_env({}).update_period_s(Source.COINGECKO) == 60
    paid = Settings.from_env({"COINGECKO_LIMITS": "500/minute"})
    assert paid.update_period_s(Source.COINGECKO) == 5


def test_active_symbols_are_canonical_and_distinct():
    """Several spellings of one symbol in ACTIVE_SYMBOLS are one symbol."""
    settings = Settings.from_env({"ACTIVE_SYMBOLS": "aapl, EURUSD=X,eur-usd ,AAPL,"})
    assert [symbol.text for symbol in settings.active_symbols] == ["AAPL", "EUR/USD"]


def test_the_example_file_holds_every_setting_with_its_default():
    """.env.example is the settings table, and nothing else."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", text, re.MULTILINE))
    assert listed == {setting.name: setting.default for setting in SETTINGS}
    explained = set(re.findall(r"^# (.+)\n#?([A-Z_]+)=", text, re.MULTILINE))
    assert explained == {(setting.meaning, setting.name) for setting in SETTINGS}
    assert re.findall(r"^[A-Z_]+=.*$", text, re.MULTILINE) == ["MARKET=live"]


def test_the_readme_explains_every_setting():
    """README's table names each setting."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = {name for row in re.findall(r"^\| (`[A-Z_`, ]+`) \|", text, re.MULTILINE)
            for name in re.findall(r"[A-Z_]+", row)}  # fmt: skip
    assert {setting.name for setting in SETTINGS} <= rows


def test_free_limits_are_readable():
    """The default limits of every provider can be read as limits."""
    for facts in FACTS.values():
        assert parse_limits(facts.free_limits)
