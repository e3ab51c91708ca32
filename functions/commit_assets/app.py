"""Lambda `commit_assets`: swap a merged list in, unless the old one is better."""

from __future__ import annotations

from typing import Any

from marketdata.clock import wall_ms
from marketdata.composition import asset_committer


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Commit one class's report; see `marketdata.lists.committing.AssetCommitter`."""
    return asset_committer().commit(event, wall_ms())
