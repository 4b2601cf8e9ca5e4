"""The least and the most that a charge costs (OCPI 2.2.1, Tariff, `min_price` and `max_price`)."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Final

from gateway.pricing.notes import Note, NoteKind
from gateway.pricing.result import Extra, Line, extra, gross_of
from gateway.pricing.rounding import Rounding
from mappings.canonical.tariffs import Tariff

_ROUNDED: Final = Rounding(4)
"""As OCPI's numbers are."""


def limit(tariff: Tariff, lines: Sequence[Line], *, session: bool) -> tuple[list[Line], list[Note]]:
    """Gives the lines that bring a cost within a tariff's limits, without and with tax, each by itself.

    The most is applied last, and so counts where the limits cross. Where a limit names no tax and the cost is moved to
    it, the tax moves along: by the one rate that there is, else in proportion.

    Args:
        session: Whether there was a session: an unused reservation owes no minimum.
    """
    net = sum((line.net for line in lines), Decimal(0))
    gross = net + sum((line.tax for line in lines), Decimal(0))
    found: list[Line] = []
    notes: list[Note] = []
    for kind, said, field in (
        (Extra.MINIMUM, tariff.min_price, "min_price"),
        (Extra.MAXIMUM, tariff.max_price, "max_price"),
    ):
        if said is None or (kind is Extra.MINIMUM and not session):
            continue
        bound = min if kind is Extra.MAXIMUM else max
        limited = bound(net, said.net)
        taxed = gross_of(said)
        if taxed is not None:
            whole = bound(gross, taxed)
        elif limited != net:
            whole = _ROUNDED(Fraction(limited) * _with_tax_along(tariff, lines, net, gross))
            if whole != limited:
                notes.append(Note(NoteKind.ASSUMED, field, "names no tax; it moves along with the cost"))
        else:
            whole = gross
        if limited != net or whole != gross:
            found.append(extra(kind, tariff.id, limited - net, (whole - gross) - (limited - net)))
        net, gross = limited, whole
    return found, [*notes, *crossed(tariff)]


def crossed(tariff: Tariff) -> list[Note]:
    """Notes a minimum above the maximum, without tax or with it."""
    least, most = tariff.min_price, tariff.max_price
    if least is None or most is None:
        return []
    low, high = gross_of(least), gross_of(most)
    if least.net <= most.net and (low is None or high is None or low <= high):
        return []
    return [Note(NoteKind.LIMITS_CROSSED, "min_price", "lies above the maximum price, which counts")]


def _with_tax_along(tariff: Tariff, lines: Sequence[Line], net: Decimal, gross: Decimal) -> Fraction:
    """Gives the factor from a cost without tax to the cost with it."""
    # Not by the amounts where it can be helped: of a few Wh they are rounded to nothing, and a minimum is not.
    rates = {line.vat for line in lines if line.net}
    if not rates:
        rates = {component.vat for element in tariff.elements for component in element.price_components}
    if len(rates) == 1:
        return 1 + Fraction(rates.pop() or 0) / 100
    return Fraction(gross) / Fraction(net) if net else Fraction(1)
