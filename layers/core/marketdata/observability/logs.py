"""Logs: one JSON object a line, with every secret masked on its way out.

Messages are constants, facts are fields. INFO is work done, WARNING a breaker trip, a fallback or
a rate limit, ERROR a failing provider or cache, DEBUG detail.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from marketdata.domain.outcomes import Outcome
from marketdata.redaction import redact

# The logger of which every module's logger is a child.
ROOT = "marketdata"
log = logging.getLogger(f"{ROOT}.telemetry")
# Libraries whose own logs tell URLs, cookies or crumbs.
_TALKATIVE = ("urllib3", "requests", "yfinance", "curl_cffi", "peewee", "botocore", "boto3")
# Libraries that tell of each request, or each start, what our own line says; Lambda's own log would
# take it down to DEBUG.
_CHATTY = ("mangum", "asyncio")
_ENCODER = json.JSONEncoder(separators=(",", ":"), default=str, ensure_ascii=False)
# Secrets that came after the logs were configured.
_learned: set[str] = set()


class RedactingFormatter(LambdaPowertoolsFormatter):
    """Powertools' JSON formatter, with known secrets and key-like parts of URLs masked."""

    def __init__(self, secrets: Iterable[str] = (), **options: Any) -> None:
        super().__init__(**options)
        self._secrets = frozenset(secrets)

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON without secrets, traceback included."""
        return redact(super().format(record), self._secrets | _learned)


def mask(secrets: Iterable[str]) -> None:
    """Mask these in every log line from now on, too."""
    _learned.update(secrets)


def configure_logging(
    function: str, level: str, secrets: Iterable[str] = (), stream: TextIO | None = None
) -> Logger:
    """Send the logs of `marketdata.*` as JSON to `stream` (standard output) from `level` up.

    `function` is the name of the part that logs. A process configures its logs once.
    """
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    logger = Logger(
        service=ROOT,
        level=level,
        stream=stream or sys.stdout,
        logger_formatter=RedactingFormatter(
            secrets,
            utc=True,
            use_rfc3339=True,
            function=function,
            # Powertools would try to parse each message as JSON, and make an encoder for each line.
            json_deserializer=str,
            json_serializer=_ENCODER.encode,
        ),
    )
    # Powertools prefers AWS_LAMBDA_LOG_LEVEL to `level`. Lambda sets it from the function's
    # ApplicationLogLevel, which the template leaves at DEBUG for the sake of the metrics.
    logging.getLogger(ROOT).setLevel(level)
    return logger


def log_plan(plan: Mapping[str, Any]) -> None:
    """Log that a slot had more due than its plan may hold."""
    if plan["deferred"]:
        fields = {name: plan[name] for name in ("slot", "due", "deferred")}
        log.warning("plan is full", extra=fields)


def log_commit(summary: Mapping[str, Any]) -> None:
    """Log what a commit recorded, each fact at the level that it deserves."""
    where = {"slot": summary["slot"], "asset_class": summary["asset_class"]}
    log.info(
        "quotes committed",
        extra={
            **where,
            **{name: summary[name] for name in ("written", "held_back", "missing")},
        },
    )
    if summary["error"]:
        log.error("fetch failed", extra={**where, "error": summary["error"]})
    for step in summary["outcomes"]:
        fields = {**where, **step}
        match Outcome(step["outcome"]):
            case Outcome.RATE_LIMITED:
                log.warning("provider rate limited", extra=fields)
            case Outcome.STALE:
                log.warning("provider answers with old prices", extra=fields)
            case Outcome.UNAVAILABLE | Outcome.BAD_PAYLOAD | Outcome.UNAUTHORIZED:
                log.error("provider failed", extra=fields)
            case _:
                log.debug("provider asked", extra=fields)
    told = [step for step in summary["outcomes"] if step["quotes"]]
    if told and told[0] is not summary["outcomes"][0]:
        log.warning("fallback used", extra={**where, "provider": told[0]["provider"]})
    for transition in summary["transitions"]:
        level = logging.INFO if transition["to"] == "closed" else logging.WARNING
        log.log(level, "breaker changed state", extra={**where, **transition})
