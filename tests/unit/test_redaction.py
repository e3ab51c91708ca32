"""Masking of known secrets, and of text in a place where a secret usually is."""

import json

import pytest

from marketdata.redaction import redact

SECRET = 'p+l/a"n\\t&ed=Key%'


@pytest.mark.parametrize(
    "text",
    [
        f"key {SECRET} refused",
        json.dumps({"text": SECRET}),
        json.dumps({"text": json.dumps(SECRET)}),
        repr(SECRET),
        "https://x/?q=p%2Bl%2Fa%22n%5Ct%26ed%3DKey%25",
    ],
)
def test_a_known_secret_is_masked_in_every_spelling(text):
    """Plain, in a URL, in JSON and in a repr, no part of a known secret is left."""
    masked = redact(text, [SECRET])
    assert "***" in masked
    assert "Key" not in masked


def test_a_secret_inside_another_leaves_no_rest():
    """If one secret is part of another, the longer one is masked as a whole."""
    assert redact("abcdef abc", ["abc", "abcdef"]) == "*** ***"


@pytest.mark.parametrize(
    "text",
    [
        "GET https://www.alphavantage.co/query?function=X&apikey=S3CRET HTTP/1.1",
        "https://finnhub.io/api/v1/quote?symbol=A&token=S3CRET",
        "https://query1.finance.yahoo.com/v7/finance/quote?crumb=S3CRET&symbols=A",
        "/simple/price?x_cg_demo_api_key=S3CRET",
        "/simple/price?x_cg_pro_api_key=S3CRET",
        "/v1/map?CMC_PRO_API_KEY=S3CRET",
        "X-Finnhub-Token: S3CRET",
        "x-cg-demo-api-key: S3CRET",
        "{'X-CMC_PRO_API_KEY': 'S3CRET', 'Accept': '*/*'}",
        '{"headers": "{\\"X-Finnhub-Token\\": \\"S3CRET\\"}"}',
        "redis://user:S3CRET@cache:6379/0",
        "rediss://:S3C/R@ET@cache:6379",
        "http://user:S3CRET@proxy:3128/",
        "We have detected your API key as S3CRET and our standard API rate limit",
    ],
)
def test_text_in_the_place_of_a_secret_is_masked(text):
    """A key that is not known as a secret is masked because of its place."""
    masked = redact(text)
    assert "***" in masked
    assert "S3C" not in masked
    assert "ET@" not in masked


def test_a_masked_line_of_json_is_still_json():
    """A line of JSON with secrets is still JSON after masking."""
    line = json.dumps(
        {
            "url": "https://x/query?apikey=S3CRET",
            "headers": {"X-Finnhub-Token": "S3CRET"},
            "redis": "redis://:S3CRET@cache:6379",
            "level": "INFO",
        }
    )
    assert json.loads(redact(line)) == {
        "url": "https://x/query?apikey=***",
        "headers": {"X-Finnhub-Token": "***"},
        "redis": "redis://:***@cache:6379",
        "level": "INFO",
    }


@pytest.mark.parametrize(
    "text",
    [
        "quotes committed",
        "http://127.0.0.1:8000/v1/quotes?symbols=AAPL,BTC-USD",
        "redis://cache:6379/0",
        "status 401: it refuses the key",
    ],
)
def test_other_text_is_left_alone(text):
    """A text without a secret is unchanged, and an empty secret masks nothing."""
    assert redact(text, ["", "planted"]) == text


@pytest.mark.parametrize(
    "part",
    [
        "x_cg_", "x-", "x-key ", "x_token", "x-key= ", "redis://:", "rediss://a:b", "a-", "a://", "a://b:c",
        "token=", "api key as ", "apikey", "@", "ab", '\\"', " ", "x-" + "y" * 41 + "key:",
    ],
)  # fmt: skip
def test_a_long_text_is_masked_in_proportion_to_its_length(part):
    """Masking 1 MB that repeats the beginning of a place ends; in square time it would not."""
    text = part * (1_000_000 // len(part))
    assert SECRET not in redact(f"{text} {SECRET}", [SECRET])
