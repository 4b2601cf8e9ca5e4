"""A charge as the engine prices it: stretches of time in which nothing changes but the hour."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from gateway.pricing.notes import Note


class Phase(StrEnum):
    """What goes on in a stretch."""

    RESERVED = "RESERVED"
    """The EVSE is kept for the driver, who comes."""
    EXPIRED = "EXPIRED"
    """The EVSE is kept for the driver, who never comes."""
    CHARGING = "CHARGING"
    PARKING = "PARKING"
    """Plugged in, and the vehicle asks for no power."""


RESERVING: Final = frozenset({Phase.RESERVED, Phase.EXPIRED})
"""The phases of a reservation; the others are the session's."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What is known of a power or a current: it lies between two values; equal ones for a known one.

    Attributes:
        least, most: kW, or A as the sum over the phases; None where that side is not known.
        average: Where only that is told beside them.
    """

    least: Decimal | None = None
    most: Decimal | None = None
    average: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a charge. Its energy flows evenly.

    Attributes:
        start, end: Aware; where it lies on the clock. `end` is not part of it.
        phase: What goes on.
        seconds: What is billed of its time: what the meter says, which may differ from the clock. Not hours, of which
            few times are a whole number of decimals.
        energy: kWh, not negative.
        power: kW; None where nothing is known.
        current: A; None where nothing is known.
        period: The number of the charging period that it was read from, from 0.
        tariff_id: The tariff that the period names; None for the charge's.
    """

    start: datetime
    end: datetime
    phase: Phase
    seconds: Decimal
    energy: Decimal = Decimal(0)
    power: Reading | None = None
    current: Reading | None = None
    period: int = 0
    tariff_id: str | None = None


@dataclass(frozen=True, slots=True)
class Charge:
    """What happened, or would.

    Attributes:
        stretches: In the order of time, none into the next; reservation first. At least one.
        zone: IANA name of the place's time zone; None where it is not known.
        notes: What was assumed to get here.
    """

    stretches: Sequence[Stretch]
    zone: str | None
    notes: Sequence[Note] = ()

    @property
    def start(self) -> datetime:
        """When the session began, whose tariff counts; of a reservation that no session followed, when that began."""
        for stretch in self.stretches:
            if stretch.phase is not Phase.RESERVED:
                return stretch.start
        return self.stretches[0].start
