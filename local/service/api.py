"""`python -m local.service.api LOG_FILE`: the API behind uvicorn, as a separate process.

The app is the same as on AWS. Only the server in front of it differs.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import uvicorn

from local.service.addresses import listen
from local.service.http_protocol import RECEIVE_S, BoundedProtocol
from local.service.logs import log_to_file
from local.service.prometheus import Recorder, WithMetrics
from marketdata import composition
from marketdata.api.serving import on_one_machine
from marketdata.observability.meter import Gauges
from marketdata.settings import Settings


def main(log_file: Path) -> None:
    """Serve until SIGTERM; requests under way get a second to end."""
    logger = log_to_file(log_file, "api")
    settings = Settings.from_env(os.environ)
    stores = composition.connect_stores(settings)
    gauges = Gauges(settings, stores.cache, stores.control, stores.quotes)
    config = uvicorn.Config(
        WithMetrics(on_one_machine(logger, Recorder().record), gauges.read),
        http=BoundedProtocol,
        ws="none",
        log_level="error",  # it would warn of each request that is not HTTP
        access_log=False,
        server_header=False,
        date_header=True,
        timeout_keep_alive=RECEIVE_S,
        timeout_graceful_shutdown=1,
        backlog=256,
    )
    sockets: list[socket.socket] = listen(settings.host, settings.port)
    uvicorn.Server(config).run(sockets=sockets)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
