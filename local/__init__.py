"""The whole service on one machine: Redis, the loop, the API, and the simulated market."""

import sys
from pathlib import Path

# `python -m local ...` works from the project's folder without a word about where the package is.
_CORE = str(Path(__file__).parents[1] / "layers" / "core")
if _CORE not in sys.path:
    sys.path.append(_CORE)
