"""The search index against a plain search that looks at each asset by itself."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from marketdata.domain.assets import Asset
from marketdata.domain.search_index import Index, Tier, build
from marketdata.domain.suggestions import suggestions
from marketdata.domain.symbols import AssetClass, symbol_or_none

WORDS = ["a", "ab", "aba", "b", "ba", "j", "jj", "inc", "éa", "and", "トヨ", "x1"]
TICKERS = ["A", "AB", "ABA", "BA.B", "B", "JJ", "J", "INC", "X1", "AA", "AAA"]

names = st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join)
rows = st.lists(st.tuples(st.sampled_from(TICKERS), names), min_size=1, max_size=12)
queries = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join) | st.text("abj -.")


def all_words(text: str) -> list[str]:
    """The words of a text, in lower case and without accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return re.findall(r"[^\W_]+", "".join(c for c in plain if not unicodedata.combining(c)))


def words_of(text: str) -> list[str]:
    """The words of a text that count in a name."""
    words = all_words(text)
    return [word for word in words if word != "and"] or words


def tier(symbol: str, name: str, query: str) -> Tier | None:
    """How well a share matches, by the definition of the tiers."""
    key, words, of_name = "".join(all_words(query)), words_of(query), f" {' '.join(words_of(name))}"
    ticker, phrase = symbol.lower().replace(".", ""), " ".join(words)
    if not words:
        return None
    texts = (f" {ticker} ", of_name)
    often = Counter(f" {word}" for word in words).items()
    meant = symbol_or_none(query)
    fits = {
        Tier.SPELLING: "." in symbol and symbol in ([meant.text] if meant else suggestions(query)),
        Tier.SYMBOL: ticker == key,
        Tier.PREFIX: ticker.startswith(key),
        Tier.WORD: f" {phrase}" in of_name,
        Tier.NAME: phrase in of_name,
        Tier.WORDS: len(words) > 1
        and all(any(text.count(word) >= least for text in texts) for word, least in often),
    }
    return next((one for one in Tier if fits[one]), None)


def plain_search(rows: Sequence[tuple[str, str]], query: str) -> list[list[int]]:
    """The places of each tier, found one by one."""
    tiers = [tier(symbol, name, query) for symbol, name in rows]
    return [[place for place, found in enumerate(tiers) if found is one] for one in Tier]


@pytest.mark.parametrize("few", [0, 2, 1_000])
@given(rows=rows, query=queries)
@example(rows=[("B", "ba a a")], query="a a")
@example(rows=[("JJ", "j and j"), ("J", "j"), ("AA", "j jj")], query="j and j")
def test_the_index_finds_what_a_plain_search_finds(few, rows, query):
    """The index finds the places and tiers of a plain search, line by line or all at once."""
    assets = [Asset(symbol, AssetClass.STOCKS, name, None, None, None) for symbol, name in rows]
    index = Index(build(assets), few=few)
    assert index.tiers(query) == plain_search(rows, query)
    assert index.size == len(rows)
