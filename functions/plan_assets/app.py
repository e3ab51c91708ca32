"""Lambda `plan_assets`: reserve what the refresh of the asset lists will cost."""

from __future__ import annotations

from typing import Any

from marketdata.clock import wall_ms
from marketdata.composition import asset_planner


def handler(_event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Plan one refresh of all classes; see `marketdata.lists.planning.AssetPlanner`."""
    return asset_planner().plan(wall_ms())
