"""Cold starts in the Lambda image: packages without bytecode, as they are shipped, and with less.

Packages on Lambda are read-only, so `.pyc` files are in a package from the start or never. Needs
Docker. Each way of packing has a container with the packages mounted as on Lambda, once with all
processors and once with the share that the function's memory buys. In each round a new Python
starts in each container, one after the other.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.benchmarks.cold_start import FUNCTIONS, Function
from tests.benchmarks.rounds import Race
from tests.benchmarks.table import Row, Section, exact, ms
from tests.infrastructure.stack import ROOT, template
from tests.sam_local.engine import docker, processor
from tests.sam_local.sam import logical

MEASURED = ("api", "plan_quotes", "fetch_quotes")
# Lambda gives one processor for 1,769 MB of memory, and a share of one for less memory.
MB_OF_A_PROCESSOR = 1769
ROUNDS = 11
# The design's bounds on a function with its layers.
MOST_MIB = {"api": 35, "fetch_quotes": 200}
PYTHON = "/var/lang/bin/python3.13"
PATH = "/var/task:/opt/python:/var/runtime"
_MODULES = """
import json, sys
files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
print(json.dumps([file for file in files if file and file.startswith(("/var/task", "/opt"))]))
"""
# Runs inside `docker exec`, whose own time is therefore not counted.
_TIMER = """
import subprocess, sys, time
began = time.perf_counter()
subprocess.run([sys.executable, "-c", sys.argv[1]], check=True)
print(time.perf_counter() - began)
"""


@dataclass(frozen=True)
class Packed:
    """The packages of one function, in a folder, as Lambda unpacks them."""

    folder: Path
    function: Function

    @property
    def task(self) -> Path:
        """The folder that Lambda mounts as /var/task."""
        return self.folder / logical(self.function.name)

    @property
    def layers(self) -> list[Path]:
        """The folders that Lambda unpacks below /opt."""
        names = ["CoreLayer", *(["YahooLayer"] if self.function.name.startswith("fetch") else [])]
        return [self.folder / name / "python" for name in names]

    @property
    def size_mib(self) -> float:
        """The unzipped size that Lambda counts."""
        files = (path for part in (self.task, *self.layers) for path in part.rglob("*"))
        return sum(path.stat().st_size for path in files if path.is_file()) / 2**20

    @property
    def cpus(self) -> dict[str, str]:
        """The number of processors of each container, by its name in the table."""
        properties = template()["Resources"][logical(self.function.name)]["Properties"]
        share = f"{properties['MemorySize'] / MB_OF_A_PROCESSOR:.2f}"
        share_name = f"{share} processors, as of {properties['MemorySize']} MB"
        return {"whole processors": str(os.cpu_count()), share_name: share}

    @property
    def code(self) -> str:
        """The statements of a cold start."""
        return f"import app; {self.function.ready}"

    @contextmanager
    def container(self, cpus: str) -> Iterator[str]:
        """Run a container that waits for cold starts."""
        with tempfile.TemporaryDirectory(dir=self.folder.parent) as opt:
            for layer in self.layers:
                shutil.copytree(layer, opt, dirs_exist_ok=True)
            name = docker(
                *("run", "--detach", "--rm", "--network", "none", "--cpus", cpus),
                *("--volume", f"{self.task}:/var/task:ro", "--volume", f"{opt}:/opt/python:ro"),
                *("--env", f"PYTHONPATH={PATH}", "--env", "REDIS_HOST=127.0.0.1"),
                *("--env", "METRICS_SERVICE=benchmark", "--entrypoint", PYTHON, image()),
                *("-c", "import time; time.sleep(3600)"),
            )
            try:
                yield name
            finally:
                docker("rm", "--force", name)


def image() -> str:
    """Return the image of Lambda's Python for this engine."""
    return f"public.ecr.aws/lambda/python:3.13-{processor()}"


