"""What makes no sense of a session or CDR, by field. Pure.

What cannot be true of time and energy is refused, since somebody pays by it. What is hardly true, and could be (a meter
that counts losses, which are not billed), is passed on as given, with an issue.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from gateway.services.charge.drivers import same_driver
from gateway.services.stamps import AHEAD, not_ahead
from mappings.canonical.cdrs import Cdr, CdrLocation
from mappings.canonical.sessions import (
    ChargingPeriod,
    DimensionType,
    Metering,
    Session,
    SessionStatus,
)
from mappings.canonical.tariffs import Money
from mappings.report import Issue, IssueKind

Faults = list[tuple[str, str]]
"""Pairs of the field's path and one sentence."""

FINISHED: Final = frozenset({SessionStatus.COMPLETED, SessionStatus.INVALID})
MOST_ENERGY: Final = Decimal(1000)
"""kWh of one CDR (OICP 2.3, eRoamingChargeDetailRecord: the hub refuses more)."""

ROUNDED: Final = timedelta(minutes=1)
"""How much longer than from its start to its end a CDR's hours may be: some round to the minute."""

OUTSIDE: Final = timedelta(hours=1)
"""How far a CDR may reach out of its session: stations that were offline set their clocks later."""

_NEAR: Final = timedelta(minutes=5)
"""How far it does so without anybody being told."""

_POWER: Final = Decimal(1000)
"""kW that hardly any EVSE gives."""

_DEAR: Final = (Decimal(100), Decimal(5), Decimal(60))
"""What hardly any charge costs more than, net, in euros: at once, for each kWh, for each hour."""

_EURO: Final[Mapping[str, int]] = {
    "EUR": 1, "CHF": 1, "GBP": 1, "USD": 1, "BGN": 2, "RON": 5, "PLN": 5, "DKK": 8, "SEK": 12, "NOK": 12, "CZK": 25,
    "HUF": 400,
}  # fmt: skip
"""About how much of a currency makes a euro; what is not here is not doubted."""

_COSTS: Final = ("total_cost", "fixed_cost", "energy_cost", "time_cost", "parking_cost", "reservation_cost")
_WITHIN: Final = frozenset({DimensionType.TIME, DimensionType.PARKING_TIME})
"""What lasts no longer than the session; a reservation comes before it."""

_PLACES: Final = Decimal("0.0001")
_MOMENTS: Final = ("start", "end", "charging_start", "charging_end", "last_updated")


def without_future(session: Session, arrived: datetime) -> tuple[Session, list[Issue]]:
    """Gives a session without stamps ahead of the clock: with one of them, no later report would count as newer.

    When a penalty begins, and what a driver agreed to, may well lie ahead.
    """
    issues: list[Issue] = []
    changes: dict[str, Any] = {}

    def mended(at: datetime, field: str) -> datetime:
        at, issue = not_ahead(at, arrived, field)
        if issue is not None:
            issues.append(issue)
        return at

    for name in _MOMENTS:
        if (at := getattr(session, name)) is not None and (now := mended(at, name)) is not at:
            changes[name] = now
    if session.error is not None and (now := mended(session.error.at, "error.at")) is not session.error.at:
        changes["error"] = session.error.model_copy(update={"at": now})
    periods = tuple(
        period.model_copy(update={"start": mended(period.start, f"periods[{index}].start")})
        for index, period in enumerate(session.periods)
    )
    if periods != session.periods:
        changes["periods"] = periods
    # Everything put in is a validated value of the same type.
    return (session.model_copy(update=changes) if changes else session), issues


def of_session(session: Session, before: Session | None) -> Faults:
    """Gives what contradicts itself, or what was told of the session before."""
    faults = _of_times(session.start, session.end, session.charging_start, session.charging_end)
    faults += _of_meter(session.metering)
    if session.status is SessionStatus.COMPLETED and session.end is None:
        faults.append(("end", "is required of a session that is COMPLETED"))
    if before is None:
        return faults
    if before.status in FINISHED and session.status not in FINISHED:
        faults.append(("status", f"is {session.status}, but the session is {before.status}: it does not run again"))
    if session.energy < before.energy:
        faults.append(("energy", f"is less than the {before.energy} kWh that were told before"))
    for name in ("location_id", "evse_uid"):
        if getattr(session, name) != (told := getattr(before, name)):
            faults.append((name, f"was {told}: a session stays at its EVSE"))
    if same_driver(session.identification, before.identification) is False:
        faults.append(("identification", "is another driver's than was told before"))
    if session.currency != before.currency:
        faults.append(("currency", f"was {before.currency}"))
    return faults


