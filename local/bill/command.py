"""`python -m local bill`: prints a month by item, other designs, and what free keys allow."""

from __future__ import annotations

import argparse

from local.bill import prices, usage
from local.bill.free_keys import allowed
from local.bill.month import bill, other_designs, total
from local.bill.usage import Workload
from local.service.arguments import float_between, int_between
from marketdata.api.readers.symbol_lists import MAX_SYMBOLS
from marketdata.clock import DAY_S, SLOT_S
from marketdata.domain.quotes import Source
from marketdata.domain.symbols import AssetClass

NO_KEYS: tuple[Source, ...] = ()
# A bound for numbers: larger than the formulas are made for, and short enough for the table.
MOST = 10**9


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    default = Workload()
    parser.add_argument(
        "--symbols", type=int_between(0, MOST), default=default.symbols, help="always priced"
    )
    parser.add_argument(
        "--requests-per-day", type=int_between(0, MOST), default=default.requests_per_day
    )
    parser.add_argument(
        "--symbols-per-request",
        type=int_between(1, MAX_SYMBOLS),
        default=default.symbols_per_request,
    )
    parser.add_argument(
        "--interval", type=int_between(SLOT_S, DAY_S),
        default=default.interval_s, metavar="S",
        help="seconds between two prices of a symbol; 5 needs paid plans",
    )  # fmt: skip
    parser.add_argument(
        "--cdn-share", type=float_between(0, 1), default=0.0, metavar="0..1",
        help="part of the requests that a CDN in front answers without the api",
    )  # fmt: skip
    parser.add_argument("--x86", action="store_true", help="x86_64 in place of arm64")
    parser.add_argument(
        "--markdown", action="store_true", help="the month alone, as the table of docs/deploying.md"
    )


def report(arguments: argparse.Namespace) -> str:
    """Return the text that the command prints."""
    load = Workload(
        symbols=arguments.symbols,
        requests_per_day=arguments.requests_per_day,
        symbols_per_request=arguments.symbols_per_request,
        interval_s=arguments.interval,
        cdn_share=arguments.cdn_share,
        arm=not arguments.x86,
    )
    if arguments.markdown:
        return "\n".join(_table(load))
    return "\n".join([*_month(load), "", *_others(load), "", *_free(load)])


def _table(load: Workload) -> list[str]:
    items, freed = bill(load), bill(load, free_tier=True)
    lines = [
        f"{_request(load)}, {prices.REGION}, prices of {prices.AS_OF}, US dollars:",
        "",
        "| a month | $ | after the free tier | grows with |",
        "|---|---|---|---|",
    ]
    for item, less in zip(items, freed, strict=True):
        lines.append(
            f"| {item.name} | {item.dollars:.2f} | {less.dollars:.2f} | {item.grows_with} |"
        )
    lines.append(f"| **all** | **{total(items):.0f}** | **{total(freed):.0f}** | |")
    return lines


def _request(load: Workload) -> str:
    symbols = f"{load.symbols:,} symbols every {load.interval_s} s"
    return f"{symbols} and {load.requests_per_day:,} requests a day"


def _month(load: Workload) -> list[str]:
    items, freed = bill(load), bill(load, free_tier=True)
    lines = [
        f"A month of {_request(load)}, {prices.REGION}, prices of {prices.AS_OF}",
        f"  {'':<24} {'units':>16} {'$':>9} {'free tier':>10}",
    ]
    for item, less in zip(items, freed, strict=True):
        mark = "" if item.price.sure else " ?"
        lines.append(
            f"  {item.name:<24} {item.units:>16,.0f} {item.dollars:>9.2f} {less.dollars:>10.2f}"
            f"  {item.price.unit}{mark}"
        )
    lines.append(f"  {'total':<24} {'':>16} {total(items):>9.2f} {total(freed):>10.2f}")
    lines.append("  ? this price was not found on a page of AWS; look it up")
    return lines


def _others(load: Workload) -> list[str]:
    lines = ["Other designs, against the total before the free tier"]
    for name, dollars in other_designs(load):
        lines.append(f"  {name:<50} {dollars:>+9.2f}")
    return lines


def _free(load: Workload) -> list[str]:
    lines = ["What the providers allow for nothing: how old a price gets before the next one"]
    for title, keys in (("without any key", NO_KEYS), ("with every free key", tuple(Source))):
        lines.append(f"  {title}")
        for asset_class in AssetClass:
            symbols = round(load.symbols * usage.SHARES[asset_class])
            can = allowed(asset_class, symbols, keys)
            names = ", ".join(source.value for source in can.sources)
            live = f"at most {can.most_live:,} every 5 s" if can.most_live else "none every 5 s"
            lines.append(
                f"    {asset_class.value:<7} {symbols:>6,} symbols: every {_span(can.period_s):<8}"
                f" ({names}; {live}, {can.most_fresh:,} within 5 min)"
            )
    lines.append("  Yahoo's calls are shared by stocks and forex")
    return lines


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
