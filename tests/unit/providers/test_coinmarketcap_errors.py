"""CoinMarketCap's errors: a code in the answer matters more than the status."""

from datetime import UTC, datetime

import pytest

from marketdata import errors
from marketdata.domain.symbols import AssetClass
from tests.support import provider_support as support
from tests.support.coinmarketcap_answers import BITCOIN, BTC, CMC, ETH, body, error, parse


@pytest.mark.parametrize("status", [200, 400, 401, 402, 403])
@pytest.mark.parametrize("as_text", [False, True], ids=["number", "text"])
@pytest.mark.parametrize(
    ("code", "error_type"),
    [
        (1001, errors.UnauthorizedError),
        (1002, errors.UnauthorizedError),
        (1003, errors.UnauthorizedError),
        (1004, errors.UnauthorizedError),
        (1005, errors.UnauthorizedError),
        (1006, errors.NotEntitledError),
        (1007, errors.UnauthorizedError),
        (500, errors.UnavailableError),
    ],
)
def test_a_code_decides_whatever_the_status(status, code, as_text, error_type):
    """The code of an error decides, as a number or as text, with any status, also 200."""
    content = error(str(code) if as_text else code)
    with pytest.raises(error_type) as caught:
        parse({**content, "data": [BITCOIN]}, status=status)
    assert type(caught.value) is error_type


@pytest.mark.parametrize(
    ("code", "seconds"),
    [
        (1008, 60.0),
        (1009, (datetime(2026, 11, 23, tzinfo=UTC) - support.NOW).total_seconds()),
        (1010, (datetime(2026, 12, 1, tzinfo=UTC) - support.NOW).total_seconds()),
        (1011, 60.0),
    ],
)
@pytest.mark.parametrize("status", [200, 429])
def test_a_spent_quota_is_held_until_it_starts_anew(status, code, seconds):
    """A spent quota lasts until its minute, day or month ends, or until Retry-After."""
    for headers, held in (({}, seconds), ({"retry_after": "5"}, 5.0)):
        with pytest.raises(errors.RateLimitedError) as caught:
            parse(error(code), status=status, **headers)
        assert caught.value.retry_after_s == held


def test_a_spent_month_in_december_ends_with_the_year():
    """A month that is spent in December is over at the beginning of January."""
    with pytest.raises(errors.RateLimitedError) as caught:
        CMC.parse(
            [BTC], support.answer(error(1010), 429), datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
        )
    assert caught.value.retry_after_s == 60.0


@pytest.mark.parametrize(
    ("status", "content", "error_type"),
    [
        (401, "", errors.UnauthorizedError),
        (402, {}, errors.NotEntitledError),
        (403, support.CLOUDFLARE_PAGE, errors.UnavailableError),
        (403, {}, errors.NotEntitledError),
        (429, "slow down", errors.RateLimitedError),
        (500, support.CLOUDFLARE_PAGE, errors.UnavailableError),
        (400, error(400, "bad parameter"), errors.BadPayloadError),
        (200, error(400, "bad parameter"), errors.BadPayloadError),
        (200, error("what"), errors.BadPayloadError),
        (200, error(0), errors.BadPayloadError),
        (200, body(7), errors.BadPayloadError),
        (200, body([7]), errors.BadPayloadError),
        (302, "", errors.BadPayloadError),
    ],
)
def test_without_a_code_the_status_decides(status, content, error_type):
    """Without a known code the status and the shape of an answer decide."""
    with pytest.raises(error_type) as caught:
        parse(content, status=status)
    assert type(caught.value) is error_type


def test_no_code_is_success():
    """An answer without a status object is read by its data."""
    assert parse({"data": [BITCOIN]}).quotes[0].symbol == "BTC-USD"


def test_an_error_about_ids_is_about_those_ids():
    """Ids that an error names are not found, and other ids of the batch are unavailable."""
    parsed = parse(error(400, 'Invalid value for "id": "1027"'), [BTC, ETH], 400)
    assert support.reasons(parsed) == {"BTC-USD": "provider_unavailable", "ETH-USD": "not_found"}
    parsed = parse(error("400", 'Invalid values for "id": "1,1027"'), [BTC, ETH], 400)
    assert set(support.reasons(parsed).values()) == {"not_found"}
    parsed = parse(error(400, 'Invalid value for "id"'), [BTC], 400)
    assert support.reasons(parsed) == {"BTC-USD": "not_found"}
    parsed = parse(error(400, 'Invalid value for "convert": "USD"'), [BTC, ETH], 400)
    assert set(support.reasons(parsed).values()) == {"not_found"}
    with pytest.raises(errors.BadPayloadError):
        parse(error(400, 'Invalid value for "id"'), [BTC, ETH], 400)


@pytest.mark.parametrize("broken", support.BROKEN_BODIES.values(), ids=support.BROKEN_BODIES.keys())
def test_a_broken_body_is_a_bad_payload(broken):
    """HTML, cut JSON and JSON of other shapes are a bad payload."""
    with pytest.raises(errors.BadPayloadError, match="coinmarketcap"):
        parse(broken)


@pytest.mark.parametrize(
    ("content", "seconds"),
    [
        (error(1009), 86400.0),
        (error(1010), 31 * 86400.0),
        ({"status": {"timestamp": "2026-11-22T23:59:00Z", "error_code": 1009}}, 60.0),
    ],
)
def test_a_hold_counts_by_the_servers_clock(content, seconds):
    """For a list the pause ends by the server's time, or lasts a whole day or month."""
    with pytest.raises(errors.RateLimitedError) as caught:
        CMC.parse_assets(AssetClass.CRYPTO, [support.answer(content, 429)])
    assert caught.value.retry_after_s == seconds
