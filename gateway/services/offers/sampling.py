"""What a few sample charges cost by the tariffs of an offer. Pure."""

from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.pricing.charge import Charge
from gateway.pricing.currencies import in_minor_units
from gateway.pricing.differences import described
from gateway.pricing.engine import price
from gateway.pricing.notes import Unpriceable
from gateway.pricing.samples import ZONE, samples
from gateway.pricing.selecting import Candidate, select
from gateway.services.ports.previews import SamplePrice
from mappings.canonical.ids import PartyId

_KINDS: Final = 10
_CHOSEN: Final = (1 * _KINDS + 3, 1 * _KINDS + 5, 3 * _KINDS + 7, 4 * _KINDS + 1)
"""Of the sample charges: three phases and fast alternating current at noon, high power in the evening, and a home's
socket by night."""


class Priced(NamedTuple):
    """The tariffs of an EVSE group.

    Attributes:
        group: None for all other EVSEs.
        tariff_ids: Their ids, in the order in which they are tried.
        candidates: What is known of them.
    """

    group: str | None
    tariff_ids: Sequence[str]
    candidates: Sequence[Candidate]


def sample_prices(of: Sequence[Priced], first: date, zone: str | None, emsp: PartyId | None) -> list[SamplePrice]:
    """Prices the sample charges of the year that follows a day.

    Args:
        zone: Of the stations; None where there are none.
        emsp: Whose drivers charge, where there is but one.
    """
    charges = _charges(first, zone)
    return [_sample(each, charge, emsp) for each in of for charge in charges]


def _charges(first: date, zone: str | None) -> list[Charge]:
    try:
        every = samples(first, zone or ZONE)
    except (ZoneInfoNotFoundError, ValueError):
        every = samples(first)
    return [every[number] for number in _CHOSEN]


def _sample(priced: Priced, charge: Charge, emsp: PartyId | None) -> SamplePrice:
    local = charge.start if charge.zone is None else charge.start.astimezone(ZoneInfo(charge.zone))
    words = f"{described(charge)}, {local:%A}"
    if not priced.candidates:
        why = f"nobody told {', '.join(priced.tariff_ids)}" if priced.tariff_ids else "the EVSEs name no tariff"
        return SamplePrice(priced.group, None, words, why=why)
    try:
        selected = select(priced.candidates, charge.start, charge.zone, emsp)
        calculation = price(selected.tariff, charge)
    except Unpriceable as error:
        return SamplePrice(priced.group, None, words, why=error.detail)
    currency = calculation.currency
    return SamplePrice(
        priced.group,
        selected.tariff.id,
        words,
        currency,
        in_minor_units(calculation.net, currency),
        in_minor_units(calculation.gross, currency),
    )
