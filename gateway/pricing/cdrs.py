"""The charge that a CDR tells of (OCPI 2.2.1, mod_cdrs, ChargingPeriod; OICP 2.3, eRoamingChargeDetailRecord)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Final

from gateway.pricing.charge import RESERVING, Charge, Phase, Reading, Stretch
from gateway.pricing.notes import Note, NoteKind, Unpriceable, Why
from gateway.pricing.periods import Told, told_of
from mappings.canonical.cdrs import Cdr

_HOUR: Final = 3600
_MICRO: Final = timedelta(microseconds=1)
_SECOND: Final = Decimal(1)
"""By which stamps in whole seconds make times differ."""
_DISAGREE: Final = timedelta(seconds=30)
"""By which the clocks of a meter and of a backend may differ."""
_PLACES: Final = range(2, 5)
"""Of hours, as they are told; a zero at the end is not seen, and of fewer nobody means that it was rounded."""


def charge_of(cdr: Cdr, zone: str | None = None) -> Charge:
    """Reads the charge of a CDR.

    Where periods tell times, those count, each at its place on the clock. Where none does, the clock tells them:
    charging lasts from `charging_start` to `charging_end`, and what is before and after is parking.

    Args:
        cdr: A credit is read as what it takes back.
        zone: IANA name of the place's time zone, where the CDR names none.

    Raises:
        Unpriceable: OUT_OF_ORDER: a period begins before the one before it, or it or the charging lies outside of the
            CDR. NEGATIVE_VOLUME: a volume is negative, or the meter goes back. NO_TIME: a period tells neither time
            nor energy, or energy in a reservation. UNKNOWN_DIMENSION: it tells nothing that is known.
    """
    notes: list[Note] = []
    cdr = _aligned(cdr, notes)
    _check(cdr)
    periods = [told_of(period, number) for number, period in enumerate(cdr.periods)]
    if any(told.tells_time for told in periods):
        stretches = _by_periods(cdr, periods, notes)
    else:
        stretches = _by_clock(cdr, periods, notes)
    if any(told.fed_back for told in periods):
        _assume(notes, "periods", "energy that the vehicle gave back is told, and tariffs have no price for it")
    stretches = _expired(_with_energy(cdr, periods, stretches, notes))
    if not stretches:
        raise Unpriceable(Why.NOTHING, "periods", "nothing is told of what happened")
    return Charge(stretches, cdr.location.time_zone or zone, notes)


def _aligned(cdr: Cdr, notes: list[Note]) -> Cdr:
    """Brings what strays out of the CDR, by no more than clocks may disagree, to its start or end."""
    stamps = [cdr.charging_start, cdr.charging_end, *(period.start for period in cdr.periods)]
    astray = [stamp for stamp in stamps if stamp is not None and not cdr.start <= stamp <= cdr.end]
    if not astray or any(not cdr.start - _DISAGREE <= stamp <= cdr.end + _DISAGREE for stamp in astray):
        return cdr

    def within(stamp: datetime) -> datetime:
        return min(max(stamp, cdr.start), cdr.end)

    _assume(notes, "charging_start", "the charging strays out of the CDR by seconds: it is moved to its start or end")
    return cdr.model_copy(
        update={
            "charging_start": cdr.charging_start and within(cdr.charging_start),
            "charging_end": cdr.charging_end and within(cdr.charging_end),
            "periods": tuple(period.model_copy(update={"start": within(period.start)}) for period in cdr.periods),
        }
    )


def _check(cdr: Cdr) -> None:
    if cdr.end < cdr.start:
        raise Unpriceable(Why.OUT_OF_ORDER, "end", "before the start")
    if cdr.energy < 0:
        raise Unpriceable(Why.NEGATIVE_VOLUME, "energy", f"{cdr.energy} kWh")
    readings = [one for one in (cdr.metering.start, *cdr.metering.between, cdr.metering.end) if one is not None]
    if any(later < one for one, later in pairwise(readings)):
        raise Unpriceable(Why.NEGATIVE_VOLUME, "metering", "the meter goes back")
    before = cdr.start
    for number, period in enumerate(cdr.periods):
        if period.start < before:
            what = "the period before it" if number else "the CDR"
            raise Unpriceable(Why.OUT_OF_ORDER, f"periods[{number}].start", f"before {what}")
        before = period.start
    if before > cdr.end:
        raise Unpriceable(Why.OUT_OF_ORDER, f"periods[{len(cdr.periods) - 1}].start", "after the CDR's end")


def _ends(cdr: Cdr) -> list[datetime]:
    starts = [period.start for period in cdr.periods]
    return [*starts[1:], cdr.end] if starts else []


# By what periods tell


def _by_periods(cdr: Cdr, periods: Sequence[Told], notes: list[Note]) -> list[Stretch]:
    if cdr.periods[0].start > cdr.start:
        _assume(notes, "periods[0].start", "nothing is told of the time before it, and it costs nothing")
    stretches: list[Stretch] = []
    for period, end, told in zip(cdr.periods, _ends(cdr), periods, strict=True):
        stretches += _of_period(period.start, end, told, notes)
    return stretches


def _of_period(start: datetime, end: datetime, told: Told, notes: list[Note]) -> list[Stretch]:
    clock = _seconds(start, end)
    path = f"periods[{told.number}]"
    phases = [(phase, hours * _HOUR) for phase, hours in told.times if hours]
    if not told.tells_time:
        if told.energy is None:
            if not clock:
                return []
            raise Unpriceable(Why.NO_TIME, path, "tells neither time nor energy")
        _assume(notes, path, "its time is not told: charging is taken to last all of it")
        return [_stretch(start, end, Phase.CHARGING, clock, told)]
    if not phases:
        if not clock and not told.energy:
            return []
        phases = [(Phase.CHARGING if told.energy else Phase.PARKING, Decimal(0))]
    billed = sum((seconds for _, seconds in phases), Decimal(0))
    if abs(billed - clock) > _SECOND + _rounding(told):
        detail = f"{_shown(billed)} s are told, and {_shown(clock)} s lie on the clock"
        notes.append(Note(NoteKind.HOURS_DIFFER, path, detail))
    elif len(phases) == 1:
        # Hours are told less precisely than the clock: 22 minutes as 0.3667 would be a step more.
        phases = [(phases[0][0], clock)]
    if told.energy and all(phase in RESERVING for phase, _ in phases):
        raise Unpriceable(Why.NO_TIME, path, "energy flowed in it, and it tells no time but a reservation's")
    if len(phases) > 1:
        _assume(notes, path, "the parts of its time are taken to follow each other: reservation, charging, parking")
        return _in_turn(start, end, phases, told)
    return [_stretch(start, end, *phases[0], told)]


def _rounding(told: Told) -> Decimal:
    """Gives the seconds by which rounding may have moved the times of a period."""
    return sum((Decimal(_HOUR).scaleb(-_places(hours)) / 2 for _, hours in told.times), Decimal(0))


def _places(hours: Decimal) -> int:
    exponent = hours.as_tuple().exponent
    return min(max(-exponent if isinstance(exponent, int) else 0, _PLACES[0]), _PLACES[-1])


def _in_turn(start: datetime, end: datetime, phases: Sequence[tuple[Phase, Decimal]], told: Told) -> list[Stretch]:
    """Cuts a period into its phases, each with its share of the clock; its energy flows while charging."""
    whole = sum((seconds for _, seconds in phases), Decimal(0))
    carrier = next((phase for phase in (Phase.CHARGING, Phase.PARKING) if phase in dict(phases)), phases[0][0])
    stretches, gone, since = [], Decimal(0), start
    for number, (phase, seconds) in enumerate(phases):
        gone += seconds
        until = end if number == len(phases) - 1 else start + (end - start) * float(gone / whole)
        stretches.append(_stretch(since, until, phase, seconds, told if phase is carrier else told.without_energy()))
        since = until
    return stretches


# By the clock


def _by_clock(cdr: Cdr, periods: Sequence[Told], notes: list[Note]) -> list[Stretch]:
    begin, end = _charging(cdr, notes)
    spans = [
        (told, period.start, until) for told, period, until in zip(periods, cdr.periods, _ends(cdr), strict=True)
    ] or [(Told(0, energy=cdr.energy), cdr.start, cdr.end)]
    if cdr.charging_start is not None and spans[0][1] > cdr.start:
        spans.insert(0, (Told(0), cdr.start, spans[0][1]))
    elif spans[0][1] > cdr.start:
        _assume(notes, "periods[0].start", "nothing is told of the time before it, and it costs nothing")
    known = cdr.charging_start is not None or cdr.charging_end is not None
    stretches: list[Stretch] = []
    for told, start, until in spans:
        path = f"periods[{told.number}]"
        if told.energy is None and not known and start < until:
            raise Unpriceable(Why.NO_TIME, path, "tells neither time nor energy")
        first, last = max(start, begin), min(until, end)
        if first >= last and told.energy:
            if start < until:
                _assume(notes, path, "its energy flows outside of the charging: it is taken to charge all along")
            first, last = start, until
        elif first >= last:
            first = last = until
        cuts = [(start, first, Phase.PARKING), (first, last, Phase.CHARGING), (last, until, Phase.PARKING)]
        for since, to, phase in cuts:
            charging = phase is Phase.CHARGING
            if since < to or (charging and told.energy):
                given = told if charging else told.without_energy()
                stretches.append(_stretch(since, to, phase, _seconds(since, to), given))
    return stretches


def _charging(cdr: Cdr, notes: list[Note]) -> tuple[datetime, datetime]:
    """Tells from when to when energy flowed, where no period tells times."""
    begin, end = cdr.charging_start or cdr.start, cdr.charging_end or cdr.end
    if not cdr.start <= begin <= end <= cdr.end:
        raise Unpriceable(Why.OUT_OF_ORDER, "charging_start", "the charging lies outside of the CDR")
    parked = (cdr.parking_time or Decimal(0)) * _HOUR
    if cdr.charging_start is None and cdr.charging_end is None and 0 < parked <= _seconds(begin, end):
        end -= timedelta(seconds=float(parked))
        _assume(notes, "parking_time", "its place is not told: the car is taken to park at the end")
    elif cdr.charging_start is None or cdr.charging_end is None:
        _assume(
            notes, "periods", "they tell no times: charging is taken to last all along, as far as nothing else is told"
        )
    return begin, end


# Volumes


def _with_energy(cdr: Cdr, periods: Sequence[Told], stretches: list[Stretch], notes: list[Note]) -> list[Stretch]:
    """Gives the energy that no period tells to the times of charging, evenly."""
    if not periods:
        return stretches
    if any(told.energy is not None for told in periods):
        if (total := sum(told.energy or Decimal(0) for told in periods)) != cdr.energy:
            _assume(notes, "energy", f"the periods have {total} kWh, and the CDR {cdr.energy}: the periods' are priced")
        return stretches
    if not cdr.energy:
        return stretches
    phases = {one.phase for one in stretches}
    carrier = next((phase for phase in (Phase.CHARGING, Phase.PARKING) if phase in phases), None)
    if carrier is None:
        raise Unpriceable(Why.NO_TIME, "energy", "it flowed in no period")
    _assume(notes, "energy", "no period tells it: it is taken to flow evenly")
    times = [one.seconds for one in stretches if one.phase is carrier]
    whole, count = sum(times), len(times)

    def carrying(one: Stretch) -> Stretch:
        energy = cdr.energy * one.seconds / whole if whole else cdr.energy / count
        return replace(one, energy=energy, power=_power(one.power, one.phase, energy, one.seconds))

    return [carrying(one) if one.phase is carrier else one for one in stretches]


def _expired(stretches: list[Stretch]) -> list[Stretch]:
    """Tells a reservation that nobody came for from one that a charge followed."""
    if any(stretch.phase not in RESERVING for stretch in stretches):
        return stretches
    return [replace(stretch, phase=Phase.EXPIRED) for stretch in stretches]


def _stretch(start: datetime, end: datetime, phase: Phase, seconds: Decimal, told: Told) -> Stretch:
    energy = told.energy or Decimal(0)
    return Stretch(
        start=start,
        end=end,
        phase=phase,
        seconds=seconds,
        energy=energy,
        power=_power(told.power, phase, energy, seconds),
        current=told.current,
        period=told.number,
        tariff_id=told.tariff_id,
    )


def _power(told: Reading | None, phase: Phase, energy: Decimal, seconds: Decimal) -> Reading | None:
    """Derives the average power where none is told; it counts only where a tariff asks for it, and is noted then."""
    if phase is not Phase.CHARGING or not seconds or (told is not None and told.average is not None):
        return told
    average = energy * _HOUR / seconds
    return Reading(average=average) if told is None else replace(told, average=average)


def _seconds(start: datetime, end: datetime) -> Decimal:
    return Decimal((end - start) // _MICRO).scaleb(-6)


def _shown(seconds: Decimal) -> str:
    return f"{seconds.quantize(_SECOND):f}"


def _assume(notes: list[Note], field: str, detail: str) -> None:
    notes.append(Note(NoteKind.ASSUMED, field, detail))
