"""The whole service on one machine: Redis, the loop, the API, and the simulated market."""

import sys
from pathlib import Path

# So that `python -m local ...` finds the package when it is started in the project's folder.
_CORE = str(Path(__file__).parents[1] / "layers" / "core")
if _CORE not in sys.path:
    sys.path.append(_CORE)
