"""Signs in to ElastiCache with an IAM identity instead of a password.

The token is a presigned `connect` request without its scheme. Each connection gets a new one: a
token is valid for 15 minutes only, and a connection stays signed in.
"""

from __future__ import annotations

from urllib.parse import urlencode

from botocore.exceptions import BotoCoreError
from botocore.model import ServiceId
from botocore.session import Session, get_session
from botocore.signers import RequestSigner
from redis.credentials import CredentialProvider
from redis.exceptions import AuthenticationError

TOKEN_S = 900


class IamCredentials(CredentialProvider):
    """User name and a freshly signed token, with the AWS identity of the process.

    `cache_name`: ElastiCache's name of the cache (not its host). `serverless`: whether it is a
    serverless cache, which is signed for differently.
    """

    def __init__(
        self, *, user: str, cache_name: str, serverless: bool, session: Session | None = None
    ) -> None:
        self._user = user
        self._cache_name = cache_name
        self._serverless = serverless
        self._session = session or get_session()

    def get_credentials(self) -> tuple[str, str]:
        """Return the user and a token for 15 minutes.

        Raise AuthenticationError without an AWS identity.
        """
        try:
            return self._user, self._token()
        except BotoCoreError as error:
            raise AuthenticationError(f"no token can be signed: {error}") from error

    def _token(self) -> str:
        region = self._session.get_config_variable("region")
        credentials = self._session.get_credentials()
        if credentials is None or region is None:
            raise AuthenticationError("no token can be signed: no AWS credentials or no region")
        query = {"Action": "connect", "User": self._user}
        if self._serverless:
            query["ResourceType"] = "ServerlessCache"
        signer = RequestSigner(
            ServiceId("elasticache"),
            region,
            "elasticache",
            "v4",
            credentials,
            self._session.get_component("event_emitter"),
        )
        url = signer.generate_presigned_url(
            {
                "method": "GET",
                "url": f"https://{self._cache_name.lower()}/?{urlencode(query)}",
                "body": {},
                "headers": {},
                "context": {},
            },
            operation_name="connect",
            expires_in=TOKEN_S,
            region_name=region,
        )
        return str(url).removeprefix("https://")
