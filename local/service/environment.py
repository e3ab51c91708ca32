"""The environment of the service on one machine: variables, `.env`, and defaults for the market.

Environment variables come before `.env`. In both an empty value counts as not set. The home of a
service is the folder with its `.env` and its `.local`: the project, unless MARKETDATA_HOME names
another folder. So a second service, for example in a test, does not use the files of the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from marketdata.setting_names import OTHER_VARIABLES, misspelt_names, nearest_name
from marketdata.settings import SETTINGS_BY_NAME

PROJECT = Path(__file__).resolve().parents[2]

# Limits like those of paid plans. With them every price of the simulated market changes with each
# tick, and Finnhub can replace Yahoo although it takes one symbol a call.
SIMULATED = {
    "REDIS_PREFIX": "mda-simulated",
    "FINNHUB_API_KEY": "simulated-key",
    "FINNHUB_LIMITS": "300/minute,30/second",
    "COINMARKETCAP_API_KEY": "simulated-key",
    "ALPHA_VANTAGE_API_KEY": "simulated-key",
    "COINGECKO_LIMITS": "120/minute",
    "COINMARKETCAP_LIMITS": "120/minute",
    "ALPHA_VANTAGE_LIMITS": "300/minute",
}


def home(environ: Mapping[str, str]) -> Path:
    """Return the folder with the `.env` and the state of the service."""
    return Path(environ.get("MARKETDATA_HOME") or PROJECT).resolve()


def is_in_container(environ: Mapping[str, str]) -> bool:
    """Return whether the service runs in the image of `Dockerfile`, which sets a variable."""
    return environ.get("MARKETDATA_CONTAINER") == "1"


def service_environment(folder: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for a service started in `folder`, `MARKET` and state folders included.

    Without a `.env` the market is simulated; with one it is live, unless MARKET says otherwise.
    """
    file = folder / ".env"
    stored = dotenv_values(file, interpolate=False) if file.is_file() else {}
    merged = {name: value for name, value in stored.items() if value and value.strip()}
    merged |= {name: value for name, value in environ.items() if value.strip()}
    merged.setdefault("MARKET", "live" if file.is_file() else "simulated")
    if merged["MARKET"].strip().lower() == "simulated":
        merged = SIMULATED | merged
    state = state_folder(folder, merged["MARKET"])
    merged.setdefault("ARCHIVE_FOLDER", str(state / "archive"))
    return merged


def state_folder(folder: Path, market: str) -> Path:
    """Return the folder for data that outlives a run; each market has its own."""
    return folder / ".local" / market.strip().lower()


def unknown_names(folder: Path, environ: Mapping[str, str]) -> list[str]:
    """Return a line for each name that is not a setting, with the nearest setting.

    In `.env` every name that is not a setting counts; in the environment only a name that looks
    like one.
    """
    file = folder / ".env"
    stored = dotenv_values(file, interpolate=False) if file.is_file() else {}
    known = (*SETTINGS_BY_NAME, *OTHER_VARIABLES)
    in_file = {name: nearest_name(name) for name in stored if name not in known}
    return [
        f"{place}{name} is not a setting" + (f"; did you mean {near}?" if near else "")
        for place, names in ((".env: ", in_file), ("", misspelt_names(environ)))
        for name, near in names.items()
    ]
