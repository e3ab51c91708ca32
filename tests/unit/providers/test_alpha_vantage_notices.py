"""Alpha Vantage's notices: errors have status 200, so their text decides what each means."""

from datetime import UTC, datetime

import pytest

from marketdata import errors
from marketdata.domain.symbols import AssetClass
from tests.support import provider_support as support
from tests.support.alpha_vantage_answers import ALPHA, HEADER, parse, stocks

TO_MIDNIGHT_S = (datetime(2026, 11, 23, tzinfo=UTC) - support.NOW).total_seconds()
DAILY = (
    f"We have detected your API key as {support.SECRET} and our standard API rate limit is 25 "
    "requests per day. Please subscribe to any of the premium plans to instantly remove all daily "
    "rate limits."
)
BURST = (
    "Thank you for using Alpha Vantage! Please consider spreading out your free API requests more "
    "sparingly (1 request per second). You may subscribe to any of the premium plans to lift the "
    "free key rate limit (25 requests per day), raise the per-second burst limit, and instantly "
    "unlock all premium endpoints"
)
PREMIUM = (
    "Thank you for using Alpha Vantage! This is a premium endpoint. You may subscribe to any of "
    "the premium plans to instantly unlock all premium endpoints"
)
DEMO = "The **demo** API key is for demo purposes only. Please claim your free API key."
NOTE = "Our standard API call frequency is 5 calls per minute and 500 calls per day."


@pytest.mark.parametrize(
    ("content", "seconds"),
    [
        ({"Information": BURST}, 2.0),
        ({"Information": DAILY}, TO_MIDNIGHT_S),
        ({"Information": "anything else"}, 60.0),
        ({"Note": NOTE}, 60.0),
    ],
)
def test_a_throttle_is_held_as_long_as_it_lasts(content, seconds):
    """A burst pauses for 2 s, a spent day until midnight, and any other notice for a minute."""
    with pytest.raises(errors.RateLimitedError) as caught:
        parse(content)
    assert caught.value.retry_after_s == seconds
    assert support.SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ({"Information": PREMIUM}, errors.NotEntitledError),
        ({"Information": DEMO}, errors.NotEntitledError),
        (
            {"message": f"This is a premium endpoint. {PREMIUM}", "data": [1]},
            errors.NotEntitledError,
        ),
        (
            {"Error Message": "the parameter apikey is invalid or missing. Please claim your key."},
            errors.UnauthorizedError,
        ),
    ],
)
def test_a_bad_key_and_a_small_plan_are_different_errors(content, error):
    """A rejected key is Unauthorized; a premium endpoint and the demo key are NotEntitled."""
    with pytest.raises(error) as caught:
        parse(content)
    assert type(caught.value) is error


@pytest.mark.parametrize(
    ("status", "content", "error"),
    [
        (406, {"detail": "Could not satisfy the request Accept header."}, errors.BadPayloadError),
        (302, "", errors.BadPayloadError),
        (403, support.CLOUDFLARE_PAGE, errors.UnavailableError),
        (503, support.CLOUDFLARE_PAGE, errors.UnavailableError),
        (429, "", errors.RateLimitedError),
    ],
)
def test_other_statuses_come_from_gateways(status, content, error):
    """A status other than 200, which only a gateway gives, decides which error is raised."""
    with pytest.raises(error):
        parse(content, status=status)


@pytest.mark.parametrize("row", ["I,n,f,o,r,m,a", "N,o,t,e"])
def test_a_throttled_table_spells_its_notice(row):
    """A row with one letter of a notice in each column is a rate limit, not a stock `I`."""
    with pytest.raises(errors.RateLimitedError) as caught:
        stocks(f"{HEADER}{row}\r\n")
    assert caught.value.retry_after_s == 60.0


def test_a_throttled_narrow_table_spells_its_notice_too():
    """A notice that is cut to the two columns of a table is a rate limit, too."""
    with pytest.raises(errors.RateLimitedError):
        ALPHA.parse_assets(
            AssetClass.FOREX, [support.answer("currency code,currency name\r\nI,n\r\n")]
        )


def test_a_notice_in_place_of_a_table_is_read():
    """A notice as JSON in place of a table is its own error, and lasts by the answer's date."""
    with pytest.raises(errors.RateLimitedError) as caught:
        stocks({"Information": DAILY}, date="Sun, 22 Nov 2026 23:00:00 GMT")
    assert caught.value.retry_after_s == 3600.0
    with pytest.raises(errors.RateLimitedError) as caught:
        stocks({"Information": DAILY})
    assert caught.value.retry_after_s == 86400.0
    with pytest.raises(errors.UnauthorizedError):
        stocks({"Error Message": "the parameter apikey is invalid or missing."})
