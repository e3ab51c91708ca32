"""Cold starts: each function in new processes, compared with bare imports of its libraries.

`import` is the time before the first event. `ready` also has made everything that the first event
needs, since importing one of our modules only defines things. Without `.pyc` every module is
compiled, as in a package without bytecode in a read-only folder.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.rounds import race
from tests.benchmarks.table import Row, Section, exact, ms

ROOT = Path(__file__).parents[2]
# The statement that a fetch function runs on Lambda when it is imported.
_WARM = "app.composition.warm_providers(app.process.settings, app.providers)"
# The peak of this program. getrusage would include the peak of the process that forked it.
PEAK_MIB = """
def peak_mib():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
"""
_MEASURED = (
    PEAK_MIB
    + """
import json, sys
print(json.dumps([len(sys.modules), peak_mib()]))
"""
)
_LINE = re.compile(r"import time:\s*(\d+) \|\s*\d+ \| +(\S+)")


@dataclass(frozen=True)
class Function:
    """One Lambda function: the statement that makes it ready, and the libraries that it needs.

    `at_most`: how many times as long as the libraries' its import may take, if the design has
    a bound.
    """

    name: str
    ready: str
    libraries: str
    at_most: float | None = None

    @property
    def module(self) -> str:
        """The first statement of a cold start."""
        return f"import functions.{self.name}.app as app"


FUNCTIONS = (
    Function("api", "app.handler", "fastapi, mangum, redis, aws_lambda_powertools", at_most=1.3),
    Function("plan_quotes", "app.handler", "redis, aws_lambda_powertools"),
    Function("fetch_quotes", _WARM, "yfinance, requests"),
    Function("commit_quotes", "app.handler", "redis, aws_lambda_powertools"),
    Function("plan_assets", "app.handler", "redis, aws_lambda_powertools"),
    Function("fetch_assets", _WARM, "yfinance, requests"),
    Function("commit_assets", "app.handler", "redis, aws_lambda_powertools"),
)


def measure(*, quick: bool) -> Section:
    """Start every function many times."""
    rounds = 1 if quick else 15
    functions = FUNCTIONS[:1] if quick else FUNCTIONS
    section = Section("Cold start")
    with tempfile.TemporaryDirectory() as nowhere:
        bare = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": nowhere}
        for function in functions:
            whole = f"{function.module}; {function.ready}"
            libraries = f"import {function.libraries}"
            result = race(
                {
                    "import": lambda code=function.module: run(code),
                    "libraries": lambda code=libraries: run(code),
                    "ready": lambda code=whole: run(code),
                },
                rounds,
                warm_up=0 if quick else 1,
            )
            compiled = race(
                {"ready": lambda code=whole: run(code, bare)}, max(1, rounds // 5), warm_up=0
            )
            modules, mib = json.loads(run(f"{whole}\n{_MEASURED}"))
            section.rows += [
                Row(f"{function.name}: import", ms(result.spread("import"))),
                Row(
                    f"{function.name}: import of {function.libraries}",
                    ms(result.spread("libraries")),
                ),
                Row(
                    f"{function.name}: import / its libraries",
                    result.ratio("import", "libraries"),
                    "x",
                    at_most=function.at_most,
                ),
                Row(f"{function.name}: ready", ms(result.spread("ready"))),
                Row(f"{function.name}: ready, without .pyc", ms(compiled.spread("ready"))),
                Row(f"{function.name}: modules when ready", exact(modules), ""),
                Row(f"{function.name}: memory when ready", exact(mib), "MiB"),
            ]
            top = ", ".join(f"{name} {spent} ms" for name, spent in contributors(whole))
            section.notes.append(f"{function.name}: most of its time is {top}")
    return section


def run(code: str, added: Mapping[str, str] | None = None, *options: str) -> str:
    """Return the output of a new Python that runs this code."""
    return _process(code, added or {}, options).stdout


def contributors(code: str, most: int = 3) -> list[tuple[str, int]]:
    """Return the packages whose own code takes longest to load, in milliseconds.

    All our packages count as one.
    """
    lines = _process(code, {}, ("-X", "importtime")).stderr.splitlines()
    return summed(lines)[:most]


def summed(lines: Iterable[str]) -> list[tuple[str, int]]:
    """Return the lines of `-X importtime` summed by package, the longest first, in milliseconds."""
    spent: Counter[str] = Counter()
    for line in lines:
        found = _LINE.match(line)
        if found:
            package = found[2].partition(".")[0]
            if package in sys.stdlib_module_names:
                package = "the standard library"
            spent[package] += int(found[1])
    return [(package, round(time_us / 1000)) for package, time_us in spent.most_common()]


def _process(
    code: str, added: Mapping[str, str], options: Iterable[str]
) -> subprocess.CompletedProcess[str]:
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'layers' / 'core'}",
        "REDIS_HOST": "127.0.0.1",
        "METRICS_SERVICE": "benchmark",
        **added,
    }
    return subprocess.run(  # noqa: S603  (fixed arguments)
        [sys.executable, *options, "-c", code],
        env=env, cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
