from tests.support.api_service import Service


def test_a_preflight_behind_a_gateway_succeeds_without_headers_of_ours(cache):
    """Browsers want a 2xx; what is allowed is for the gateway to say, and to say once."""
    reply = Service(cache).get(
        "/v1/quotes", "OPTIONS", origin="https://a.b", access_control_request_method="GET"
    )
    assert (reply.status, reply.body) == (204, b"")
    assert not any(name.startswith("access-control") for name in reply.headers)
