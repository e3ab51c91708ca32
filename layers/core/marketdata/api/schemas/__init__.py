"""The shapes of the answers, as pydantic models: what the OpenAPI document says.

An answer is made from its model, except where a comment in its reader gives a measured reason. A
test validates real answers with the document.
"""

from __future__ import annotations

from marketdata.api.schemas.assets import Assets, Search
from marketdata.api.schemas.problems import Problem
from marketdata.api.schemas.quotes import Histories, Quotes, SingleQuote
from marketdata.api.schemas.status import Health, Providers

__all__ = [
    "Assets",
    "Health",
    "Histories",
    "Problem",
    "Providers",
    "Quotes",
    "Search",
    "SingleQuote",
]
