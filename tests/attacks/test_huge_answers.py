"""Providers that answer with 60 MB: their answers are cut off, and other providers are used."""

from __future__ import annotations

import gzip
import threading
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from marketdata.domain.quotes import Source
from marketdata.providers.contract import MOST_QUOTE_BYTES
from tests.support.pipeline import GENEROUS

MEGABYTE = 1024 * 1024
HUGE = 60 * MEGABYTE
# More bytes than the kernel keeps for a connection after the client has stopped to read.
KERNEL = 12 * MEGABYTE


class HugeServer:
    """Answers every request with 60 MB, and counts the bytes that it could send."""

    def __init__(self, *, packed: bool) -> None:
        self.sent: list[int] = []
        self._body = gzip.compress(b" " * HUGE, 1) if packed else b" " * HUGE
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler(packed=packed))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Stop the server."""
        self._server.shutdown()
        self._server.server_close()

    def _handler(self, *, packed: bool) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                if packed:
                    self.send_header("Content-Encoding", "gzip")
                self.end_headers()
                sent = 0
                try:
                    for at in range(0, len(server._body), 65_536):
                        sent += self.wfile.write(server._body[at : at + 65_536])
                except OSError:
                    pass
                server.sent.append(sent)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_huge_answers_delay_no_other_provider(make, packed):
    """In the same slot all symbols have prices of other providers, and little was read."""
    hostile = (Source.YFINANCE, Source.COINGECKO)
    with ExitStack() as stack:
        servers = {source: HugeServer(packed=packed) for source in hostile}
        for server in servers.values():
            stack.callback(server.close)
        pipe = make(
            **GENEROUS,
            ACTIVE_SYMBOLS="AAPL,MSFT,BTC-USD,ETH-USD",
            urls={source: server.url for source, server in servers.items()},
        )
        ran = pipe.run_next()
        assert set(pipe.sources().values()) == {"finnhub", "coinmarketcap"}
        assert ran.tick.written.total() == 4
        for source, asset_class in ((Source.YFINANCE, "stocks"), (Source.COINGECKO, "crypto")):
            outcome = ran.outcomes[f"{source.value}/{asset_class}"]
            assert outcome["outcome"] == "unavailable"
            assert f"more than {MOST_QUOTE_BYTES} bytes" in outcome["detail"]
            assert servers[source].sent
            assert max(servers[source].sent) < MOST_QUOTE_BYTES + KERNEL
