"""Lambda `commit_quotes`: record what one job brought."""

from __future__ import annotations

from typing import Any

from marketdata.clock import wall_ms
from marketdata.composition import committer, meter
from marketdata.observability.logs import log_commit


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Commit one report, or a job whose fetch failed; see `marketdata.prices.committing`."""
    summary = committer().commit(event, wall_ms())
    log_commit(summary)
    meter().record_commit(summary)
    return summary
