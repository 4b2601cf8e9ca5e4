"""Numbers, money and spans of time as a language writes them."""

from decimal import Decimal
from typing import Final

from gateway.pricing.currencies import minor
from gateway.pricing.explaining.languages.speech import Speech

_SPANS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_PLACES: Final = 4
"""As many as OCPI's numbers have."""


def number(value: Decimal, speech: Speech, least: int = 0) -> str:
    """Writes a number with all the places that it has, at least so many."""
    plain = value.normalize()
    exponent = plain.as_tuple().exponent
    places = max(least, -exponent if isinstance(exponent, int) else 0)
    marked = f"{plain:,.{places}f}"
    return marked.translate({ord(","): speech.group, ord("."): speech.decimal})


def money(amount: Decimal, currency: str, speech: Speech) -> str:
    """Writes an amount as `0.25 EUR`, with as many places as the currency has or more."""
    return f"{number(amount, speech, minor(currency))} {currency}"


def percent(rate: Decimal, speech: Speech) -> str:
    """Writes a rate."""
    return speech.percent.format(number=number(rate, speech))


def quantity(value: Decimal | int, unit: str, speech: Speech) -> str:
    """Writes a quantity with its unit."""
    return f"{number(Decimal(value), speech)} {unit}"


def energy(watt_hours: int, speech: Speech) -> str:
    """Writes a step of energy, in kWh from there on."""
    if watt_hours % 100 == 0:
        return quantity(Decimal(watt_hours) / 1000, "kWh", speech)
    return quantity(watt_hours, "Wh", speech)


def span(seconds: int, speech: Speech) -> str:
    """Writes a span of time as `1 h 30 min`."""
    parts, left = [], abs(seconds)
    for size, unit in _SPANS[1:] if left <= 172_800 else _SPANS:
        count, left = divmod(left, size)
        if count:
            parts.append(quantity(count, unit, speech))
    text = " ".join(parts) or quantity(0, "s", speech)
    return f"-{text}" if seconds < 0 else text


def with_tax(net: Decimal, rate: Decimal) -> Decimal:
    """Adds a tax to a unit price, to the places of OCPI's numbers: 0.3167 with 20 % is 0.38."""
    return round(net * (100 + rate) / 100, _PLACES)
