"""The asset lists of the deployed stack: their refresh, the archive and the api."""

from __future__ import annotations

import requests

from local.service.terminal import say
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass
from marketdata.lists.archive import decode
from tests.deployment.api import ask
from tests.deployment.sam import Deployed


def test_refresh_succeeds(lists: dict[str, object]):
    """The refresh of the asset lists, started by the command in the outputs, succeeds."""
    assert lists["status"] == "SUCCEEDED", lists.get("cause")


def test_archive_has_the_lists(stack: Deployed, lists: dict[str, object]):
    """The bucket has the last good list of each class, and the lists of its sources."""
    client, bucket = stack.client("s3"), stack.outputs["ArchiveBucketName"]
    keys = {entry["Key"] for entry in client.list_objects_v2(Bucket=bucket)["Contents"]}
    for asset_class in AssetClass:
        data = client.get_object(Bucket=bucket, Key=f"{asset_class.value}/last_good.json.gz")
        kept = decode(data["Body"].read())
        assert kept.assets
        assert {
            f"{asset_class.value}/list-{source.value}.json.gz" for source in kept.sources
        } <= keys
        sources = ", ".join(source.value for source in kept.sources)
        say("lists", f"{asset_class.value} {len(kept.assets)} from {sources}")


def test_api_serves_the_lists(stack: Deployed, lists: dict[str, object]):
    """The api serves as many assets of each class as the archive has, and they are not stale."""
    client, bucket = stack.client("s3"), stack.outputs["ArchiveBucketName"]
    for asset_class in AssetClass:
        data = client.get_object(Bucket=bucket, Key=f"{asset_class.value}/last_good.json.gz")
        kept = decode(data["Body"].read())
        page = ask(stack, f"/v1/assets/{asset_class.value}", limit="3").json
        assert page["total"] == len(kept.assets)
        assert [asset["symbol"] for asset in page["assets"]] == [a.symbol for a in kept.assets[:3]]
        assert page["stale"] is False


def test_keys_come_from_the_secret(stack: Deployed, lists: dict[str, object]):
    """Providers that need a key have answered, though the key is only in the secret."""
    market = stack.ground.market
    for source in (Source.FINNHUB, Source.COINMARKETCAP, Source.ALPHA_VANTAGE):
        assert [call for call in market.calls[source] if call.kind == "list" and call.status == 200]
    unauthorized = requests.get(f"{market.base_urls[Source.FINNHUB]}/quote?symbol=AAPL", timeout=5)
    assert unauthorized.status_code == 401
