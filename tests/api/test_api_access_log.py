"""The log line of each request."""

import json
import logging

import pytest

from tests.support.api_service import Service

NAMES = ("method", "route", "status", "symbols", "code", "duration_ms")


def line_of(service):
    """Return the checked fields of the only log line, which is JSON."""
    (line,) = service.log.getvalue().splitlines()
    return {name: value for name, value in json.loads(line).items() if name in NAMES}


def test_each_request_is_one_line(cache):
    """A request writes one line with its route, status, duration and number of symbols."""
    service = Service(cache)
    service.get("/v1/quotes?symbols=AAPL,MSFT,aapl")
    line = line_of(service)
    assert line.pop("duration_ms") >= 0
    assert line == {"method": "GET", "route": "/v1/quotes", "status": 200, "symbols": 2}


@pytest.mark.parametrize(
    ("target", "method", "expected"),
    [
        ("/v1/quotes/NOPE", "GET", ("/v1/quotes/{symbol:path}", 404, "pending")),
        ("/v1/quotes?symbol=A", "HEAD", ("/v1/quotes", 400, "unknown_parameter")),
        ("/docs", "GET", ("/docs", 200, None)),
        ("/the/secret", "GET", (None, 404, "no_such_route")),
    ],
)
def test_a_line_names_the_route_and_the_kind_of_problem(cache, target, method, expected):
    """A line has the route and the problem's code, and no path that is not a route."""
    service = Service(cache)
    service.get(target, method)
    line = line_of(service)
    assert line["method"] == method
    assert (line.get("route"), line["status"], line.get("code")) == expected


def test_a_failure_is_a_line_too(cache):
    """A request that fails with an exception also writes its line."""
    service = Service(cache)

    def fail(request):
        raise RuntimeError

    service.app.add_route("/boom", fail)
    service.get("/boom")
    line = line_of(service)
    assert (line["route"], line["status"]) == ("/boom", 500)


def test_nothing_that_a_client_wrote_is_in_the_log(cache, caplog):
    """No text of a path, a query or a header is in the log."""
    with caplog.at_level(logging.DEBUG, "marketdata"):
        service = Service(cache)
        service.get(
            "/v1/quotes/PLANTED1?max_age=planted2", authorization="planted3", cookie="planted4"
        )
        service.get("/planted5?planted6=planted7")
    assert len(service.log.getvalue().splitlines()) == 2
    logged = " ".join([service.log.getvalue(), *(str(vars(r)) for r in caplog.records)]).lower()
    assert "planted" not in logged
