"""Yahoo's prices one symbol at a time, by the public part of yfinance, as a v7 answer.

Used while Yahoo's call for many symbols, yfinance's private way to it, or the crumb is missing. It
reads the metadata of the chart call: two requests for a symbol, one once its time zone is known,
and neither cookie nor crumb. What the metadata does not give is left out: a chart's previous close
is yesterday's only where the chart is of one day, and never for a coin.
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
_UNKNOWN = frozenset({400, 404, 422})  # how the chart says that it knows no such symbol


@cache
def prepare_yfinance() -> None:
    """Set yfinance up for this process, once.

    Its caches go to a folder of their own, as a home may be read-only. Its failures are raised. Its
    logger is off, as its debug lines show crumbs.
    """
    logger = logging.getLogger("yfinance")
    # A filter, because others who configure logging (uvicorn does) enable disabled loggers again.
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
        # yfinance shows its own use of deprecated pandas, which is not for our users to read.
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="yfinance")
        self._transport = transport
        self._turns: dict[str, int] = {}
        self._counter = itertools.count(1)

    def ask(self, names: Sequence[str], call: Call, problem: str) -> Response:
        """Return a v7 answer with a row for each of `names` (Yahoo's spellings) that has a price.

        The names that were asked for longest ago come first, so that a small allowance reaches all
        of them in turn. The member `UNANSWERED` lists those of which nothing is known. A rate limit
        before the first row is answered as it came. Raise `UnavailableError` when nothing was
        answered at all; `problem` is why symbols are asked for one at a time.
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
        """Return one symbol's v7 row, None where Yahoo knows no such symbol or no price of it.

        Raise `BadPayloadError` when nothing is known of this one, and what ends it for all.
        """
        try:
            ticker = yfinance.Ticker(name, session=self._transport)
            # A day without trades, or bars that yfinance cannot read: the metadata came first.
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
