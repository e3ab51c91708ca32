"""Keys in a secret: looked up for each call, read again when a provider rejects one, masked."""

from __future__ import annotations

import json
import logging
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from moto import mock_aws

from marketdata.domain.catalogue import Instrument
from marketdata.domain.messages import Job
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import parse_symbol
from marketdata.errors import UnauthorizedError, UnavailableError
from marketdata.observability import logs
from marketdata.prices.fetching import Clock, Fetcher
from marketdata.providers.contract import CallAllowance, Provider, Request, Response
from marketdata.providers.keys import SecretKeys, secrets_manager, takes_key
from marketdata.providers.registry import make_provider
from marketdata.settings import Settings
from tests.support.jobs import granted

AAPL = (Instrument(parse_symbol("AAPL")),)
REJECTED = Response(401, {}, b'{"error":"Invalid API key"}')


class Store:
    """A secret whose readings are counted; `text` is an error to be raised, or the secret."""

    def __init__(self, text: str | UnavailableError = "{}") -> None:
        self.text = text
        self.readings: list[bool] = []
        self.now_s = 1000.0
        self.learned: set[str] = set()
        self.keys = SecretKeys(self.read, lambda: self.now_s, self.learned.update)

    def read(self, *, anew: bool) -> str:
        self.readings.append(anew)
        if isinstance(self.text, UnavailableError):
            raise self.text
        return self.text

    def provider(self, source: Source = Source.FINNHUB) -> Provider:
        """A real provider of the registry, over the keys of this store."""
        return make_provider(source, Settings.from_env({}), lambda: self.keys.get(source))


class FinnhubLoop:
    """Fetches AAPL again and again from a Finnhub that rejects every key but one."""

    def __init__(self, store: Store, good_key: str = "") -> None:
        self.sent: list[str] = []
        self._good_key = good_key
        self._executor = ThreadPoolExecutor(1)
        provider, clock = store.provider(), Clock(lambda: 0, lambda: store.now_s)
        self._fetcher = Fetcher(
            lambda _: provider, lambda _: self, self._executor, clock, store.keys.note_rejected
        )

    def warm(self) -> None:
        """Do nothing: there is nothing to load."""

    def send(
        self, request: Request, timeout_s: float, allowance: CallAllowance | None = None
    ) -> Response:
        """Answer one request, and keep its key."""
        key = request.headers["X-Finnhub-Token"]
        self.sent.append(key)
        is_good = key == self._good_key
        return Response(200, {}, b'{"c": 1.5, "t": 1771519213}') if is_good else REJECTED

    def fetch(self) -> str:
        """Fetch once; return the outcome."""
        job = {
            "id": "a",
            "slot": 0,
            "deadline_ms": 3000,
            "asset_class": "stocks",
            "instruments": [{"symbol": "AAPL", "ids": {}}],
            "attempts": [granted(Source.FINNHUB, 1)],
        }
        report = self._fetcher.fetch(Job.model_validate(job))
        return report.outcomes[0].outcome.value


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch):
    """Secrets Manager, simulated, and an identity for it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        yield boto3.client("secretsmanager")


def test_the_key_of_the_secret_goes_to_the_provider():
    """A request carries the key that the secret holds under the name of its setting."""
    request = Store('{"FINNHUB_API_KEY": " abc "}').provider().build_request(AAPL)
    assert request.headers["X-Finnhub-Token"] == "abc"


@pytest.mark.parametrize("text", ["{}", '{"FINNHUB_API_KEY": ""}', '{"FINNHUB_API_KEY": null}'])
def test_a_provider_without_its_key_is_not_asked(text):
    """If the secret has no key for a provider that needs one, no request is made."""
    with pytest.raises(UnauthorizedError, match="the secret has no FINNHUB_API_KEY"):
        Store(text).provider().build_request(AAPL)


def test_a_provider_that_needs_no_key_is_asked_without():
    """Without a key in the secret CoinGecko's request has no key."""
    bitcoin = (Instrument(parse_symbol("BTC-USD"), {"coingecko": "bitcoin"}),)
    assert not Store().provider(Source.COINGECKO).build_request(bitcoin).headers


@pytest.mark.parametrize(
    ("text", "proxy"),
    [("{}", ""), ('{"YAHOO_PROXY_URL": " http://u:pw@proxy:3128 "}', "http://u:pw@proxy:3128")],
)
def test_the_proxy_for_yahoo_may_stand_in_the_secret(text, proxy):
    """The secret may have YAHOO_PROXY_URL beside the keys; else there is no proxy."""
    assert Store(text).keys.yahoo_proxy_url() == proxy


@pytest.mark.parametrize("text", ["a-proxy:3128", "http://a-proxy", "ftp://a-proxy:21"])
def test_a_proxy_in_the_secret_that_is_not_a_url_is_an_error(text):
    """The error about an invalid proxy names the setting and does not show the value."""
    keys = Store(f'{{"YAHOO_PROXY_URL": "{text}"}}').keys
    with pytest.raises(
        UnavailableError, match="YAHOO_PROXY_URL in the secret is not a URL"
    ) as caught:
        keys.yahoo_proxy_url()
    assert "a-proxy" not in str(caught.value)


def test_a_rejected_key_is_looked_up_again_once():
    """After a 401 the secret is read anew, and a key that was changed meanwhile is used."""
    store = Store('{"FINNHUB_API_KEY": "old"}')
    loop = FinnhubLoop(store, good_key="new")
    assert loop.fetch() == "unauthorized"
    store.text = '{"FINNHUB_API_KEY": "new"}'
    assert not any(store.readings)
    assert [loop.fetch() for _ in range(3)] == ["ok"] * 3
    assert loop.sent == ["old", "new", "new", "new"]
    assert store.readings.count(True) == 1


