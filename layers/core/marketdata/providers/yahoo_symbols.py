"""Yahoo's prices one symbol at a time, by the public part of yfinance, as a v7 answer.

Used while Yahoo's call for many symbols, yfinance's private way to it, or the crumb is missing. The
prices are in the metadata of the chart call: two requests for a symbol, or one if its time zone is
known, without cookie and crumb. Figures that the metadata does not give are left out. The previous
close of a chart is that of yesterday only if the chart is of one day, and never for a coin.
"""

from __future__ import annotations

import atexit
import itertools
import json
import logging
import shutil
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from functools import cache
from typing import Any

import yfinance
from yfinance.exceptions import YFPricesMissingError

from marketdata.errors import (
    BadPayloadError,
    ProviderError,
    UnavailableError,
)
from marketdata.providers.contract import Response
from marketdata.providers.yahoo import UNANSWERED
from marketdata.providers.yahoo_transport import AnsweredError, Call, YahooTransport

_MOST_TURNS = 10_000
_UNKNOWN = frozenset({400, 404, 422})  # the chart's error for an unknown symbol


@cache
def prepare_yfinance() -> None:
    """Set yfinance up for this process, once.

    Its caches are in a folder of their own, because a home may be read-only. Its errors are raised.
    Its logger is off, because its debug lines show crumbs.
    """
    logger = logging.getLogger("yfinance")
    # A filter, because other code that configures logging (uvicorn's) enables disabled loggers
    # again.
    logger.addFilter(lambda _: False)
    logger.propagate = False
    folder = tempfile.mkdtemp(prefix="yfinance-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    yfinance.set_tz_cache_location(folder)
    yfinance.config.debug.hide_exceptions = False


def use_proxy(url: str) -> None:
    """Make yfinance reach Yahoo through a proxy, by yfinance's own setting."""
    yfinance.config.network.proxy = url


class SymbolQuotes:
    """Asks for symbols in turn, for as long as the call's time and its allowance last."""

    def __init__(self, transport: YahooTransport) -> None:
        prepare_yfinance()
        # Warnings about yfinance's use of deprecated pandas are not for our users.
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="yfinance")
        self._transport = transport
        self._turns: dict[str, int] = {}
        self._counter = itertools.count(1)

    def ask(self, names: Sequence[str], call: Call, problem: str) -> Response:
        """Return a v7 answer with a row for each of `names` (Yahoo's spellings) that has a price.

        The names that were asked for longest ago come first, so that a small allowance reaches all
        of them in turn. The member `UNANSWERED` lists symbols without an answer. A rate limit
        before the first row is returned as it is. Raise `UnavailableError` if nothing was
        answered at all; `problem` is the reason why symbols are fetched one at a time.
        """
        call.crumbless = True
        rows: list[dict[str, Any]] = []
        unanswered: list[str] = []
        end: ProviderError | None = None
        for name in sorted(names, key=lambda name: self._turns.get(name, 0)):
            if end is None or isinstance(end, BadPayloadError):
                try:
                    row = self._row(name, call)
                    rows += [] if row is None else [row]
                    self._note_turn(name)
                    continue
                except AnsweredError as error:
                    if not rows:
                        return error.response
                    end = UnavailableError(str(error))
                except BadPayloadError as error:
                    self._note_turn(name)
                    end = error
                except ProviderError as error:
                    end = error
            unanswered.append(name)
        if len(unanswered) == len(names) and end is not None:
            raise UnavailableError(f"{problem}: {end}")
        body = {"quoteResponse": {"result": rows, "error": None}, UNANSWERED: unanswered}
        headers = {"content-type": "application/json"}
        return Response(200, headers, json.dumps(body, default=str).encode())

    def _note_turn(self, name: str) -> None:
        if len(self._turns) >= _MOST_TURNS:
            self._turns.clear()
        self._turns[name] = next(self._counter)

    def _row(self, name: str, call: Call) -> dict[str, Any] | None:
        """Return the v7 row of a symbol; None if Yahoo does not know the symbol or its price.

        Raise `BadPayloadError` if this symbol has no answer. Other errors end the whole call.
        """
        try:
            ticker = yfinance.Ticker(name, session=self._transport)
            # A day without trades, or bars that yfinance cannot read; the metadata arrived before.
            with suppress(YFPricesMissingError, LookupError, TypeError):
                ticker.history(period="1d", interval="1d", timeout=call.left_s())
            return v7_row(name, ticker.history_metadata)
        except AnsweredError as error:
            status = error.response.status
            if status in _UNKNOWN:
                return None
            if status == 429:
                raise
            raise BadPayloadError(f"the chart call answered {status}") from None
        except ProviderError:
            raise
        except Exception as exc:  # noqa: BLE001  # yfinance, pandas, peewee and curl: anything
            problem = call.failure or f"the chart cannot be read ({type(exc).__name__})"
            raise BadPayloadError(problem) from None


def v7_row(name: str, meta: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a chart's metadata as a row of the v7 quote call; None without a price."""
    price, close = meta.get("regularMarketPrice"), meta.get("chartPreviousClose")
    if price is None:
        return None
    time: Any = meta.get("regularMarketTime")
    row = {
        "symbol": meta.get("symbol") or name,
        "quoteType": meta.get("instrumentType"),
        "currency": meta.get("currency"),
        "regularMarketPrice": price,
        "regularMarketTime": int(time.timestamp()) if hasattr(time, "timestamp") else time,
        "regularMarketDayHigh": meta.get("regularMarketDayHigh"),
        "regularMarketDayLow": meta.get("regularMarketDayLow"),
        "regularMarketVolume": meta.get("regularMarketVolume"),
    }
    if close and meta.get("range") == "1d" and row["quoteType"] != "CRYPTOCURRENCY":
        row["regularMarketPreviousClose"] = close
        change = Decimal(str(price)) - Decimal(str(close))
        row["regularMarketChange"] = change
        row["regularMarketChangePercent"] = round(change / Decimal(str(close)) * 100, 6)
    return row
