"""What a currency label means, and amounts in fractions of a currency."""

from decimal import Decimal

import pytest

from marketdata.domain.units import MINOR_UNITS, Unit, unit_of


@pytest.mark.parametrize(
    ("label", "amount", "currency", "major"),
    [
        ("GBp", "308.8", "GBP", "3.088"),
        ("GBX", "308.8", "GBP", "3.088"),
        ("ZAc", "1550", "ZAR", "15.5"),
        ("ZAC", "1550", "ZAR", "15.5"),
        ("ILA", "250", "ILS", "2.5"),
        ("ILa", "250", "ILS", "2.5"),
        ("USX", "437.25", "USD", "4.3725"),
        ("USC", "437.25", "USD", "4.3725"),
        ("KWF", "-4.0", "KWD", "-0.004"),
        ("USD", "244.6", "USD", "244.6"),
        ("CNH", "7.1", "CNH", "7.1"),
    ],
)
def test_an_amount_is_converted_to_its_currency(label, amount, currency, major):
    """Amounts in minor units are converted, and amounts in a currency stay unchanged."""
    unit = unit_of(label)
    assert (unit.currency, unit.to_major(Decimal(amount))) == (currency, Decimal(major))


@pytest.mark.parametrize("label", ["", "gbp", "Gbp", "GBPp", "usd", "XXX", "USDT", "U" * 3_000_000])
def test_an_unknown_label_has_no_unit(label):
    """A label has a unit only in its exact spelling."""
    assert unit_of(label) is None


@pytest.mark.parametrize("label", MINOR_UNITS)
def test_a_conversion_loses_no_digit(label):
    """An amount of fifty digits keeps all of them."""
    amount = Decimal("1234567890123456789012345678901234567890.1234567891")
    unit = MINOR_UNITS[label]
    assert unit.to_major(amount).as_tuple().digits == amount.as_tuple().digits


def test_a_major_unit_has_no_places():
    """The unit of a currency's own label is the currency, without decimal places to move."""
    assert unit_of("GBP") == Unit("GBP")