def of_cdr(cdr: Cdr, now: datetime) -> Faults:
    """Gives what contradicts itself in a CDR."""
    faults = _of_times(cdr.start, cdr.end, cdr.charging_start, cdr.charging_end) + _of_meter(cdr.metering)
    if cdr.end > now + AHEAD:
        faults.append(("end", "is in the future"))
    if cdr.energy < 0:
        faults.append(("energy", "is negative"))
    elif cdr.energy > MOST_ENERGY:
        faults.append(("energy", f"is over {MOST_ENERGY} kWh"))
    if not cdr.credit:
        faults += [fault for name in _COSTS for fault in _of_money(name, getattr(cdr, name))]
    return faults + _of_duration(cdr)


def _of_money(name: str, money: Money | None) -> Faults:
    if money is None:
        return []
    amounts = [("net", money.net), *((f"taxes[{index}].amount", tax.amount) for index, tax in enumerate(money.taxes))]
    detail = "is negative: only a credit takes money back, see POST …/corrections"
    return [(f"{name}.{field}", detail) for field, amount in amounts if amount is not None and amount < 0]


def _of_duration(cdr: Cdr) -> Faults:
    if cdr.end < cdr.start:
        return []  # which is said already
    faults: Faults = []
    if cdr.end == cdr.start and cdr.energy > 0:
        faults.append(("end", "is the start, but there is energy"))
    whole = cdr.end - cdr.start
    most = _hours(whole + ROUNDED)
    longer = f"is longer than the {whole} from the start to the end"
    faults += [(name, longer) for name in ("time", "parking_time") if (getattr(cdr, name) or 0) > most]
    lasted = dict.fromkeys(_WITHIN, Decimal())
    for index, period in enumerate(cdr.periods):
        for place, one in enumerate(period.dimensions):
            if one.type in _WITHIN:
                lasted[one.type] += one.volume
                if one.volume < 0:
                    faults.append((f"periods[{index}].dimensions[{place}].volume", "is a negative time"))
    faults += [("periods", f"{type_}: {longer}") for type_, hours in sorted(lasted.items()) if hours > most]
    return faults


def of_cdr_and_session(cdr: Cdr, session: Session, place: CdrLocation, references: Iterable[str]) -> Faults:
    """Gives what a CDR says otherwise than its session.

    Args:
        references: Every id by which the session's authorisation may be named.
    """
    faults: Faults = []
    where = (("id", "location"), ("evse_uid", "EVSE"), ("connector_id", "connector"))
    for name, what in where:
        if (given := getattr(cdr.location, name)) != (told := getattr(place, name)):
            faults.append((f"location.{name}", f"is {given}, but the session's {what} is {told}"))
    if cdr.location.evse_id is not None and place.evse_id is not None and cdr.location.evse_id != place.evse_id:
        faults.append(("location.evse_id", f"is {cdr.location.evse_id}, but the session's EVSE is {place.evse_id}"))
    if cdr.currency != session.currency:
        faults.append(("currency", f"is {cdr.currency}, but the session's is {session.currency}"))
    if same_driver(cdr.identification, session.identification) is False:
        faults.append(("identification", "is another driver's than the session's"))
    if cdr.reference is not None and cdr.reference not in {session.reference, *references}:
        faults.append(("reference", "is another than the session's"))
    return faults + [
        (field, f"is {by} out of the session, which {what}")
        for field, by, what in _reaching_out(cdr, session)
        if by > OUTSIDE
    ]


def _reaching_out(cdr: Cdr, session: Session) -> Iterator[tuple[str, timedelta, str]]:
    began = f"began at {session.start.isoformat()}"
    yield "start", session.start - cdr.start, began
    yield "end", session.start - cdr.end, began
    if session.end is not None:
        ended = f"ended at {session.end.isoformat()}"
        yield "start", cdr.start - session.end, ended
        yield "end", cdr.end - session.end, ended


def of_session_with_cdr(session: Session, cdr: Cdr) -> list[Issue]:
    """Gives what a session says after its CDR that this does not say.

    It is taken, since a report may come late and the backend would send it for ever; but no bill follows from it.
    """
    final = f"the CDR {cdr.id} is final: nothing that the session tells now is billed, see POST …/corrections"
    doubts: list[tuple[str, str]] = []
    if session.energy > cdr.energy:
        doubts.append(("energy", f"is over the {cdr.energy} kWh of its CDR; {final}"))
    if session.status not in FINISHED and session.last_updated > cdr.end:
        doubts.append(("status", f"is {session.status} after its CDR's end; {final}"))
    if session.end is not None and session.end > cdr.end + _NEAR:
        doubts.append(("end", f"is after its CDR's; {final}"))
    return [Issue(IssueKind.SUSPECT, field, detail) for field, detail in doubts]


