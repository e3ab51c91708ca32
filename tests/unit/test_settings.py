from __future__ import annotations

import re
from pathlib import Path

import pytest

from marketdata.domain.budget import parse_limits
from marketdata.domain.catalogue import FACTS
from marketdata.domain.quotes import Source
from marketdata.errors import SettingsError
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
        ("YAHOO_LIMITS", "60/minute,30/minute", "twice"),
        ("FINNHUB_BASE_URL", "ftp://x", "https://"),
        ("FINNHUB_BASE_URL", "https://user:pw@x", "without user name"),
        ("FINNHUB_BASE_URL", "https://x?apikey=1", "without query"),
    ],
)
def test_a_bad_value_names_setting_value_and_what_is_allowed(name, value, allowed):
    """The error alone is enough to mend the setting."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({name: value})
    message = str(caught.value)
    assert message.startswith(f"{name}={value!r} is not allowed")
    assert allowed in message


def test_a_bad_secret_is_not_shown():
    """A mistyped key does not end up in a terminal or a log."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({"FINNHUB_API_KEY": "my secret key"})
    assert "secret" not in str(caught.value)
    assert "FINNHUB_API_KEY=(masked)" in str(caught.value)


def test_settings_do_not_show_themselves():
    """`repr` would tell the keys."""
    assert "hunter2" not in repr(Settings.from_env({"FINNHUB_API_KEY": "hunter2"}))


def test_a_provider_without_its_key_is_off():
    """Yahoo and CoinGecko need no key, the others are enabled by theirs."""
    bare = Settings.from_env({})
    assert [source for source in Source if bare.enabled(source)] == [
        Source.YFINANCE,
        Source.COINGECKO,
    ]
    assert Settings.from_env({"FINNHUB_API_KEY": "k"}).enabled(Source.FINNHUB)


def test_the_free_tiers_own_pace_ends_with_the_free_tier():
    """With paid limits configured a symbol is due with every tick."""
    assert Settings.from_env({}).update_period_s(Source.COINGECKO) == 60
    paid = Settings.from_env({"COINGECKO_LIMITS": "500/minute"})
    assert paid.update_period_s(Source.COINGECKO) == 5


def test_active_symbols_are_canonical_and_distinct():
    """Spellings of one symbol fold into one."""
    settings = Settings.from_env({"ACTIVE_SYMBOLS": "aapl, EURUSD=X,eur-usd ,AAPL,"})
    assert [symbol.text for symbol in settings.active_symbols] == ["AAPL", "EUR/USD"]


def test_the_example_file_holds_every_setting_with_its_default():
    """.env.example is the settings table, and nothing else."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    told = dict(re.findall(r"^#([A-Z_]+)=(.*)$", text, re.MULTILINE))
    assert told == {setting.name: setting.default for setting in SETTINGS}
    assert all(f"# {setting.meaning}\n#{setting.name}=" in text for setting in SETTINGS)


def test_the_readme_explains_every_setting():
    """README's table names each setting."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = {name for row in re.findall(r"^\| (`[A-Z_`, ]+`) \|", text, re.MULTILINE)
            for name in re.findall(r"[A-Z_]+", row)}  # fmt: skip
    assert {setting.name for setting in SETTINGS} <= rows


def test_free_limits_are_readable():
    """Every provider's default limits are in the notation."""
    for facts in FACTS.values():
        assert parse_limits(facts.free_limits)
