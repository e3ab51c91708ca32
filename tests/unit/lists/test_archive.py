"""The archive returns a whole list, or an error that names the place."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from marketdata.domain.assets import Asset, AssetList
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.errors import ArchiveError
from marketdata.lists.archive import LAST_GOOD, LocalArchive, S3Archive, decode, encode
from tests.support.fresh_process import loaded_by

CRYPTO = AssetClass.CRYPTO
LISTED = AssetList(
    asset_class=CRYPTO,
    version="v1",
    updated_at=datetime(2026, 3, 2, 15, 0, tzinfo=UTC),
    sources=(Source.COINGECKO,),
    assets=(
        Asset("BTC-USD", CRYPTO, "Bitcoin", None, "USD", 1, {"coingecko": "bitcoin"}),
        Asset("ÜBER-USD", CRYPTO, "Über", None, None, None),
    ),
)


@pytest.fixture
def s3(monkeypatch):
    """An empty archive in moto's S3."""
    import boto3
    from moto import mock_aws

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        boto3.client("s3").create_bucket(
            Bucket="lists", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        yield S3Archive("lists", "prod")


@pytest.fixture(params=["local", "s3"])
def archive(request, tmp_path):
    """An empty archive of each kind."""
    if request.param == "local":
        return LocalArchive(tmp_path / "lists")
    return request.getfixturevalue("s3")


def test_what_is_put_is_got(archive):
    """A document is read byte for byte, and a later one of the same name replaces it."""
    archive.put(CRYPTO, LAST_GOOD, b"one")
    archive.put(CRYPTO, "v-2", b"other")
    archive.put(CRYPTO, LAST_GOOD, b"two")
    assert archive.get(CRYPTO, LAST_GOOD) == b"two"
    assert archive.get(CRYPTO, "v-2") == b"other"


def test_what_was_never_put_is_none(archive):
    """A missing document is None, and classes do not share documents."""
    archive.put(CRYPTO, LAST_GOOD, b"one")
    assert archive.get(CRYPTO, "nothing") is None
    assert archive.get(AssetClass.FOREX, LAST_GOOD) is None


@pytest.mark.parametrize("name", ["../escape", "a/b", "", ".hidden", "x" * 101, "a b"])
def test_a_name_cannot_leave_the_archive(archive, name):
    """Names are letters, digits, dots and dashes; a path is an error both ways."""
    with pytest.raises(ArchiveError, match="letters, digits"):
        archive.put(CRYPTO, name, b"")
    with pytest.raises(ArchiveError, match="letters, digits"):
        archive.get(CRYPTO, name)


def test_a_failed_write_leaves_the_old_document_alone(tmp_path, monkeypatch):
    """After a failed write the old document is read, and no part of the new one is left."""
    archive = LocalArchive(tmp_path)
    archive.put(CRYPTO, LAST_GOOD, b"good")

    def full_disk(_self, _target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(ArchiveError, match=r"last_good\.json\.gz could not be written: No space"):
        archive.put(CRYPTO, LAST_GOOD, b"half")
    monkeypatch.undo()
    assert archive.get(CRYPTO, LAST_GOOD) == b"good"
    assert [path.name for path in (tmp_path / "crypto").iterdir()] == ["last_good.json.gz"]


def test_a_folder_that_cannot_be_used_is_named(tmp_path):
    """A file in the folder's place is an ArchiveError with its path, for both directions."""
    (tmp_path / "file").write_text("")
    archive = LocalArchive(tmp_path / "file")
    with pytest.raises(ArchiveError, match=f"{tmp_path}/file.*could not be written"):
        archive.put(CRYPTO, LAST_GOOD, b"")
    with pytest.raises(ArchiveError, match=f"{tmp_path}/file.*could not be read"):
        archive.get(CRYPTO, LAST_GOOD)


@pytest.mark.usefixtures("s3")
def test_a_bucket_that_is_not_there_is_named():
    """An error of S3 becomes an ArchiveError with bucket and key, for both directions."""
    archive = S3Archive("nowhere", "prod/")
    place = "s3://nowhere/prod/crypto/last_good.json.gz"
    with pytest.raises(ArchiveError, match=f"{place}.*could not be written"):
        archive.put(CRYPTO, LAST_GOOD, b"")
    with pytest.raises(ArchiveError, match=f"{place}.*could not be read"):
        archive.get(CRYPTO, LAST_GOOD)


def test_a_prefix_is_optional():
    """Without a prefix keys begin with the class."""
    assert S3Archive("b")._key(CRYPTO, "x") == "crypto/x.json.gz"
    assert S3Archive("b", "/a/b/")._key(CRYPTO, "x") == "a/b/crypto/x.json.gz"


def test_boto3_is_loaded_only_by_the_first_call():
    """Making an archive in S3, as functions do at their start, loads no AWS library."""
    loaded = loaded_by("from marketdata.lists.archive import S3Archive; S3Archive('b')")
    assert not {"boto3", "botocore"} & loaded


def test_a_list_is_unchanged_by_the_archive():
    """A list is unchanged after it was encoded and decoded, with names in any script."""
    assert decode(encode(LISTED)) == LISTED


def test_the_same_list_gives_the_same_bytes():
    """A document has no time but the list's own, so equal lists are equal documents."""
    assert encode(LISTED)[4:8] == bytes(4)  # the time of compression in the header of gzip
    assert json.loads(gzip.decompress(encode(LISTED)))["updated_at"] == "2026-03-02T15:00:00Z"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not gzip",
        encode(LISTED)[:-9],
        encode(LISTED)[:40],
        gzip.compress(b"[]", mtime=0),
        gzip.compress(b"{}", mtime=0),
        gzip.compress(b"\xff", mtime=0),
        gzip.compress(encode(LISTED)),
        gzip.compress(gzip.decompress(encode(LISTED)).replace(b'"rank"', b'"range"')),
        gzip.compress(gzip.decompress(encode(LISTED)).replace(b"coingecko", b"nobody")),
    ],
)
def test_a_damaged_document_is_an_error(data):
    """A cut, foreign or older document is an error, and never a part of a list."""
    with pytest.raises(ArchiveError, match="not an asset list"):
        decode(data)
