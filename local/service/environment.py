"""The environment of the service on one machine: `.env`, the market, and what it implies.

Environment variables win over `.env`; an empty value counts as not set, in both. The home of a
service is the folder with its `.env` and its `.local`: the project, unless MARKETDATA_HOME names
another, so that a second service (a test's, above all) can keep out of the first one's way.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from marketdata.settings import SETTINGS

PROJECT = Path(__file__).resolve().parents[2]

# A paid plan's feel, so that every price of the simulated market moves with every tick.
SIMULATED = {
    "REDIS_PREFIX": "mda-simulated",
    "FINNHUB_API_KEY": "simulated-key",
    "COINMARKETCAP_API_KEY": "simulated-key",
    "ALPHA_VANTAGE_API_KEY": "simulated-key",
    "COINGECKO_LIMITS": "120/minute",
    "COINMARKETCAP_LIMITS": "120/minute",
    "ALPHA_VANTAGE_LIMITS": "300/minute",
}


def home(environ: Mapping[str, str]) -> Path:
    """The folder with the `.env` and the state of the service."""
    return Path(environ.get("MARKETDATA_HOME") or PROJECT).resolve()


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
    """Where this machine keeps what must outlive a run; never shared between the two markets."""
    return folder / ".local" / market.strip().lower()


def unknown_names(folder: Path) -> list[str]:
    """A line for each name in `.env` that is no setting, with the nearest one that is."""
    file = folder / ".env"
    known = [setting.name for setting in SETTINGS]
    lines = []
    for name in dotenv_values(file, interpolate=False) if file.is_file() else ():
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            lines.append(f".env: {name} is not a setting{hint}")
    return lines
