"""The preflight of a browser behind a gateway."""

from tests.support.api_service import Service


def test_a_preflight_behind_a_gateway_succeeds_without_headers_of_ours(cache):
    """A preflight gets 204 without CORS headers, because the gateway adds them."""
    reply = Service(cache).get(
        "/v1/quotes", "OPTIONS", origin="https://a.b", access_control_request_method="GET"
    )
    assert (reply.status, reply.body) == (204, b"")
    assert not any(name.startswith("access-control") for name in reply.headers)
