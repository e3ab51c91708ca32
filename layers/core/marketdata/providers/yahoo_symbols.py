"""Yahoo's prices one symbol at a time, by what is public in yfinance, told as a v7 answer.

The way out when Yahoo's batch path, or yfinance's private way to it, is gone. It reads the chart
call's metadata, the cheapest that carries a price's own time: two requests for a symbol, one once
its time zone is known, and neither cookie nor crumb. What is not told is left out, not derived: a
chart's previous close is yesterday's only where the chart is of one day, and never for a coin.
"""

from __future__ import annotations

import atexit
import json
import logging
import shutil
import tempfile
import threading
import warnings
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from functools import cache
from typing import Any

import yfinance
from yfinance.exceptions import YFPricesMissingError

from marketdata.errors import BadPayloadError, UnavailableError
from marketdata.providers.contract import Response
from marketdata.providers.yahoo import UNANSWERED
from marketdata.providers.yahoo_transport import AnsweredError, Call, YahooTransport

_REQUESTS_A_SYMBOL = 2
_WINDOW_S = 60.0
_UNKNOWN = frozenset({400, 404, 422})  # how the chart says that it knows no such symbol


@cache
def prepare_yfinance() -> None:
    """Makes yfinance fit for this process, once: it may write, it speaks up, it keeps silent.

    Its caches go to a folder of their own, as a home may be read-only; its failures are raised and
    not swallowed; its logger is off, as its debug lines show crumbs.
    """
    logger = logging.getLogger("yfinance")
    # A filter, because others who configure logging (uvicorn does) enable disabled loggers again.
    logger.addFilter(lambda _: False)
    logger.propagate = False
    folder = tempfile.mkdtemp(prefix="yfinance-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    yfinance.set_tz_cache_location(folder)
    yfinance.config.debug.hide_exceptions = False


class SymbolQuotes:
    """Asks for symbols in turn, for as long as the call's time and the minute's requests last."""

    def __init__(
        self, transport: YahooTransport, clock: Callable[[], float], per_minute: int
    ) -> None:
        prepare_yfinance()
        # yfinance shows its own use of deprecated pandas, which is not for our users to read.
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="yfinance")
        self._transport = transport
        self._clock = clock
        self._per_minute = per_minute
        self._spent: deque[float] = deque()
        self._lock = threading.Lock()

    def ask(self, names: Sequence[str], call: Call) -> Response:
        """A v7 answer with a row for each of `names` (Yahoo's spellings) that has a price.

        Its member `UNANSWERED` lists those that nothing is known of. A rate limit before the first
        row is answered as it came. Raises `UnavailableError` when nothing was answered at all.
        """
        call.crumbless = True
        rows: list[dict[str, Any]] = []
        unanswered: list[str] = []
        over = failure = ""
        for name in names:
            over = over or self._over()
            if over:
                unanswered.append(name)
                continue
            before = call.requests
            try:
                row = self._row(name, call)
                rows += [] if row is None else [row]
            except BadPayloadError as error:
                failure = str(error)
                unanswered.append(name)
            except (AnsweredError, UnavailableError) as error:
                if isinstance(error, AnsweredError) and not rows:
                    return error.response
                over = str(error)
                unanswered.append(name)
            finally:
                self._spend(call.requests - before)
        if len(unanswered) == len(names):
            raise UnavailableError(over or failure)
        body = {"quoteResponse": {"result": rows, "error": None}, UNANSWERED: unanswered}
        headers = {"content-type": "application/json"}
        return Response(200, headers, json.dumps(body, default=str).encode())

    def _row(self, name: str, call: Call) -> dict[str, Any] | None:
        """One symbol's v7 row, None where Yahoo knows no such symbol or no price of it.

        Raises `BadPayloadError` when nothing is known of this one, and what ends it for all.
        """
        try:
            ticker = yfinance.Ticker(name, session=self._transport)
            # A day without trades, or bars that yfinance cannot read: the metadata came first.
            with suppress(YFPricesMissingError, LookupError, TypeError):
                ticker.history(period="1d", interval="1d", timeout=call.left_s())
            return v7_row(name, ticker.history_metadata)
        except AnsweredError as told:
            status = told.response.status
            if status in _UNKNOWN:
                return None
            if status == 429:
                raise
            raise BadPayloadError(f"the chart call answered {status}") from None
        except UnavailableError:
            raise
        except Exception as exc:  # noqa: BLE001  # yfinance, pandas, peewee and curl: anything
            words = call.failure or f"the chart is none ({type(exc).__name__})"
            raise BadPayloadError(words) from None

    def _over(self) -> str:
        """Why no further symbol may be asked for; empty where one may."""
        with self._lock:
            while self._spent and self._spent[0] <= self._clock() - _WINDOW_S:
                self._spent.popleft()
            if len(self._spent) + _REQUESTS_A_SYMBOL <= self._per_minute:
                return ""
        return f"Yahoo: one symbol at a time, so at most {self._per_minute} requests a minute"

    def _spend(self, requests: int) -> None:
        with self._lock:
            self._spent.extend([self._clock()] * requests)


def v7_row(name: str, meta: Mapping[str, Any]) -> dict[str, Any] | None:
    """A chart's metadata in the words of a v7 quote; None without a price."""
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
    }
    if close and meta.get("range") == "1d" and row["quoteType"] != "CRYPTOCURRENCY":
        change = Decimal(str(price)) - Decimal(str(close))
        row["regularMarketChange"] = change
        row["regularMarketChangePercent"] = round(change / Decimal(str(close)) * 100, 6)
    return row
