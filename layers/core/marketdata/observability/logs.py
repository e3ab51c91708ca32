"""Logs: one JSON object a line, with every secret masked before it is written.

Messages are constants, facts are fields. INFO is for work done, WARNING for a breaker that opens, a
fallback or a rate limit, ERROR for a provider or a cache that fails, DEBUG for detail.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO, TypeAlias, TypeVar

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from pydantic import ValidationError

from marketdata.domain.breaker import BreakerState
from marketdata.domain.outcomes import Outcome
from marketdata.errors import InvalidEventError
from marketdata.redaction import redact

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    # The api loads this module, but not the models of the steps' messages.
    from marketdata.domain.messages import EventJson, Message, Plan, Report, Summary

M = TypeVar("M", bound="Message")

# The logger of which every module's logger is a child.
ROOT = "marketdata"
log = logging.getLogger(f"{ROOT}.steps")
# Libraries whose own logs show URLs, cookies or crumbs.
_SHOWING_SECRETS = ("urllib3", "requests", "yfinance", "curl_cffi", "peewee", "botocore", "boto3")
# Libraries that log each request or each start; our own lines have that already. On Lambda these
# lines would appear at every level.
_REPEATING = ("mangum", "asyncio")
_ENCODER = json.JSONEncoder(separators=(",", ":"), default=str, ensure_ascii=False)
# An event and a context, both as Lambda gives them, and the answer as JSON.
Handler: TypeAlias = "Callable[[EventJson, Any], EventJson]"
# At most this many wrong fields of an event are named.
MOST_PROBLEMS = 3
# Secrets that became known after the logs were configured.
_learned: set[str] = set()


class RedactingFormatter(LambdaPowertoolsFormatter):
    """Powertools' JSON formatter, with known secrets and key-like parts of URLs masked."""

    def __init__(self, secrets: Iterable[str] = (), **options: Any) -> None:
        super().__init__(**options)
        self._secrets = frozenset(secrets)

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON without secrets, with its traceback."""
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
    for name in _SHOWING_SECRETS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    for name in _REPEATING:
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


def lambda_handler(logger: Logger, handler: Handler, *, on_lambda: bool) -> Handler:
    """Return a handler whose log lines carry Lambda's request id.

    On one machine many threads share one log, so that an id of one call would appear in the lines
    of others; there the handler is returned as it is.
    """
    if not on_lambda:
        return handler
    decorated: Handler = logger.inject_lambda_context(handler)
    return decorated


def read_event(model: type[M], event: object) -> M:
    """Return an event as the message that a function takes.

    Log any other event and raise `InvalidEventError`; both name the slot and the job of the event,
    if it has any.
    """
    try:
        return model.model_validate(event)
    except ValidationError as error:
        fields = _named_by(event)
        problems = "; ".join(map(_problem, error.errors(include_url=False)[:MOST_PROBLEMS]))
        text = f"the event is not a {model.__name__}: {problems}"
        log.error("event not understood", extra={**fields, "error": text})  # noqa: TRY400
        raise InvalidEventError(_with_fields(text, fields)) from None


@contextmanager
def step_fields(
    logger: Logger, *, on_lambda: bool, **fields: object
) -> Iterator[Mapping[str, object]]:
    """Put fields into each log line of one step, and log an error that leaves it.

    On Lambda every line of the process has them, those of libraries and threads included, and so
    has the text of the error, which Lambda and Step Functions log. Return the fields with the
    request id of Lambda, for what the step writes beside the log.
    """
    known: dict[str, object] = dict(fields)
    if on_lambda:
        logger.append_keys(**fields)
        known["function_request_id"] = logger.get_current_keys().get("function_request_id")
    try:
        yield known
    except Exception as error:
        log.exception("step failed", extra={**fields, "error": str(error)})
        if error.args and isinstance(error.args[0], str):
            error.args = (_with_fields(error.args[0], fields), *error.args[1:])
        raise
    finally:
        if on_lambda:
            logger.remove_keys(list(fields))


def _named_by(event: object) -> dict[str, object]:
    """The slot and the job that an event names, wherever it does."""
    if not isinstance(event, dict):
        return {}
    inner = event.get("job")
    job = inner if isinstance(inner, dict) else event
    named = {"slot": job.get("slot"), "job": job.get("id") if "slot" in job else None}
    return {name: value for name, value in named.items() if isinstance(value, int | str)}


def _problem(found: ErrorDetails) -> str:
    return f"{'.'.join(map(str, found['loc'])) or 'all of it'}: {found['msg']}"


def _with_fields(text: str, fields: Mapping[str, object]) -> str:
    """Add to a text what the saved query for a slot looks for."""
    named = ", ".join(f"{name} {fields[name]}" for name in ("slot", "job") if fields.get(name))
    return f"{text} ({named})" if named else text


def log_plan(plan: Plan) -> None:
    """Log a slot in one line, and that it had more due than its plan may hold."""
    fields = {
        "slot": plan.slot,
        "execution": plan.execution,
        "claimed": plan.claimed,
        "due": plan.due,
        "jobs": len(plan.jobs),
        "deferred": plan.deferred,
        "skipped": [f"{s.provider.value}/{s.asset_class.value} {s.reason}" for s in plan.skipped],
    }
    log.info("slot planned", extra=fields)
    if plan.deferred:
        log.warning("plan is full", extra=fields)


def log_report(report: Report) -> None:
    """Log what a job's fetch brought, in one line."""
    log.info(
        "job fetched",
        extra={
            "slot": report.job.slot,
            "job": report.job.id,
            "execution": report.job.execution,
            "asset_class": report.job.asset_class.value,
            "quotes": len(report.quotes),
            "missing": len(report.missing),
            "latency_ms": {o.provider.value: o.latency_ms for o in report.outcomes},
        },
    )


def log_commit(summary: Summary) -> None:
    """Log a commit in several lines, each at the level of its fact."""
    event = summary.to_event()
    where = {name: event[name] for name in ("slot", "job", "execution", "asset_class")}
    log.info(
        "quotes committed",
        extra={
            **where,
            **{name: event[name] for name in ("written", "held_back", "missing")},
            **({"missing_symbols": event["missing_symbols"]} if summary.missing_symbols else {}),
        },
    )
    if summary.error:
        log.error("fetch failed", extra={**where, "error": summary.error})
    for outcome in summary.outcomes:
        fields = {**where, **outcome.to_event()}
        match outcome.outcome:
            case Outcome.RATE_LIMITED:
                log.warning("provider rate limited", extra=fields)
            case Outcome.STALE:
                log.warning("provider answers with old prices", extra=fields)
            case Outcome.PARTIAL if outcome.detail:
                log.warning("provider answers incompletely", extra=fields)
            case Outcome.BAD_ROW:
                log.warning("provider answers with unusable rows", extra=fields)
            case Outcome.UNAVAILABLE | Outcome.BAD_PAYLOAD | Outcome.UNAUTHORIZED:
                log.error("provider failed", extra=fields)
            case _:
                log.debug("provider asked", extra=fields)
    answered = [outcome for outcome in summary.outcomes if outcome.quotes]
    if answered and answered[0] is not summary.outcomes[0]:
        log.warning("fallback used", extra={**where, "provider": answered[0].provider.value})
    for change in summary.transitions:
        level = logging.INFO if change.after is BreakerState.CLOSED else logging.WARNING
        log.log(level, "breaker changed state", extra={**where, **change.to_event()})