def doubts_of_cdr(cdr: Cdr, session: Session | None) -> list[Issue]:
    """Gives what is hardly true of a CDR."""
    doubts: list[tuple[str, str]] = []
    start, end = cdr.metering.start, cdr.metering.end
    if start is not None and end is not None and _differ(end.quantize(_PLACES) - start.quantize(_PLACES), cdr.energy):
        doubts.append(("energy", "is not the difference of the meter's readings"))
    told = [one.volume for period in cdr.periods for one in period.dimensions if one.type is DimensionType.ENERGY]
    if told and _differ(sum(told, Decimal()), cdr.energy):
        doubts.append(("energy", "is not the sum of the periods' energy"))
    if any(first.start > second.start for first, second in pairwise(cdr.periods)):
        doubts.append(("periods", "are not in the order of time"))
    if any(not cdr.start <= period.start <= cdr.end for period in cdr.periods):
        doubts.append(("periods", "begin outside of the session"))
    if cdr.charging_start is not None and cdr.charging_start < cdr.start:
        doubts.append(("charging_start", "is before the start"))
    if cdr.charging_end is not None and cdr.charging_end > cdr.end:
        doubts.append(("charging_end", "is after the end"))
    doubts += _of_amounts(cdr)
    if session is not None:
        doubts += _of_its_session(cdr, session)
    return [Issue(IssueKind.SUSPECT, field, detail) for field, detail in doubts]


def _of_amounts(cdr: Cdr) -> Iterator[tuple[str, str]]:
    hours = _hours(max(cdr.end - cdr.start, ROUNDED))
    if cdr.energy > _POWER * hours:
        yield "energy", f"is more than {_POWER} kW give from the start to the end"
    if cdr.total_cost is None:
        return
    at_once, per_kwh, per_hour = _DEAR
    rate = _EURO.get(cdr.currency)
    if rate is not None and cdr.total_cost.net > (at_once + per_kwh * cdr.energy + per_hour * hours) * rate:
        yield "total_cost", "is far more than such a charge costs"
    parts = [cost.net for name in _COSTS[1:] if (cost := getattr(cdr, name)) is not None]
    if parts and not cdr.credit and _differ(max(sum(parts, Decimal()), cdr.total_cost.net), cdr.total_cost.net):
        yield "total_cost", "is less than its parts together"


def _of_its_session(cdr: Cdr, session: Session) -> Iterator[tuple[str, str]]:
    if session.status is SessionStatus.INVALID:
        yield "session_id", "the session is INVALID, and would not be billed"
    elif session.status is not SessionStatus.COMPLETED:
        yield "session_id", f"the session is {session.status}: nobody told of its end yet"
    over = session.status is SessionStatus.COMPLETED
    if over and _differ(session.energy, cdr.energy):
        yield "energy", f"is not the {session.energy} kWh of the session"
    elif not over and cdr.energy < session.energy:
        yield "energy", f"is less than the {session.energy} kWh that the session told already"
    for field, by, what in _reaching_out(cdr, session):
        if by > _NEAR:
            yield field, f"is {by} out of the session, which {what}"


def in_order(periods: Iterable[ChargingPeriod]) -> tuple[ChargingPeriod, ...]:
    """Gives periods in the order of time, as each ends where the next begins."""
    return tuple(sorted(periods, key=lambda period: period.start))


def _hours(time: timedelta) -> Decimal:
    return Decimal(time // timedelta(microseconds=1)) / 3_600_000_000


def _differ(one: Decimal, other: Decimal) -> bool:
    return abs(one.quantize(_PLACES) - other.quantize(_PLACES)) > _PLACES


def _of_times(
    start: datetime, end: datetime | None, charging_start: datetime | None, charging_end: datetime | None
) -> Faults:
    faults: Faults = []
    if end is not None and end < start:
        faults.append(("end", "is before the start"))
    if charging_start is not None and charging_end is not None and charging_end < charging_start:
        faults.append(("charging_end", "is before the charging_start"))
    return faults


def _of_meter(metering: Metering) -> Faults:
    readings = [one for one in (metering.start, *metering.between, metering.end) if one is not None]
    if any(first > second for first, second in pairwise(readings)):
        return [("metering", "goes back: each reading is at least the one before")]
    return []
