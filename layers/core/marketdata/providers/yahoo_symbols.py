"""Yahoo's prices one symbol at a time, by the public part of yfinance, as a v7 answer.

Used while Yahoo's call for many symbols, yfinance's private way to it, or the crumb is missing. The
prices are in the metadata of the chart call: two requests for a symbol, or one if its time zone is
known, without cookie and crumb. The metadata is read from the answer itself and not from yfinance,
which keeps prices in binary and reads no metadata with an odd time. Figures that the metadata does
not give are left out. The previous close of a chart is that of yesterday only if the chart is of
one day, and never for a coin.
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

from marketdata.domain.changes import rounded_percent
from marketdata.domain.quotes import Source
from marketdata.domain.units import EXACT
from marketdata.errors import (
    BadPayloadError,
    ProviderError,
    UnavailableError,
)
from marketdata.providers.answers import AnswerReader, JsonObject
from marketdata.providers.contract import Response
from marketdata.providers.values import number_or_none
from marketdata.providers.yahoo import UNANSWERED
from marketdata.providers.yahoo_call import AnsweredError, Call
from marketdata.providers.yahoo_transport import YahooTransport

_MOST_TURNS = 10_000
# The members that a chart's metadata and a v7 row have by the same name.
_SAME_NAMES = (
    "currency",
    "regularMarketPrice",
    "regularMarketTime",
    "regularMarketDayHigh",
    "regularMarketDayLow",
    "regularMarketVolume",
)
_UNKNOWN = frozenset({400, 404, 422})  # the chart's error for an unknown symbol


@cache
def prepare_yfinance() -> None:
    """Set yfinance up for this process, once.

    Its caches are in a temporary folder, because a home may be read-only. Its errors are raised.
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
        rows: list[JsonObject] = []
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

    def _row(self, name: str, call: Call) -> JsonObject | None:
        """Return the v7 row of a symbol; None if Yahoo does not know the symbol or its price.

        Raise `BadPayloadError` if this symbol has no answer. Other errors end the whole call.
        """
        call.answer = None
        try:
            ticker = yfinance.Ticker(name, session=self._transport)
            ticker.history(period="1d", interval="1d", timeout=call.left_s())
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
            # yfinance fails over a day without trades and over odd bars, after the answer has come.
            _forget_kept_answers()
            if call.answer is None:
                problem = call.failure or f"the chart cannot be read ({type(exc).__name__})"
                raise BadPayloadError(problem) from None
        return None if call.answer is None else _v7_row(name, _metadata(call.answer))


def _forget_kept_answers() -> None:
    """Drop the answers that yfinance keeps for the life of the process, the bad ones, too.

    Otherwise one bad answer to the question for a time zone would hide its symbol for ever.
    """
    with suppress(AttributeError):  # another version of yfinance
        yfinance.data.YfData.cache_get.cache_clear()


def _metadata(response: Response) -> JsonObject:
    """Return the metadata of a chart, all numbers as `Decimal`; empty for an unknown symbol.

    Raise `BadPayloadError` for an answer that is no chart.
    """
    reader = AnswerReader(Source.YFINANCE)
    chart = reader.json_object(response).get("chart")
    if not isinstance(chart, dict):
        raise reader.bad_payload("no chart", response)
    result = chart.get("result")
    first = result[0] if isinstance(result, list) and result else None
    meta = first.get("meta") if isinstance(first, dict) else None
    return meta if isinstance(meta, dict) else {}


def _v7_row(name: str, meta: Mapping[str, Any]) -> JsonObject | None:
    """Return a chart's metadata as a row of the v7 quote call; None without a price."""
    if meta.get("regularMarketPrice") is None:
        return None
    symbol, kind = meta.get("symbol"), meta.get("instrumentType")
    row = {
        "symbol": symbol if isinstance(symbol, str) and symbol else name,
        "quoteType": kind,
        **{name: meta.get(name) for name in _SAME_NAMES},
    }
    price = number_or_none(meta["regularMarketPrice"])
    close = number_or_none(meta.get("chartPreviousClose"))
    is_yesterdays = meta.get("range") == "1d" and kind != "CRYPTOCURRENCY"
    if price is not None and close and is_yesterdays:
        change = EXACT.subtract(price, close)
        row["regularMarketPreviousClose"] = close
        row["regularMarketChange"] = change
        if close > 0:
            percent = EXACT.divide(EXACT.multiply(change, Decimal(100)), close)
            row["regularMarketChangePercent"] = rounded_percent(percent)
    return row
