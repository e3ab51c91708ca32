"""The currency labels of providers: a currency, or a fraction of one. Pure.

A price with any other label is a bad row, so that a price in an unknown unit is never shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from types import MappingProxyType

from marketdata.domain.currencies import CURRENCIES

# More digits than any number that is accepted from a provider, so that no digit is lost.
EXACT = Context(prec=120)


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of account: `places` decimal places below one unit of `currency`."""

    currency: str
    places: int = 0

    def to_major(self, amount: Decimal) -> Decimal:
        """Return an amount in this unit as an amount in its currency, to the last digit."""
        return amount.scaleb(-self.places, context=EXACT) if self.places else amount


_PENCE, _CENTS, _AGOROT = Unit("GBP", 2), Unit("ZAR", 2), Unit("ILS", 2)
_US_CENTS, _FILS = Unit("USD", 2), Unit("KWD", 3)
MINOR_UNITS: Mapping[str, Unit] = MappingProxyType(
    {
        "GBp": _PENCE,
        "GBX": _PENCE,
        "ZAc": _CENTS,
        "ZAC": _CENTS,
        "ILA": _AGOROT,
        "ILa": _AGOROT,
        "USX": _US_CENTS,
        "USC": _US_CENTS,
        "KWF": _FILS,
    }
)


def unit_of(label: str) -> Unit | None:
    """Return the unit that a provider's label names; None for an unknown label.

    Upper and lower case matter: GBP is pounds, GBp is pence.
    """
    if label in CURRENCIES:
        return Unit(label)
    return MINOR_UNITS.get(label)