def test_a_key_that_stays_rejected_is_looked_up_once_a_minute():
    """While a key is rejected, the secret is read anew at most once in 60 seconds."""
    store = Store('{"FINNHUB_API_KEY": "bad"}')
    loop = FinnhubLoop(store)
    for _ in range(180):
        assert loop.fetch() == "unauthorized"
        store.now_s += 1.0
    assert store.readings.count(True) == 3


def test_a_missing_key_is_looked_up_again():
    """A key that is put into the secret later is used without a restart."""
    store = Store("{}")
    loop = FinnhubLoop(store, good_key="new")
    assert loop.fetch() == "unauthorized"
    store.text = '{"FINNHUB_API_KEY": "new"}'
    assert loop.fetch() == "ok"


def test_a_secret_that_cannot_be_read_is_read_again_after_a_minute():
    """After a failed reading the next one is 60 s later, and the error has AWS's reason."""
    store = Store(UnavailableError("the keys in Secrets Manager cannot be read: AccessDenied"))
    for _ in range(10):
        with pytest.raises(UnavailableError, match="AccessDenied"):
            store.provider().build_request(AAPL)
    assert len(store.readings) == 1
    store.now_s += 60.0
    store.text = '{"FINNHUB_API_KEY": "abc"}'
    assert store.provider().build_request(AAPL).headers["X-Finnhub-Token"] == "abc"


def test_known_keys_are_used_after_a_failed_reading():
    """Keys that were read once are used while the secret cannot be read."""
    store = Store('{"FINNHUB_API_KEY": "abc"}')
    store.provider().build_request(AAPL)
    store.text = UnavailableError("no answer")
    assert store.provider().build_request(AAPL).headers["X-Finnhub-Token"] == "abc"


@pytest.mark.parametrize("text", ["", "hunter2", "[]", '"hunter2"'])
def test_a_secret_that_is_no_object_is_not_quoted(text):
    """A secret that is not a JSON object is an error that shows nothing of the secret."""
    with pytest.raises(UnavailableError, match="not a JSON object") as caught:
        Store(text).keys.get(Source.FINNHUB)
    assert "hunter2" not in repr(caught.value)
    assert caught.value.__cause__ is None


def test_a_key_that_cannot_be_one_is_named_and_not_shown():
    """The error for a key with a line break names the setting only."""
    with pytest.raises(UnauthorizedError, match="FINNHUB_API_KEY in the secret") as caught:
        Store(json.dumps({"FINNHUB_API_KEY": "hun\nter2"})).keys.get(Source.FINNHUB)
    assert "ter2" not in str(caught.value)


def test_keys_of_the_secret_are_masked_in_logs(monkeypatch):
    """A key that was read from the secret is masked in every later log line."""
    monkeypatch.setattr(logs, "_learned", set())
    keys = SecretKeys(lambda **_: '{"FINNHUB_API_KEY": "hunter2"}', lambda: 0.0, logs.mask)
    keys.get(Source.FINNHUB)
    record = logging.LogRecord("marketdata", logging.INFO, "", 0, "sent hunter2", None, None)
    assert "hunter2" not in logs.RedactingFormatter().format(record)


def test_only_yahoo_takes_no_key():
    """Yahoo is the only provider without a key, so its calls never wait for a secret."""
    assert [source for source in Source if not takes_key(source)] == [Source.YFINANCE]


def test_the_secret_is_read_from_aws_and_kept(aws):
    """The secret is kept after it was read, and a forced reading gets the new one."""
    name = aws.create_secret(Name="keys", SecretString="{}")["ARN"]
    read = secrets_manager(name)
    assert read(anew=False) == "{}"
    aws.put_secret_value(SecretId=name, SecretString='{"FINNHUB_API_KEY":"abc"}')
    assert [read(anew=False), read(anew=True)] == ["{}", '{"FINNHUB_API_KEY":"abc"}']


def test_what_aws_rejects_is_reported(aws):
    """A secret that AWS does not have raises UnavailableError with AWS's reason."""
    with pytest.raises(UnavailableError, match="ResourceNotFoundException"):
        secrets_manager("nowhere")(anew=False)


@pytest.fixture
def fetching(monkeypatch, aws):
    """The providers of a function whose keys are in a secret."""
    from marketdata import composition

    name = aws.create_secret(Name="keys", SecretString='{"FINNHUB_API_KEY":"abc"}')["ARN"]
    monkeypatch.setattr(logs, "_learned", set())
    return composition.make_providers(Settings.from_env({"PROVIDER_KEYS_SECRET": name}))


def test_the_fetch_side_uses_the_secret(fetching):
    """With PROVIDER_KEYS_SECRET set, the providers that take keys get them from there."""
    request = fetching.provider(Source.FINNHUB).build_request(AAPL)
    assert request.headers["X-Finnhub-Token"] == "abc"


def test_the_fetch_side_reads_the_secret_again_after_a_rejected_key(fetching, aws):
    """The function's own providers use a new key of the secret after a rejection."""
    finnhub = fetching.provider(Source.FINNHUB)
    finnhub.build_request(AAPL)
    (secret,) = aws.list_secrets()["SecretList"]
    aws.put_secret_value(SecretId=secret["ARN"], SecretString='{"FINNHUB_API_KEY":"new"}')
    assert finnhub.build_request(AAPL).headers["X-Finnhub-Token"] == "abc"
    fetching.note_rejected_key()
    assert finnhub.build_request(AAPL).headers["X-Finnhub-Token"] == "new"
