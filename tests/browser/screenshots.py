"""`make screenshots`: the pictures of the board in docs, of a service on the simulated market.

The prices of the last day are written first, taken from the same market, so that the lines in the
picture look as after a day.
"""

from __future__ import annotations

import struct
import sys
import tempfile
import time
import zlib
from base64 import b64decode, b64encode
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from local.simulator.market import Market
from marketdata.cache.client import connect
from marketdata.cache.quote_store import QuoteStore
from marketdata.domain.catalogue import CHAINS
from marketdata.domain.quotes import Quote
from marketdata.domain.symbols import Symbol
from marketdata.settings import Settings
from tests.browser.conftest import CHROMIUM, MISSING
from tests.support.board_page import FLAGS
from tests.support.redis_servers import RedisServer
from tests.support.running_service import ROOT, RunningService

SIZE = {"width": 1400, "height": 900}
MOST_BYTES = 200_000
STEP_S = 300
PREFIX = "pictures"
DAY_S = 86_400
GUARD_MS = 60_000


def main() -> int:
    """Take both pictures; return the exit code of the program."""
    if CHROMIUM is None:
        sys.stderr.write(f"screenshots: {MISSING}\n")
        return 1
    with tempfile.TemporaryDirectory() as name, ExitStack() as at_end:
        folder = Path(name)
        redis = RedisServer(folder)
        redis.start()
        at_end.callback(redis.stop)
        env = {**redis.env(), "REDIS_PREFIX": PREFIX}
        record_a_day(env)
        with RunningService(folder, MARKET="simulated", **env) as service:
            service.ready()
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
                for scheme in ("light", "dark"):
                    path = ROOT / "docs" / f"board-{scheme}.png"
                    take(browser, f"http://127.0.0.1:{service.port}/", scheme, path)
                    sys.stdout.write(f"{path.relative_to(ROOT)}  {path.stat().st_size:,} bytes\n")
                    assert path.stat().st_size < MOST_BYTES
                browser.close()
    return 0


def record_a_day(env: dict[str, str]) -> None:
    """Record the prices that the simulated market had in the last day, one every five minutes."""
    settings = Settings.from_env(env)
    cache = connect(settings, caller_time=True)
    store, market = QuoteStore(cache, retention_s=DAY_S), Market()
    now_s = int(time.time())
    for at_s in range(now_s - DAY_S, now_s - 30, STEP_S):
        quotes = [quote(symbol, market, at_s) for symbol in settings.active_symbols]
        store.put(quotes, at_s * 1000)
    cache.close()


def quote(symbol: Symbol, market: Market, at_s: int) -> Quote:
    """Return the quote that the market's first provider of a symbol gave at a second."""
    at = datetime.fromtimestamp(at_s, UTC)
    return Quote(
        symbol=symbol.text,
        asset_class=symbol.asset_class,
        price=market.price(symbol.text, at_s * 1000),
        currency=symbol.quote or "USD",
        change=None,
        percent_change=None,
        change_basis=None,
        source=CHAINS[symbol.asset_class][0],
        timestamp=at,
        fetched_at=at,
    )


def take(browser: Browser, address: str, scheme: str, path: Path) -> None:
    """Take the picture of the board in one theme, once all prices and lines are there."""
    page = browser.new_page(viewport=SIZE, color_scheme=scheme, locale="en-GB", timezone_id="UTC")
    page.goto(address)
    expect(page.locator("tr[data-symbol] data")).to_have_count(20, timeout=GUARD_MS)
    expect(page.get_by_role("columnheader", name="Last 24 h")).to_be_visible(timeout=GUARD_MS)
    expect(page.locator("#verdict")).to_have_text("Healthy", timeout=GUARD_MS)
    expect(page.locator("#providers-state")).to_contain_text("3 OK", timeout=GUARD_MS)
    page.wait_for_timeout(3_000)  # the colours of new prices fade out
    path.write_bytes(with_palette(page, page.screenshot()))
    page.close()


def with_palette(page: Page, png: bytes) -> bytes:
    """Return a picture with its 256 most frequent colours, a third of its size.

    Each other colour, at the edges of letters, becomes the nearest of them.
    """
    page.goto("about:blank")
    width, height, text = page.evaluate(PIXELS, b64encode(png).decode())
    raw = b64decode(text)
    pixels = [raw[at : at + 3] for at in range(0, len(raw), 4)]
    colours = [colour for colour, _ in Counter(pixels).most_common()]
    palette = colours[:256]
    places = {colour: place for place, colour in enumerate(palette)}
    for colour in colours[256:]:
        nearest = min(
            palette, key=lambda other: sum((a - b) ** 2 for a, b in zip(colour, other, strict=True))
        )
        places[colour] = places[nearest]
    lines = (pixels[at : at + width] for at in range(0, len(pixels), width))
    rows = b"".join(bytes([0, *(places[pixel] for pixel in line)]) for line in lines)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", b"".join(palette)),
        (b"IDAT", zlib.compress(rows, 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


PIXELS = """async (data) => {
    const image = new Image();
    image.src = 'data:image/png;base64,' + data;
    await image.decode();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [image.width, image.height];
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    const bytes = context.getImageData(0, 0, image.width, image.height).data;
    let text = '';
    for (let at = 0; at < bytes.length; at += 30000)
        text += String.fromCharCode(...bytes.subarray(at, at + 30000));
    return [image.width, image.height, btoa(text)];
}"""


if __name__ == "__main__":
    sys.exit(main())
