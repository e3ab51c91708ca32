"""docs/simulated-market.md is true: its commands work, and its tables are complete."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import requests

from local.simulator import KINDS, MOVES, MarketServers
from local.simulator.faults import CHOICES, COMMON
from marketdata.domain.quotes import Source

PAGE = (Path(__file__).parents[2] / "docs" / "simulated-market.md").read_text(encoding="utf-8")
COMMANDS = [
    line
    for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]
# The first cell of each row of the tables, with the last one.
ROWS = dict(re.findall(r"^\| `(\w+)` \|.*\| ?(.*?) ?\|$", PAGE, re.MULTILINE))


def asked(command: str, control_url: str) -> requests.Response:
    """The answer to a curl command of the page."""
    arguments = shlex.split(command.replace("$CONTROL", control_url))
    assert arguments.pop(0) == "curl"
    url, options = arguments.pop(0), dict(zip(arguments[::2], arguments[1::2], strict=True))
    data = options.pop("-d", None)
    method = options.pop("-X", "POST" if data else "GET")
    assert options == {}
    return requests.request(method, url, data=data, timeout=5)


@pytest.mark.parametrize("row", COMMANDS)
def test_every_command_of_the_page_is_understood(row):
    """Each command is answered 200, and the planted fault is in the state."""
    with MarketServers() as market:
        answer = asked(row, market.control_url)
        assert answer.status_code == 200, answer.text
        state = asked("curl $CONTROL/control/state", market.control_url).json()
        assert len(state["faults"]) + len(state["moves"]) == ('"fault"' in row)


def test_the_commands_in_the_text_clear_what_they_name():
    """Faults are cleared by provider, by number, and all at once."""
    inline = re.findall(r"`(curl [^`]*DELETE[^`]*)`", PAGE)
    assert inline == ["curl -X DELETE $CONTROL/control/faults?provider=coingecko"]
    with MarketServers() as market:
        for provider in ("coingecko", "finnhub", "finnhub"):
            market.control("hang", provider=provider)
        url = f"{market.control_url}/control/faults"
        assert requests.delete(f"{url}?provider=coingecko", timeout=5).json() == {"cleared": 1}
        assert requests.delete(f"{url}?number=3", timeout=5).json() == {"cleared": 1}
        assert requests.delete(url, timeout=5).json() == {"cleared": 1}


def test_every_fault_and_option_of_the_code_is_on_the_page():
    """The page has each fault and move with its own options, each common option, and no other."""
    assert set(ROWS) == {*KINDS, *MOVES, *COMMON}
    choices = {choice for allowed in CHOICES.values() for choice in allowed}
    for fault, options in {**KINDS, **MOVES}.items():
        named = set(re.findall(r"`(\w+)`", ROWS[fault])) - choices
        assert named == set(options), fault


def test_every_default_on_the_page_is_the_codes():
    """A value in a row of the page is the default of its option in the code."""
    shown = {
        (fault, name): default
        for fault in (*KINDS, *MOVES)
        for name, default in re.findall(r"`(\w+)` (\d[\d.]*|false)", ROWS[fault])
    }
    assert len(shown) >= 10
    options = {**KINDS, **MOVES}
    for (fault, name), default in shown.items():
        assert str(options[fault][name]).lower().removesuffix(".0") == default, (fault, name)


def test_every_fault_of_the_last_part_can_be_planted():
    """Each fault that the page proposes is answered 200."""
    proposed = re.findall(r"`(\{\"fault\".*?\})`", PAGE)
    assert len(proposed) == 4
    with MarketServers() as market:
        for fault in proposed:
            url = f"{market.control_url}/control/faults"
            assert requests.post(url, data=fault, timeout=5).status_code == 200


def test_the_addresses_on_the_page_have_the_right_paths():
    """Each provider's base URL is shown with the path that the market gives it."""
    with MarketServers() as market:
        path = re.sub(r"http://[\d.]+:\d+", "", market.base_urls[Source.FINNHUB])
    assert f'"finnhub": "http://127.0.0.1:40002{path}"' in PAGE
