"""The change and the percentage of a quote: only figures that agree with its price. Pure.

Providers round each figure by itself, and some compute in single precision. Figures that agree
within these errors are not changed. A figure that two others contradict is left out. So is a figure
beyond the bounds of `plausible.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext

from marketdata.domain.plausible import is_near, is_plausible_percent

# Single precision keeps 24 bits, so each of two figures may be off by half of this.
_NOISE = Decimal(2) ** -22
# A JSON number has no zeros at its end: 1.5 may have been 1.50. No provider rounds to fewer places.
_COARSEST_PLACES = -2
_PERCENT_PLACES = Decimal("0.000001")
_LEAST_DIGITS = 3  # of a change that is derived from a percentage
_PREC = 250


@dataclass(frozen=True, slots=True)
class Change:
    """The change of a price. A figure that is unknown or contradicted is None.

    `percent` is in percent units, with at most 6 decimal places.
    """

    change: Decimal | None
    percent: Decimal | None
    previous_close: Decimal | None

    @property
    def is_known(self) -> bool:
        """Whether there is a change or a percentage."""
        return self.change is not None or self.percent is not None


def agreed_change(
    price: Decimal,
    change: Decimal | None,
    percent: Decimal | None,
    previous_close: Decimal | None = None,
    *,
    signed: bool = False,
) -> Change:
    """Return the figures without those that are not plausible or contradict the others.

    `previous_close`: the price that `change` compares with, None if it is unknown. `signed` prices
    may be zero or negative.
    """
    with localcontext(Context(prec=_PREC)):
        change, percent, previous_close = _plausible(
            price, change, percent, previous_close, signed=signed
        )
        if change is not None and previous_close is not None:
            close_agrees = _same_change(price, change, price - previous_close)
            percent_agrees = _percent_fits(price, change, percent)
            if not close_agrees and percent_agrees and percent is not None:
                previous_close = None
            elif not close_agrees:
                change = None
        if change is None and percent is not None and previous_close is not None:
            percent = percent if _percent_fits(price, price - previous_close, percent) else None
        if change is not None and not _percent_fits(price, change, percent):
            percent = None
        if percent is not None and percent <= -100 and price > 0:
            percent = None  # a price above zero cannot be a loss of 100 %
        if percent and change is not None and not change:
            change = change_from_percent(price, percent)
        return Change(change, rounded_percent(percent), previous_close)


def _plausible(
    price: Decimal,
    change: Decimal | None,
    percent: Decimal | None,
    previous_close: Decimal | None,
    *,
    signed: bool,
) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    """Return the figures without those beyond the bounds of `plausible.py`."""
    if previous_close is not None and not is_near(price, previous_close, signed=signed):
        previous_close = None
    if change is not None and not is_near(price, price - change, signed=signed):
        change = None
    if percent is not None and not is_plausible_percent(percent, signed=signed):
        percent = None
    return change, percent, previous_close


def change_from_percent(price: Decimal, percent: Decimal) -> Decimal | None:
    """Return the absolute change that a price and its percent change imply.

    The change has as many decimal places as the price, and at least two. It has more if needed, so
    that the change and the earlier price have three digits; so a change is not 0 beside a
    percentage that is not 0. None for a loss of 100 % or more.
    """
    if percent <= -100:
        return None
    with localcontext(Context(prec=_PREC)):
        change = price * percent / (100 + percent)
        places = min(_exponent(price), _COARSEST_PLACES)
        for number in (change, price - change):
            if number:
                places = min(places, number.adjusted() - _LEAST_DIGITS + 1)
        return change.quantize(Decimal(1).scaleb(places))


def rounded_percent(percent: Decimal | None) -> Decimal | None:
    """Return a percentage with at most 6 decimal places."""
    if percent is None or _exponent(percent) >= -6:
        return percent
    with localcontext(Context(prec=_PREC)):
        return percent.quantize(_PERCENT_PLACES, ROUND_HALF_EVEN)


def _same_change(price: Decimal, given: Decimal, computed: Decimal) -> bool:
    slack = _half_unit(given) + (abs(price) + abs(price - computed)) * _NOISE
    return abs(given - computed) <= slack


def _percent_fits(price: Decimal, change: Decimal, percent: Decimal | None) -> bool:
    """Return whether a percentage agrees with a change; True where there is no percentage.

    They do not agree if the earlier price is not above zero, or too small to be known.
    """
    if percent is None:
        return True
    if not change:
        implied = change_from_percent(price, percent)
        return implied is not None and abs(implied) <= _half_unit(change) + abs(price) * _NOISE
    earlier = price - change
    doubt = _half_unit(change) + (abs(price) + abs(earlier)) * _NOISE
    if earlier <= doubt and not (earlier > 0 and doubt == 0):
        return False
    computed = change / earlier * 100
    slack = (1 + abs(change / earlier)) * doubt / earlier * 100
    return abs(percent - computed) <= slack + _half_unit(percent) + abs(percent) * _NOISE


def _half_unit(number: Decimal) -> Decimal:
    """Return half of what one step in the last given place is worth."""
    return Decimal(5).scaleb(min(_exponent(number), _COARSEST_PLACES) - 1)


def _exponent(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0
