"""One build, one Redis, one market and one API in containers, for the whole suite."""

from __future__ import annotations

import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.service.signals import interrupted_by
from marketdata.domain.quotes import Source
from marketdata.settings import ENV_PREFIXES
from tests.infrastructure.stack import ROOT
from tests.sam_local.engine import Engine, processor, running
from tests.sam_local.sam import Sam, Served, copied

# Symbols of each class, so that a tick has three jobs.
ACTIVE = "AAPL,MSFT,BRK.B,BTC-USD,ETH-USD,EUR/USD,USD/JPY"


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A copy of the project inside the project, because Docker engines do not see every folder."""
    interrupted_by(signal.SIGTERM)  # so that containers end if the run is ended
    place = ROOT / ".local"
    place.mkdir(exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix="sam-test-", dir=place))
    yield copied(made)
    shutil.rmtree(made)


@pytest.fixture(scope="session")
def engine(folder: Path) -> Iterator[Engine]:
    """A network with a Redis."""
    with running(folder) as engine:
        yield engine


@pytest.fixture(scope="session")
def sam(folder: Path, engine: Engine) -> Sam:
    """SAM with everything built, and with the simulated market as providers."""
    sam = Sam(folder, processor(), engine.network)
    sam.build()
    urls = engine.market(folder / ".aws-sam" / "build" / "CoreLayer" / "python")
    addresses = {f"{ENV_PREFIXES[Source(source)]}_BASE_URL": url for source, url in urls.items()}
    sam.settings(ACTIVE_SYMBOLS=ACTIVE, **addresses)
    return sam


@pytest.fixture(scope="session")
def api(sam: Sam) -> Iterator[Served]:
    """The API as `sam local start-api` serves it."""
    with sam.serving("start-api") as api:
        yield api


@pytest.fixture
def empty(engine: Engine) -> None:
    """A Redis with nothing in it."""
    engine.empty_redis()
