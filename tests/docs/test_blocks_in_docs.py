"""Each block of commands on a page is run by this file or by the suite named here."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.service.environment import PROJECT, service_environment, unknown_names
from marketdata.settings import Settings
from tests.support.markdown_pages import NAMES, Block, blocks
from tests.support.running_service import RunningService, eventually

HERE = "tests/docs/test_blocks_in_docs.py"
GUIDES = "tests/infrastructure/test_guides.py"
NAMED = "tests/docs/test_names_in_docs.py"
# The file that runs a block, by page and first line of the block. Blocks of NAMED need an AWS
# account: their operations, options and make targets are checked without running them.
RUN_BY = {
    "README.md": {
        "make start": ".ci/run",
        "cp .env.example .env": HERE,
        "docker compose up": "tests/container/test_container.py",
        "curl 'localhost:8000/v1/quotes?symbols=AAPL,BTC-USD,EUR/USD,NOPE123'": HERE,
        "docker compose up -d redis": "tests/sam_local/engine.py",
        "sam build": "tests/deployment/sam.py",
    },
    "CONTRIBUTING.md": {"make quick": NAMED},
    "docs/clients.md": {"": "tests/e2e/test_client_snippets.py"},
    "docs/simulated-market.md": {"": "tests/simulator/test_simulated_market_page.py"},
    "docs/performance.md": {"make bench": "tests/e2e/test_benchmarks.py"},
    "docs/operating.md": {"": "tests/infrastructure/test_queries.py"},
    "docs/deploying.md": {
        "sam build": "tests/deployment/sam.py",
        "sam deploy --guided": "tests/deployment/sam.py",
        "sam deploy --parameter-overrides": GUIDES,
        "sam delete": "tests/deployment/sam.py",
        "curl 'https://<id>": GUIDES,
        "aws ": NAMED,
        "git ": NAMED,
        "make smoke": "tests/infrastructure/test_smoke.py",
        "bucket=": NAMED,
        "make deploy-test": ".ci/run",
    },
}
PICTURES = ("market  SIMULATED", "functions/")  # printed lines, and a list of folders
COMMANDS = [
    block
    for name in NAMES
    for block in blocks(name)
    if block.language in ("sh", "") and not block.first_line.startswith(PICTURES)
]
# Numbers, which differ from start to start.
VARYING = re.compile(r"\d+")


def suite_of(block: Block) -> str:
    """Return what runs a block; empty if nothing does."""
    listed = RUN_BY.get(block.page, {})
    matching = [begin for begin in listed if block.first_line.startswith(begin)]
    return listed[max(matching, key=len)] if matching else ""


@pytest.mark.parametrize("block", COMMANDS, ids=lambda block: f"{block.page} {block.first_line}")
def test_every_block_of_commands_has_a_suite_that_runs_it(block):
    """Each block of commands has an entry in `RUN_BY`, and the entry's file exists."""
    assert suite_of(block), f"{block.page}: nothing runs {block.first_line!r}"
    assert (PROJECT / suite_of(block)).is_file()


def test_the_table_names_no_block_that_is_gone():
    """Each entry of `RUN_BY` belongs to a block."""
    for page, listed in RUN_BY.items():
        lines = [block.first_line for block in COMMANDS if block.page == page]
        for begin in listed:
            assert any(line.startswith(begin) for line in lines), (page, begin)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service on the simulated market, with a price of each active symbol."""
    with RunningService(tmp_path_factory.mktemp("home")) as service:
        service.ready()
        eventually(lambda: len(service.quotes("AAPL,BTC-USD,EUR/USD")[0]) == 3, "the first prices")
        yield service


def readme(first: str, language: str = "sh") -> Block:
    """Return the block of README whose text starts with `first`."""
    (found,) = (
        block
        for block in blocks("README.md")
        if block.language == language and block.text.startswith(first)
    )
    return found


def test_the_first_question_is_answered_as_shown(service):
    """README's curl command gets the fields and errors of README's sample."""
    command = readme("curl").text.replace("localhost:8000", f"localhost:{service.port}")
    done = subprocess.run(["sh", "-ec", command], check=True, capture_output=True, text=True)  # noqa: S603, S607
    answer = json.loads(done.stdout)
    shown = json.loads(re.sub(r",\s*\.\.\.\]", "]", readme('{"market"', "json").text))
    assert list(answer) == list(shown)
    assert [quote["symbol"] for quote in answer["quotes"]] == ["AAPL", "BTC-USD", "EUR/USD"]
    assert list(answer["quotes"][0]) == list(shown["quotes"][0])
    assert [{**error, "message": ""} for error in answer["errors"]] == [
        {**error, "message": ""} for error in shown["errors"]
    ]
    assert answer["errors"][0]["message"] == shown["errors"][0]["message"]

    def judged() -> bool:
        return service.quotes("NOPE123")[1]["NOPE123"]["code"] == "not_found"

    eventually(judged, "NOPE123 not found")


def test_a_start_prints_what_is_shown(service):
    """A start prints README's lines, except for numbers and the order of the lists."""
    shown = readme("market  SIMULATED", "").text.splitlines()
    before, ticks = shown[:8], shown[8:]
    printed = eventually(
        lambda: service.output.splitlines() if len(service.output.splitlines()) > 9 else None,
        "two ticks",
    )

    def shape(lines: list[str]) -> list[str]:
        texts = [re.sub(r"\s+", " ", VARYING.sub("0", line)) for line in lines]
        lists = sorted(text for text in texts if text.startswith("assets"))
        return [lists.pop(0) if text.startswith("assets") else text for text in texts]

    assert shape(printed[:8]) == shape(before)
    assert set(shape(ticks)) <= set(shape(printed[8:]))


def test_a_copy_of_the_example_means_live_prices(tmp_path):
    """A copy of `.env.example` is a valid `.env` that means live prices and needs no key."""
    shutil.copy(PROJECT / ".env.example", tmp_path / ".env")
    assert readme("cp .env.example .env").text.splitlines()[1] == "make start"
    environment = service_environment(Path(tmp_path), {})
    assert Settings.from_env(environment).market == "live"
    assert unknown_names(Path(tmp_path), {}) == []
