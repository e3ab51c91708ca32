"""The simulated market's servers: one port for each provider and one for control, in one thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Mapping
from types import MappingProxyType, TracebackType
from typing import Any, Self

from local.simulator import coingecko, finnhub
from local.simulator.alpha_vantage import AlphaVantage
from local.simulator.coingecko import CoinGecko
from local.simulator.coinmarketcap import CoinMarketCap
from local.simulator.control import Control
from local.simulator.finnhub import Finnhub
from local.simulator.gate import Gate, Wire
from local.simulator.market import Market
from local.simulator.wire import Connection, Handler
from local.simulator.yahoo import Yahoo
from marketdata.domain.quotes import Source

_PREFIXES = {Source.FINNHUB: finnhub.PREFIX, Source.COINGECKO: coingecko.PREFIX}


class MarketServers(Market):
    """A market with its servers, for a `with` statement; arguments are those of `Market`.

    `base_urls` (by provider) and `control_url` exist after the start. Ports are free ones.
    """

    def __init__(self, *, host: str = "127.0.0.1", **market: Any) -> None:
        super().__init__(**market)
        self.base_urls: Mapping[Source, str] = MappingProxyType({})
        self.control_url = ""
        self._host = host
        self._running: tuple[asyncio.AbstractEventLoop, threading.Thread] | None = None
        self._servers: list[asyncio.Server] = []
        self._connections: set[Connection] = set()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen. Raise OSError if that is not possible."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="market", daemon=True)
        thread.start()
        self._running = loop, thread
        try:
            asyncio.run_coroutine_threadsafe(self._listen(), loop).result()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End all servers and connections, also those that hang. A second call does nothing."""
        if self._running is None:
            return
        loop, thread = self._running
        self._running = None
        asyncio.run_coroutine_threadsafe(self._close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    async def _listen(self) -> None:
        wires: Iterable[Wire] = (
            Yahoo(self),
            Finnhub(self),
            CoinGecko(self),
            CoinMarketCap(self),
            AlphaVantage(self),
        )
        self.base_urls = MappingProxyType(
            {
                wire.source: await self._serve(Gate(self, wire).handle)
                + _PREFIXES.get(wire.source, "")
                for wire in wires
            }
        )
        self.control_url = await self._serve(Control(self, self.base_urls).handle)

    async def _serve(self, handler: Handler) -> str:
        server = await asyncio.get_running_loop().create_server(
            lambda: Connection(handler, self._connections), self._host, 0, backlog=1024
        )
        self._servers.append(server)
        return f"http://{self._host}:{server.sockets[0].getsockname()[1]}"

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for connection in tuple(self._connections):
            connection.abort()
        await asyncio.sleep(0)  # so that the aborted connections are closed
