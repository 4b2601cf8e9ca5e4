"""Tariffs, in OCPI 2.2.1's vocabulary (mod_tariffs), keyed by (party, id, target party or all)."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from mappings.canonical.base import Instant, Model, Number, Unknown
from mappings.canonical.energy import EnergyMix
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.texts import LocalText

LocalTime = Annotated[str, StringConstraints(pattern=r"^(?:[01]\d|2[0-3]):[0-5]\d$")]


def _of_a_calendar(text: str) -> str:
    date.fromisoformat(text)  # the pattern lets 30 February pass
    return text


LocalDate = Annotated[
    str,
    StringConstraints(pattern=r"^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$"),
    AfterValidator(_of_a_calendar),
]


class TariffType(StrEnum):
    """When a tariff applies (OCPI 2.2.1, TariffType); a tariff without one is for all sessions."""

    AD_HOC_PAYMENT = "AD_HOC_PAYMENT"
    PROFILE_CHEAP = "PROFILE_CHEAP"
    PROFILE_FAST = "PROFILE_FAST"
    PROFILE_GREEN = "PROFILE_GREEN"
    REGULAR = "REGULAR"


class TariffDimension(StrEnum):
    """What a price component charges for."""

    ENERGY = "ENERGY"
    """Per kWh; steps in Wh."""
    FLAT = "FLAT"
    """Per session; no step."""
    PARKING_TIME = "PARKING_TIME"
    """Per hour not charging; steps in seconds."""
    TIME = "TIME"
    """Per hour charging; steps in seconds."""
    SESSION_TIME = "SESSION_TIME"
    """Per hour, charging or not; steps in seconds. Gireve's addition."""


class DayOfWeek(StrEnum):
    """Weekdays, local."""

    MONDAY = "MONDAY"
    TUESDAY = "TUESDAY"
    WEDNESDAY = "WEDNESDAY"
    THURSDAY = "THURSDAY"
    FRIDAY = "FRIDAY"
    SATURDAY = "SATURDAY"
    SUNDAY = "SUNDAY"


class ReservationRestriction(StrEnum):
    """Which kind of reservation an element prices."""

    RESERVATION = "RESERVATION"
    RESERVATION_EXPIRES = "RESERVATION_EXPIRES"


class Tax(Model):
    """One tax on an amount.

    Attributes:
        name: As given; OCPI 2.2.1 has only `VAT`.
        percentage: Per cent; None where only an amount is given.
        amount: In the currency of the money it belongs to; None where only a rate is given.
    """

    name: str
    percentage: Number | None = None
    amount: Number | None = None


class Money(Model):
    """A net amount and the taxes on it; gross is their sum where every tax has an amount."""

    net: Number
    taxes: tuple[Tax, ...] = ()


class RoundingRule(StrEnum):
    """Which way to round (Gireve's OCPI, `round_rule`)."""

    ROUND_UP = "ROUND_UP"
    ROUND_DOWN = "ROUND_DOWN"
    ROUND_NEAR = "ROUND_NEAR"
    """A half goes up."""


class PriceRounding(Model):
    """How the cost of a component is rounded (Gireve's OCPI, `price_round`).

    Attributes:
        places: Of the decimal, 0 to 3: Gireve's UNIT, TENTH, HUNDRETH, THOUSANDTH.
    """

    places: Annotated[int, Field(ge=0, le=3)]
    rule: RoundingRule


class PriceComponent(Model):
    """A price per unit of a dimension, net, in the tariff's currency.

    Attributes:
        vat: Per cent; None where not given, which is not zero.
        step_size: Smallest billed quantity, in the dimension's step unit.
        price_rounding: How its cost is rounded; None where the tariff does not say. Gireve's addition.
        step_rounding: How its quantity is rounded to whole steps; None for up, as OCPI has it. Gireve's addition.
        exact: Gireve's `exact_price_component`; None where not given.
    """

    type: TariffDimension
    price: Number
    vat: Number | None = None
    step_size: Annotated[int, Field(ge=0)]
    price_rounding: PriceRounding | None = None
    step_rounding: RoundingRule | None = None
    exact: bool | None = None
    unknown: Unknown = {}


class TariffRestrictions(Model):
    """When an element applies; times local to the location, energy in kWh, current in A, power in kW, duration in s."""

    start_time: LocalTime | None = None
    end_time: LocalTime | None = None
    start_date: LocalDate | None = None
    end_date: LocalDate | None = None
    min_kwh: Number | None = None
    max_kwh: Number | None = None
    min_current: Number | None = None
    max_current: Number | None = None
    min_power: Number | None = None
    max_power: Number | None = None
    min_duration: int | None = None
    max_duration: int | None = None
    day_of_week: tuple[DayOfWeek, ...] = ()
    reservation: ReservationRestriction | None = None
    unknown: Unknown = {}


class TariffElement(Model):
    """Price components under one set of restrictions."""

    price_components: Annotated[tuple[PriceComponent, ...], Field(min_length=1)]
    restrictions: TariffRestrictions | None = None


class ClockSpan(Model):
    """A part of the day, local; over midnight where it ends before it begins."""

    start: LocalTime
    end: LocalTime


class TariffHours(Model):
    """When a charge has to begin for a tariff to hold for all of it (Gireve's OCPI, `restriction` of a tariff).

    Attributes:
        spans: Of the day; none for all of it.
        days: Of the week; none for all.
    """

    spans: tuple[ClockSpan, ...] = ()
    days: tuple[DayOfWeek, ...] = ()


class Tariff(Model):
    """What a CPO asks for a charge.

    Attributes:
        target: The EMSP that it is for; None for all.
        currency: ISO 4217.
        hours: When a charge has to begin; a tariff with hours goes before one without. Gireve's addition.
    """

    party: PartyId
    id: Annotated[str, StringConstraints(min_length=1, max_length=36)]
    target: PartyId | None = None
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    type: TariffType | None = None
    texts: tuple[LocalText, ...] = ()
    url: str | None = None
    min_price: Money | None = None
    max_price: Money | None = None
    elements: Annotated[tuple[TariffElement, ...], Field(min_length=1)]
    hours: TariffHours | None = None
    start: Instant | None = None
    end: Instant | None = None
    energy_mix: EnergyMix | None = None
    last_updated: Instant
    unknown: Unknown = {}

    def is_for(self, emsp: PartyId) -> bool:
        """Tells whether it holds for an EMSP's drivers: it is for all, or for this one."""
        return self.target is None or self.target == emsp


class EvsePrices(Model):
    """Which tariffs hold at an EVSE, where that is told apart from the EVSE (OICP 2.3, EVSEPricing).

    Attributes:
        tariff_ids: Of `party`'s tariffs.
        target: The EMSP for whom; None for all.
    """

    party: PartyId
    evse_id: EvseId
    tariff_ids: tuple[str, ...]
    target: PartyId | None = None
