"""The line of a request on AWS: what it shows, and what it masks."""

from __future__ import annotations

import json

import pytest

from marketdata.api.request_log import CountedRequests, RequestRecord

SECRET = "planted-secret"


def line_of(capsys: pytest.CaptureFixture[str], requests: CountedRequests) -> dict[str, object]:
    """Return the line of one request whose gateway id contains a secret."""
    record = RequestRecord("GET", "/v1/quotes", 200, gateway_request_id=f"id {SECRET}")
    requests.write(record, duration_s=0.0123456)
    (text,) = capsys.readouterr().out.splitlines()
    line: dict[str, object] = json.loads(text)
    return line


def test_a_line_masks_every_secret_of_the_process(capsys):
    """Secrets are masked in the request line, which Powertools does not write."""
    requests = CountedRequests("prod", "api", secrets=frozenset({SECRET}))
    assert line_of(capsys, requests)["gateway_request_id"] == "id ***"


def test_a_field_that_does_not_apply_is_left_out(capsys):
    """No field of the request line is null, and the duration is in milliseconds."""
    line = line_of(capsys, CountedRequests("prod", "api"))
    assert None not in line.values()
    assert "symbols" not in line
    assert line["duration_ms"] == line["ApiLatency"] == 12.346


def test_secrets_do_not_show_in_a_traceback():
    """The text of the object, as a traceback shows it, has no secret."""
    assert SECRET not in repr(CountedRequests("prod", "api", secrets=frozenset({SECRET})))
