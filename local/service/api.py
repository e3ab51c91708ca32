"""`python -m local.api LOG_FILE`: the api's app behind uvicorn, as a process of its own.

It is the same app as on AWS; only the server in front differs.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import uvicorn

from local.service.http_protocol import ProblemProtocol
from local.service.logs import log_to_file
from marketdata.api.serving import on_one_machine
from marketdata.settings import Settings


def main(log_file: Path) -> None:
    """Serve until SIGTERM; requests under way get a second to end."""
    log = log_to_file(log_file, "api")
    uvicorn.run(
        on_one_machine(log),
        http=ProblemProtocol,
        host="127.0.0.1",
        port=Settings.from_env(os.environ).port,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
