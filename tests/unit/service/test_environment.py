"""`.env`, the environment and the market: which comes first, and what each sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.service.environment import (
    PROJECT,
    SIMULATED,
    home,
    service_environment,
    state_folder,
    unknown_names,
)
from marketdata.settings import Settings


def written(folder: Path, *lines: str) -> Path:
    """The folder, with a `.env` of these lines in it."""
    (folder / ".env").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_without_a_env_file_the_market_is_simulated(tmp_path):
    """Without a `.env` file the plans and keys of the simulated market are set."""
    env = service_environment(tmp_path, {})
    assert env["MARKET"] == "simulated"
    assert SIMULATED.items() <= env.items()
    settings = Settings.from_env(env)
    assert all(settings.enabled(source) for source in settings.limits)
    assert settings.archive_folder == str(tmp_path / ".local" / "simulated" / "archive")


def test_with_a_env_file_the_market_is_live(tmp_path):
    """With a `.env` file, also an empty one, nothing of the simulated market is set."""
    env = service_environment(written(tmp_path), {})
    assert env["MARKET"] == "live"
    assert not SIMULATED.keys() & env.keys()
    assert env["ARCHIVE_FOLDER"] == str(tmp_path / ".local" / "live" / "archive")


@pytest.mark.parametrize(
    ("lines", "environ", "market"),
    [
        (None, {"MARKET": "live"}, "live"),
        ([], {"MARKET": "simulated"}, "simulated"),
        (["MARKET=simulated"], {}, "simulated"),
        (["MARKET=simulated"], {"MARKET": "live"}, "live"),
        (["MARKET=live"], {"MARKET": ""}, "live"),
        ([], {"MARKET": " Simulated "}, "simulated"),
    ],
)
def test_market_decides_where_it_is_set(tmp_path, lines, environ, market):
    """MARKET decides with or without a `.env`, and the environment comes before the file."""
    if lines is not None:
        written(tmp_path, *lines)
    env = service_environment(tmp_path, environ)
    assert Settings.from_env(env).market == market
    assert ("COINGECKO_LIMITS" in env) == (market == "simulated")
    assert state_folder(tmp_path, env["MARKET"]) == tmp_path / ".local" / market


def test_the_environment_wins_over_the_file(tmp_path):
    """For each name the environment comes before the file, and either alone is used."""
    folder = written(tmp_path, "PORT=8001", "LOG_LEVEL=DEBUG")
    env = service_environment(folder, {"PORT": "8002", "QUOTE_TTL": "60"})
    assert (env["PORT"], env["LOG_LEVEL"], env["QUOTE_TTL"]) == ("8002", "DEBUG", "60")


def test_empty_values_count_as_not_set(tmp_path):
    """An empty or blank value counts as not set, in the environment and in the file."""
    folder = written(tmp_path, "PORT=8001", "REDIS_HOST=", "FINNHUB_API_KEY")
    env = service_environment(folder, {"PORT": "", "REDIS_PREFIX": "  "})
    assert env["PORT"] == "8001"
    assert not {"REDIS_HOST", "REDIS_PREFIX", "FINNHUB_API_KEY"} & env.keys()


def test_what_is_set_wins_over_the_simulated_markets_plans(tmp_path):
    """A limit that is set replaces the simulated market's own limit."""
    assert service_environment(tmp_path, {"COINGECKO_LIMITS": "5/hour"})["COINGECKO_LIMITS"] == (
        "5/hour"
    )


def test_a_key_is_taken_as_it_stands(tmp_path):
    """A value in `.env` keeps its dollar signs, and loses its quotes and its comment."""
    folder = written(tmp_path, "FINNHUB_API_KEY='a$b${PORT}c'  # mine", "#PORT=1")
    env = service_environment(folder, {"PORT": "8002"})
    assert (env["FINNHUB_API_KEY"], env["PORT"]) == ("a$b${PORT}c", "8002")


def test_the_two_markets_share_nothing(tmp_path):
    """The two markets have different folders, and different prefixes of their Redis keys."""
    simulated, live = (service_environment(tmp_path, {"MARKET": m}) for m in ("simulated", "live"))
    assert simulated["ARCHIVE_FOLDER"] != live["ARCHIVE_FOLDER"]
    prefixes = {Settings.from_env(env).redis_prefix for env in (simulated, live)}
    assert len(prefixes) == 2


def test_unknown_names_are_reported(tmp_path):
    """Unknown names are reported: all of the file, and of the environment those like a setting."""
    folder = written(tmp_path, "FINHUB_API_KEY=a", "PORT=1", "ZZZ=1")
    assert unknown_names(folder, {"YAHOO_LIMIT": "1/day", "PATH": "/bin", "PORT": "2"}) == [
        ".env: FINHUB_API_KEY is not a setting; did you mean FINNHUB_API_KEY?",
        ".env: ZZZ is not a setting",
        "YAHOO_LIMIT is not a setting; did you mean YAHOO_LIMITS?",
    ]
    assert unknown_names(tmp_path / "nowhere", {}) == []


def test_home_is_the_project_unless_it_is_named(tmp_path):
    """The home of a service is MARKETDATA_HOME if that is set, and else the project."""
    assert home({}) == home({"MARKETDATA_HOME": ""}) == PROJECT
    assert (PROJECT / "Makefile").is_file()
    assert home({"MARKETDATA_HOME": str(tmp_path)}) == tmp_path.resolve()
