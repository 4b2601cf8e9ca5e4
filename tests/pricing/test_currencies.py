"""A driver sees amounts in their currency's minor unit."""

from decimal import Decimal

import pytest

from gateway.pricing.currencies import in_minor_units
from gateway.pricing.explaining.languages import speech_of
from gateway.pricing.explaining.languages.figures import money


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("12.345", "EUR", "12.35"),  # a half goes up
        ("12.344999", "EUR", "12.34"),
        ("-0.005", "EUR", "0.00"),
        ("12.5", "JPY", "13"),
        ("0.33349", "KWD", "0.333"),
        ("1.00005", "CLF", "1.0001"),
        ("5", "CHF", "5.00"),
    ],
)
def test_amounts_are_rounded_to_the_minor_unit(amount, currency, shown):
    assert str(in_minor_units(Decimal(amount), currency)) == shown


def test_texts_have_the_same_places():
    texts = [money(Decimal(5), each, speech_of("en")) for each in ("EUR", "ISK", "TND")]
    assert texts == ["5.00 EUR", "5 ISK", "5.000 TND"]
