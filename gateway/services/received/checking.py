"""What is hardly true of a session or CDR that came home. Pure.

The hub has done its part and is told so; what does not fit waits for a person, who pays or does not.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from gateway.services.charge import checking as charges
from gateway.services.charge.checking import FINISHED, MOST_ENERGY, OUTSIDE, Faults
from gateway.services.ports.received import Doubt, Review
from gateway.services.received.charges import Charge
from gateway.services.received.knowing import KnownEvse
from gateway.services.received.merging import Merged
from mappings.canonical.cdrs import Cdr
from mappings.canonical.sessions import Session, SessionStatus

_TOO_MUCH: Final = (Decimal("1.1"), Decimal(1))
"""How much more than its power an EVSE may give in the time: a part, since ratings and clocks differ, and kWh."""

_APART: Final = (Decimal("0.05"), Decimal("0.5"))
"""How far a CDR's energy may be from its session's: a part, and kWh; meters are rounded, losses are not billed."""

_REASONS: Final[Mapping[str, Review]] = {
    "start": Review.IMPLAUSIBLE_TIME,
    "end": Review.IMPLAUSIBLE_TIME,
    "charging_start": Review.IMPLAUSIBLE_TIME,
    "charging_end": Review.IMPLAUSIBLE_TIME,
    "time": Review.IMPLAUSIBLE_TIME,
    "parking_time": Review.IMPLAUSIBLE_TIME,
    "periods": Review.IMPLAUSIBLE_TIME,
}
"""By the first part of a field what a fault there comes to; any other contradicts itself, or what was told before."""


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """A stored session, as a CDR is held against it.

    Attributes:
        ended: None while it runs.
        driver_keys: The driver's marks, see `knowing.marks`.
        energy: kWh so far.
    """

    status: SessionStatus
    evse_key: str | None
    driver_keys: Sequence[str]
    start: datetime
    ended: datetime | None
    energy: Decimal | None


def of_place(charge: Charge, evse: KnownEvse | None) -> list[Doubt]:
    """Gives what is wrong with where a charge took place."""
    field = "location.evse_id" if charge.evse_id is not None else "evse_uid"
    if evse is not None:
        if evse.party == charge.cpo:
            return []
        return [Doubt(Review.OTHER_PARTY, field, f"is an EVSE of {evse.party}, not of {charge.cpo}")]
    owner = charge.evse_id.party if charge.evse_id is not None else None
    if owner is not None and owner != charge.cpo:
        return [Doubt(Review.OTHER_PARTY, field, f"is an EVSE of {owner}, not of {charge.cpo}")]
    return [Doubt(Review.UNKNOWN_EVSE, field, "is no EVSE of the catalogue")]


def of_amounts(charge: Charge, evse: KnownEvse | None) -> list[Doubt]:
    """Gives what is wrong with times and energy of a charge by themselves."""
    doubts = [Doubt(Review.IMPLAUSIBLE_TIME, field, "is in the future") for field in charge.ahead]
    if charge.lasted < timedelta():
        doubts.append(Doubt(Review.IMPLAUSIBLE_TIME, "end", "is before the start"))
    if charge.energy is None:
        return doubts
    if charge.energy > MOST_ENERGY:
        doubts.append(Doubt(Review.IMPLAUSIBLE_ENERGY, "energy", f"is over {MOST_ENERGY} kWh"))
    elif evse is not None and evse.power is not None and charge.lasted >= timedelta():
        more, fixed = _TOO_MUCH
        if charge.energy > evse.power * _hours(charge.lasted) * more + fixed:
            said = f"is more than the EVSE's {evse.power.normalize():f} kW give in {charge.lasted}"
            doubts.append(Doubt(Review.IMPLAUSIBLE_ENERGY, "energy", said))
    return doubts


def of_session(session: Session, before: Session | None) -> list[Doubt]:
    """Gives what a session says that contradicts itself, or what was told of it before."""
    whole = session
    if session.status is SessionStatus.COMPLETED and session.end is None:  # some CPOs leave it out
        whole = session.model_copy(update={"end": max(session.last_updated, session.start)})
    return _told(charges.of_session(whole, before))


def of_news(merged: Merged) -> list[Doubt]:
    """Gives what pieces of news say that contradicts itself."""
    news = merged.news
    if news.start is not None and news.end is not None and news.end < news.start:
        return [Doubt(Review.IMPLAUSIBLE_TIME, "end", "is before the start")]
    return []


def of_cdr(cdr: Cdr, now: datetime) -> list[Doubt]:
    """Gives what a CDR says that contradicts itself."""
    faults = charges.of_cdr(cdr, now)
    negative = [] if cdr.credit else [fault for fault in faults if fault == ("energy", "is negative")]
    # What follows from the charge alone is judged by `of_amounts`.
    own = [fault for fault in faults if fault[0] not in {"energy", "end"} or fault[1].startswith("is the start")]
    return [*_told(own), *(Doubt(Review.IMPLAUSIBLE_ENERGY, field, detail) for field, detail in negative)]


def differ(one: Sequence[str], other: Sequence[str]) -> bool:
    """Tells whether two drivers, by their marks, are surely not one: what both tell of one kind is another."""
    kinds = {mark[0] for mark in one} & {mark[0] for mark in other}
    return bool(kinds) and not set(one) & set(other)


def of_cdr_and_session(cdr: Cdr, evse_key: str | None, driver_keys: Sequence[str], told: SessionFacts) -> list[Doubt]:
    """Gives what a CDR says otherwise than its session."""
    doubts: list[Doubt] = []
    if evse_key is not None and told.evse_key is not None and evse_key != told.evse_key:
        doubts.append(Doubt(Review.CONTRADICTS, "location.evse_id", "is another EVSE than the session's"))
    if differ(driver_keys, told.driver_keys):
        doubts.append(Doubt(Review.CONTRADICTS, "identification", "is another driver's than the session's"))
    if cdr.start < told.start - OUTSIDE or (told.ended is not None and cdr.end > told.ended + OUTSIDE):
        doubts.append(Doubt(Review.CONTRADICTS, "end", f"reaches more than {OUTSIDE} out of its session"))
    if told.energy is not None and (said := _of_energy(cdr.energy, told.energy, told.status)) is not None:
        doubts.append(Doubt(Review.CONTRADICTS, "energy", said))
    return doubts


def _of_energy(billed: Decimal, told: Decimal, status: SessionStatus) -> str | None:
    part, fixed = _APART
    most = max(fixed, part * max(abs(billed), told))
    if status in FINISHED and abs(billed - told) > most:
        return f"is {billed} kWh, but the session's is {told} kWh"
    if status not in FINISHED and billed < told - most:
        return f"is {billed} kWh, less than the {told} kWh that the session told already"
    return None


def _told(faults: Faults) -> list[Doubt]:
    return [
        Doubt(_REASONS.get(field.split(".")[0].split("[")[0], Review.CONTRADICTS), field, detail)
        for field, detail in faults
    ]


def _hours(time: timedelta) -> Decimal:
    return Decimal(time // timedelta(microseconds=1)) / 3_600_000_000


def reasons(doubts: Iterable[Doubt], but: Iterable[str] = ()) -> list[str]:
    """Gives the reasons of doubts, each once, without those that a person has settled already."""
    return sorted({doubt.reason.value for doubt in doubts} - set(but))