def measure(*, quick: bool) -> Section:
    """Start the functions many times, packed in each way."""
    rounds = 2 if quick else ROUNDS
    section = Section("Cold start in the Lambda image")
    functions = [function for function in FUNCTIONS if function.name in MEASURED]
    below = ROOT / ".local"  # Docker engines do not see every folder
    below.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=below) as place:
        bare, shipped, loaded = (Path(place, name) for name in ("bare", "shipped", "loaded"))
        python = docker("run", "--rm", "--entrypoint", PYTHON, image(), "-V")  # pulls the image
        build(shipped)
        shutil.copytree(shipped, bare, ignore=shutil.ignore_patterns("__pycache__"))
        _only_loaded(shipped, bare, loaded)
        for function in functions:
            name = function.name
            ways = {
                "without .pyc": Packed(bare, function),
                "as shipped": Packed(shipped, function),
                "with .pyc of what is loaded": Packed(loaded, function),
            }
            section.rows += [
                Row(
                    f"{name}: size {way}", exact(packed.size_mib), "MiB", at_most=MOST_MIB.get(name)
                )
                for way, packed in ways.items()
            ]
            for share_name, cpus in ways["without .pyc"].cpus.items():
                result = _race(ways, cpus, rounds)
                named = f"{name}, {share_name}: ready"
                section.rows += [Row(f"{named} {way}", ms(result.spread(way))) for way in ways]
                section.rows += [
                    Row(f"{named} {way} / without", result.ratio(way, "without .pyc"), "x")
                    for way in list(ways)[1:]
                ]
    section.notes.append(f"{image()}: {python}")
    return section


def build(folder: Path) -> None:
    """Make the packages as `sam build` makes them."""
    sources = {"CoreLayer": "layers/core", "YahooLayer": "layers/yahoo"}
    sources |= {logical(function.name): f"functions/{function.name}" for function in FUNCTIONS}
    for name, source in sources.items():
        artifacts = folder / name
        artifacts.mkdir(parents=True)
        makefile = ROOT / "layers" / "build" / processor() / "Makefile"
        subprocess.run(  # noqa: S603  (fixed arguments)
            ["make", "--silent", f"--makefile={makefile}", f"build-{name}"],  # noqa: S607
            env={**os.environ, "ARTIFACTS_DIR": str(artifacts), "PYTHON": sys.executable},
            cwd=ROOT / source, check=True, capture_output=True,
        )  # fmt: skip
    assert list(folder.rglob("*.pyc")), "no bytecode: there is no Python of Lambda's version here"


def _only_loaded(shipped: Path, bare: Path, folder: Path) -> None:
    """Make packages with the bytecode of only those modules that a ready function has loaded."""
    shutil.copytree(bare, folder)
    for function in FUNCTIONS:
        packed = Packed(shipped, function)
        with packed.container(str(os.cpu_count())) as name:
            files = json.loads(docker("exec", name, PYTHON, "-c", packed.code + _MODULES))
        for file in files:
            inside = Path(file.removeprefix("/var/task/").removeprefix("/opt/python/"))
            cached = inside.parent / "__pycache__" / f"{inside.stem}.cpython-313.pyc"
            for part in (packed.task, *packed.layers):
                if (part / cached).is_file():
                    target = folder / part.relative_to(shipped) / cached
                    target.parent.mkdir(exist_ok=True)
                    shutil.copy(part / cached, target)


def _race(ways: Mapping[str, Packed], cpus: str, rounds: int) -> Race:
    """Start each way in turn, in another order each round; the first round does not count."""
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    with _containers(ways, cpus) as start:
        names = list(ways)
        for number in range(rounds + 1):
            shift = number % len(names)
            for name in names[shift:] + names[:shift]:
                took = start[name]()
                if number:
                    seconds[name].append(took)
    return Race(seconds)


@contextmanager
def _containers(
    ways: Mapping[str, Packed], cpus: str
) -> Iterator[Mapping[str, Callable[[], float]]]:
    with ExitStack() as stack:
        names = {way: stack.enter_context(packed.container(cpus)) for way, packed in ways.items()}
        yield {way: partial(_cold_start, names[way], ways[way].code) for way in ways}


def _cold_start(container: str, code: str) -> float:
    return float(docker("exec", container, PYTHON, "-c", _TIMER, code))
