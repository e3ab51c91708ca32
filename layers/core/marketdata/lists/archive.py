"""The archive of asset lists, from which a lost cache is filled again.

The archive is a folder on one machine and a bucket in S3 on AWS. A list is one gzipped JSON
document. Reading returns a complete list or raises an `ArchiveError` that names the place.
"""

from __future__ import annotations

import gzip
import importlib
import json
import logging
import os
import re
import tempfile
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from marketdata.clock import parse_utc, utc_text
from marketdata.domain.assets import Asset, AssetList, FormerCoin
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.errors import ArchiveError

# The list that was swapped into the cache last. All other documents are what a refresh fetched.
LAST_GOOD = "last_good"
S3_TIMEOUT_S = 5.0

log = logging.getLogger("marketdata.assets")


class Archive(Protocol):
    """Documents by asset class and name. A name has letters, digits, `.`, `-` and `_`."""

    def put(self, asset_class: AssetClass, name: str, data: bytes) -> None:
        """Store a document; it replaces one of the same name. Raise `ArchiveError`."""
        ...

    def get(self, asset_class: AssetClass, name: str) -> bytes | None:
        """Return the document, None if there is none. Raise `ArchiveError`."""
        ...

    def warm(self) -> None:
        """Load the libraries that the first call would load."""
        ...


@dataclass(frozen=True, slots=True)
class LocalArchive:
    """An archive in a folder, which is created when a document is stored.

    A document is complete or absent, even if the process ends while it is written.
    """

    folder: Path

    def warm(self) -> None:
        """Nothing has to be loaded for a folder."""

    def put(self, asset_class: AssetClass, name: str, data: bytes) -> None:
        """Store a document; it replaces one of the same name. Raise `ArchiveError`."""
        path = self.folder / _relative(asset_class, name)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name_of_draft = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
            draft = Path(name_of_draft)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                draft.replace(path)
            except BaseException:
                with suppress(OSError):
                    draft.unlink()
                raise
        except OSError as error:
            raise ArchiveError(f"{path} could not be written: {error.strerror}") from error

    def get(self, asset_class: AssetClass, name: str) -> bytes | None:
        """Return the document, None if there is none. Raise `ArchiveError`."""
        path = self.folder / _relative(asset_class, name)
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ArchiveError(f"{path} could not be read: {error.strerror}") from error


@dataclass(frozen=True)
class S3Archive:
    """An archive in a bucket, below a prefix (which may be empty).

    boto3 is loaded by the first call. Only a caller that may list the bucket
    (s3:ListBucket) learns that a document is missing; for others that is an `ArchiveError`.
    """

    bucket: str
    prefix: str = ""

    def warm(self) -> None:
        """Load boto3 and make the client. Raise `ArchiveError` if AWS cannot be configured."""
        try:
            _ = self._client
        except self._errors as error:
            raise ArchiveError(f"s3://{self.bucket}: no client: {error}") from error

    def put(self, asset_class: AssetClass, name: str, data: bytes) -> None:
        """Store a document; it replaces one of the same name. Raise `ArchiveError`."""
        key = self._key(asset_class, name)
        try:
            self._client.put_object(
                Bucket=self.bucket, Key=key, Body=data, ContentType="application/gzip"
            )
        except self._errors as error:
            raise ArchiveError(f"s3://{self.bucket}/{key} could not be written: {error}") from error

    def get(self, asset_class: AssetClass, name: str) -> bytes | None:
        """Return the document, None if there is none. Raise `ArchiveError`."""
        key = self._key(asset_class, name)
        try:
            data: bytes = self._client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except self._client.exceptions.NoSuchKey:
            return None
        except self._errors as error:
            raise ArchiveError(f"s3://{self.bucket}/{key} could not be read: {error}") from error
        return data

    def _key(self, asset_class: AssetClass, name: str) -> str:
        return "/".join(filter(None, (self.prefix.strip("/"), _relative(asset_class, name))))

    @cached_property
    def _client(self) -> Any:
        config = importlib.import_module("botocore.config").Config(
            connect_timeout=S3_TIMEOUT_S,
            read_timeout=S3_TIMEOUT_S,
            retries={"total_max_attempts": 3},
        )
        return importlib.import_module("boto3").client("s3", config=config)

    @cached_property
    def _errors(self) -> tuple[type[Exception], ...]:
        exceptions = importlib.import_module("botocore.exceptions")
        # HTTPClientError (a BotoCoreError) covers a body that breaks off while it is read.
        return exceptions.ClientError, exceptions.BotoCoreError


def last_good(archive: Archive, asset_class: AssetClass) -> AssetList | None:
    """Return the list that was swapped in last; None if there is none that can be read."""
    try:
        data = archive.get(asset_class, LAST_GOOD)
        return None if data is None else decode(data)
    except ArchiveError as error:
        log.warning("archived list not readable", extra={"error": str(error)})
        return None


def encode(listed: AssetList) -> bytes:
    """Return a list as one document; the same list gives the same bytes."""
    document = {
        "asset_class": listed.asset_class.value,
        "version": listed.version,
        "updated_at": utc_text(listed.updated_at),
        "sources": [source.value for source in listed.sources],
        "assets": [asset.to_json() for asset in listed.assets],
        "former": {
            ticker: {
                "name": coin.name,
                "ids": dict(coin.ids),
                "listed_at": utc_text(coin.listed_at),
            }
            for ticker, coin in listed.former.items()
        },
    }
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return gzip.compress(text.encode(), mtime=0)


def decode(data: bytes) -> AssetList:
    """Return the list that `encode` wrote. Raise `ArchiveError` for anything else."""
    try:
        document = json.loads(gzip.decompress(data))
        asset_class = AssetClass(document["asset_class"])
        return AssetList(
            asset_class=asset_class,
            version=str(document["version"]),
            updated_at=parse_utc(document["updated_at"]),
            sources=tuple(Source(source) for source in document["sources"]),
            assets=_assets(asset_class, document["assets"]),
            former={
                ticker: FormerCoin(coin["name"], coin["ids"], parse_utc(coin["listed_at"]))
                for ticker, coin in document.get("former", {}).items()
            },
        )
    except (
        OSError,
        EOFError,
        zlib.error,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
    ) as error:
        raise ArchiveError(f"the archived document is not an asset list: {error!r}") from error


def _assets(asset_class: AssetClass, rows: Sequence[dict[str, Any]]) -> tuple[Asset, ...]:
    # The rows are JSON from the archive. The caller raises ArchiveError if one is damaged.
    return tuple(
        Asset(
            symbol=row["symbol"],
            asset_class=asset_class,
            name=row["name"],
            exchange=row["exchange"],
            currency=row["currency"],
            rank=row["rank"],
            ids=row["ids"],
            replaced=str(row.get("replaced", "")),
        )
        for row in rows
    )


def _relative(asset_class: AssetClass, name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._\-]{0,99}", name):
        raise ArchiveError(f"archive name {name!r} is not letters, digits, dots and dashes")
    return f"{asset_class.value}/{name}.json.gz"
