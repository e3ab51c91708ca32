"""The IAM token for ElastiCache: a presigned request without its scheme, signed by botocore."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.credentials import Credentials
from botocore.session import Session
from redis.exceptions import AuthenticationError

from marketdata.cache.client import connect
from marketdata.cache.iam import IamCredentials
from marketdata.settings import Settings


@pytest.fixture
def session(monkeypatch) -> Session:
    """A session of botocore with its own identity, independent of this machine's settings."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    session = Session()
    session._credentials = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI", "session-token")
    return session


def credentials_of(session: Session, *, serverless: bool) -> tuple[str, str]:
    """Return the user and the token for a cache."""
    return IamCredentials(
        user="mda-user", cache_name="Prices", serverless=serverless, session=session
    ).get_credentials()


@pytest.mark.parametrize("serverless", [True, False])
def test_the_token_is_a_presigned_connect_request(session, serverless):
    """The token names cache, user and action, lasts 15 minutes and has no secret key."""
    user, token = credentials_of(session, serverless=serverless)
    parts = urlsplit(f"//{token}")
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    date = query["X-Amz-Date"]
    assert user == "mda-user"
    assert parts.netloc + parts.path == "prices/"
    assert ("ResourceType" in query) is serverless
    assert len(query.pop("X-Amz-Signature")) == 64
    assert query.pop("ResourceType", "ServerlessCache") == "ServerlessCache"
    assert query == {
        "Action": "connect",
        "User": "mda-user",
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"AKIDEXAMPLE/{date[:8]}/eu-central-1/elasticache/aws4_request",
        "X-Amz-Date": date,
        "X-Amz-Expires": "900",
        "X-Amz-SignedHeaders": "host",
        "X-Amz-Security-Token": "session-token",
    }
    assert "wJalrXUtnFEMI" not in token


def test_without_an_identity_the_error_says_so(session):
    """Without AWS credentials the error is an authentication error that names the cause."""
    session._credentials = None
    session.register_component("credential_provider", _Nobody())
    with pytest.raises(AuthenticationError, match="no AWS credentials"):
        credentials_of(session, serverless=True)


def test_iam_is_signed_only_when_it_is_asked_for():
    """`REDIS_AUTH=iam` signs the connection, and the host shows whether it is serverless."""
    env = {
        "REDIS_AUTH": "iam",
        "REDIS_USERNAME": "u",
        "REDIS_CACHE_NAME": "prices",
        "REDIS_TLS": "true",
    }
    hosts = ("prices-abc.serverless.euc1.cache.amazonaws.com", "prices.abc.cache.amazonaws.com")
    caches = [connect(Settings.from_env({**env, "REDIS_HOST": host})) for host in hosts]
    assert [cache._options["credential_provider"]._serverless for cache in caches] == [True, False]
    plain = connect(Settings.from_env({"REDIS_HOST": hosts[0]}))
    assert plain._options["credential_provider"] is None


class _Nobody:
    def load_credentials(self) -> None:
        return None
