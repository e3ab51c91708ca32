"""The snippets of docs/clients.md, run unchanged against a service as `make start` runs it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from playwright._impl._driver import compute_driver_executable

from tests.support.running_service import ROOT, RunningService, eventually

TEXT = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"^```(sh|python|js)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
# Node comes with Playwright, the package that drives the browser.
COMMANDS = {
    "sh": ["sh", "-e"],
    "python": [sys.executable, "-"],
    "js": [compute_driver_executable()[0], "--input-type=module", "-"],
}
GUARD_S = 60
PRICED = {"AAPL", "BTC-USD", "EUR/USD"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service on the simulated market with a price of each symbol in `PRICED`."""
    with RunningService(tmp_path_factory.mktemp("home")) as service:
        service.ready()
        eventually(lambda: set(service.quotes(",".join(PRICED))[0]) == PRICED, "the first prices")
        yield service


def run(service: RunningService, language: str, snippet: str, folder: Path) -> str:
    """Return what a snippet prints; its address is replaced by the service's."""
    text = snippet.replace("localhost:8000", f"localhost:{service.port}")
    done = subprocess.run(  # noqa: S603  (fixed arguments)
        COMMANDS[language],
        input=text,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=GUARD_S,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def snippet(language: str, having: str) -> str:
    """Return the only snippet of a language that contains `having`."""
    (found,) = (text for name, text in SNIPPETS if name == language and having in text)
    return found


def test_every_snippet_is_run_by_one_of_the_tests():
    """The guide has exactly the snippets that the tests of this file run."""
    assert [name for name, _ in SNIPPETS] == [
        *["sh"] * 4,
        "python",
        *["sh"] * 3,
        *["python"] * 3,
        "js",
    ]


def test_the_first_request_is_answered_as_documented(service, tmp_path):
    """The first request gets three prices and a reason, and the guide names each field."""
    answer = json.loads(run(service, "sh", snippet("sh", "NOPE123"), tmp_path))
    assert {quote["symbol"] for quote in answer["quotes"]} == PRICED
    assert [error["symbol"] for error in answer["errors"]] == ["NOPE123"]
    explained = set(re.findall(r"`(\w+)`", TEXT))
    assert set(answer["quotes"][0]) <= explained
    assert answer["errors"][0]["code"] in explained


def test_an_error_looks_as_documented(service, tmp_path):
    """The error of the guide is exactly the error that the API gives."""
    answer = json.loads(run(service, "sh", snippet("sh", "?symbol=AAPL"), tmp_path))
    (shown,) = (
        block for block in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL) if "type" in block
    )
    assert answer == json.loads(shown)


def test_prices_come_in_euros(service, tmp_path):
    """A converted price is price times rate, and the guide names each field."""
    text = snippet("sh", "currency=EUR")

    def converted():
        quotes = json.loads(run(service, "sh", text, tmp_path), parse_float=Decimal)["quotes"]
        return quotes if all(quote["converted"] for quote in quotes) else None

    for quote in eventually(converted, "a rate"):
        found = quote["converted"]
        assert abs(found["price"] - quote["price"] * found["rate"]) < Decimal("0.000001")
        assert set(found) <= set(re.findall(r"`(\w+)`", TEXT))


def test_the_past_is_printed_point_by_point(service, tmp_path):
    """The history snippet prints lines of a symbol, a time and a price."""
    lines = run(service, "python", snippet("python", "v1/history"), tmp_path).splitlines()
    assert {line.split()[0] for line in lines} == {"AAPL", "BTC-USD"}
    assert all(re.fullmatch(r"\S+ \d+ \d+(\.\d+)?", line) for line in lines)


def test_a_search_finds_the_share(service, tmp_path):
    """The search snippet finds the share first."""
    text = snippet("sh", "q=tesla")
    found = eventually(
        lambda: json.loads(run(service, "sh", text, tmp_path)).get("results"), "the lists"
    )
    assert found[0]["symbol"] == "TSLA"


def test_misspelt_symbols_have_the_suggestions_of_the_text(service, tmp_path):
    """The three misspelt symbols get the suggestions that the guide names."""
    text = snippet("sh", "TSLAA")

    def suggested():
        errors = json.loads(run(service, "sh", text, tmp_path))["errors"]
        return {error["symbol"]: error.get("suggestions", [""])[0] for error in errors}

    expected = {"TSLAA": "TSLA", "BTC-USDT": "BTC-USD", "EUR/USX": "EUR/USD"}
    eventually(lambda: suggested() == expected, "the lists")
    assert "`TSLA`, `BTC-USD` and `EUR/USD`" in TEXT


def test_a_search_finds_the_coin_of_a_pair_with_a_stable_coin(service, tmp_path):
    """The search for a pair with a stable coin finds the coin's pair with the dollar."""
    text = snippet("sh", "q=btc/usdt")
    found = eventually(
        lambda: json.loads(run(service, "sh", text, tmp_path)).get("results"), "the lists"
    )
    assert [one["symbol"] for one in found] == ["BTC-USD"]


def test_a_conditional_request_costs_nothing_until_a_price_comes_in(service, tmp_path):
    """The conditional request is answered with 304 if no tick lies between."""
    text = snippet("sh", "etag-save")
    eventually(lambda: run(service, "sh", text, tmp_path) == "304\n", "a 304")


@pytest.mark.parametrize("language", ["python", "js"])
def test_polling_shows_new_prices_tick_by_tick(service, tmp_path, language):
    """The polling snippet prints all three symbols three times, and their prices change."""
    lines = run(service, language, snippet(language, "shown < 3"), tmp_path).splitlines()
    assert [line.split()[0] for line in lines] == ["AAPL", "BTC-USD", "EUR/USD"] * 3
    assert len({line.split()[1] for line in lines if line.startswith("BTC")}) > 1


def test_the_standard_library_is_enough(service, tmp_path):
    """The snippet for the standard library prints a decimal."""
    printed = run(service, "python", snippet("python", "Decimal"), tmp_path)
    assert re.fullmatch(r"BTC-USD \d+\.\d+ USD for two\n", printed)


def test_all_pages_are_all_assets(service, tmp_path):
    """The paging snippet reads as many assets as `total` says."""
    printed = run(service, "python", snippet("python", "next_cursor"), tmp_path)
    count, _, total, *_ = printed.split()
    assert count == total
