"""A charge that has not happened yet, from what a driver needs: how much, at what power, and what is assumed for it.

Powers follow a curve that is linear between its points, over the energy delivered or the battery's state of charge.
Times are whole seconds and energies whole milliwatt-hours, as meters tell them.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Final

from gateway.pricing.charge import Charge, Phase, Reading, Stretch
from gateway.pricing.curves import TINY, Flow, Piece, below, course, up_to
from gateway.pricing.notes import Note, NoteKind, Unpriceable, Why
from mappings.canonical.tariffs import Tariff

ASSUMED_POWER: Final = Decimal(11)
"""kW, where nothing is known: what most cars take of alternating current."""

LONGEST: Final = timedelta(days=31)
"""What takes longer is not reached."""

_HOUR: Final = Decimal(3600)
_FULL: Final = Decimal(100)
"""Per cent of a battery."""
_METERED: Final = Decimal("0.000001")


class Over(StrEnum):
    """What a curve's powers go by."""

    ENERGY = "energy"
    """kWh delivered since the start."""
    STATE_OF_CHARGE = "state_of_charge"
    """Per cent of the battery."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Powers on the way, linear between points, constant before the first and after the last.

    Attributes:
        points: What they go by, rising, and kW. Two at one place are a jump.
    """

    over: Over
    points: Sequence[tuple[Decimal, Decimal]]


@dataclass(frozen=True, slots=True)
class Battery:
    """A vehicle's battery.

    Attributes:
        capacity: kWh.
        charged: Per cent, at the start.
    """

    capacity: Decimal
    charged: Decimal


@dataclass(frozen=True, slots=True)
class Need:
    """What a driver needs: energy, a state of charge, or a time; where two are given, both.

    Attributes:
        energy: kWh.
        target: Per cent of the battery at the end.
        duration: How long the vehicle is plugged in; charging all the time unless energy or target say less.
        battery: Needed for a target and for a curve over the state of charge; it takes no more than it has room for.
        power: kW, constant or as a curve; None to have it assumed.
        current: A while charging, all phases together; None where it is not known.
        limit: kW that the EVSE gives at most; None where it is not known.
        parked: How long the vehicle stays when it has what it needs, or the duration is over.
        reserved: How long before the start the EVSE is kept for the driver.
    """

    energy: Decimal | None = None
    target: Decimal | None = None
    duration: timedelta | None = None
    battery: Battery | None = None
    power: Decimal | Curve | None = None
    current: Decimal | None = None
    limit: Decimal | None = None
    parked: timedelta = timedelta(0)
    reserved: timedelta = timedelta(0)


def charge_for(need: Need, start: datetime, zone: str | None, *, cuts: Collection[Decimal] = ()) -> Charge:
    """Makes the charge by which a need is met.

    Args:
        start: Of the session, aware.
        zone: IANA name of the place's time zone; None where it is not known.
        cuts: kW at which prices change: no stretch lies on both sides of one; see `powers_of`.

    Returns:
        With a note of the kind ASSUMED for whatever was not given.

    Raises:
        Unpriceable: NOTHING: nothing is needed. NOT_MET: it cannot be reached, `field` being what stands in the way.
    """
    notes: list[Note] = []
    check(need)
    wanted = _wanted(need, notes)
    pieces = _profile(need, wanted, notes)
    flows, enough = course(pieces, wanted, _seconds(need.duration or LONGEST) / _HOUR, cuts)
    if not enough:
        raise _not_met(need, flows)
    delivered = sum((flow.energy for flow in flows), Decimal(0))
    if isinstance(need.power, Curve) and delivered > _points(need, need.power)[-1][0]:
        place, power = need.power.points[-1]
        detail = f"{power.normalize():f} kW beyond the curve's last point, at {place.normalize():f}"
        notes.append(Note(NoteKind.ASSUMED, f"power.points[{len(need.power.points) - 1}]", detail))
    stretches: list[Stretch] = []
    if need.reserved:
        stretches.append(_standing(Phase.RESERVED, start - need.reserved, start))
    charging = _charging(flows, start)
    if need.current is not None:
        told = Reading(need.current, need.current, need.current)
        charging = [replace(each, current=told) for each in charging]
    stretches += charging
    end = stretches[-1].end if stretches else start
    until = max(end, start + (need.duration or timedelta(0))) + need.parked
    if until > end:
        stretches.append(_standing(Phase.PARKING, end, until))
    return Charge(stretches, zone, notes)


def powers_of(tariff: Tariff) -> frozenset[Decimal]:
    """Gives the powers, in kW, at which a tariff's restrictions begin or cease to hold."""
    limits = [element.restrictions for element in tariff.elements if element.restrictions is not None]
    found = {power for each in limits for power in (each.min_power, each.max_power)}
    return frozenset(power for power in found if power is not None)


def check(need: Need) -> None:
    """Makes sure that a need makes sense, whatever the EVSE.

    Raises:
        Unpriceable: It does not.
    """
    if need.energy is None and need.target is None and need.duration is None:
        raise Unpriceable(Why.NOTHING, "", "neither energy nor a target nor a duration is asked for")
    if need.energy is not None and need.energy <= 0:
        raise Unpriceable(Why.NOTHING, "energy", "no energy is asked for")
    if need.duration is not None and need.duration <= timedelta(0):
        raise Unpriceable(Why.NOTHING, "duration", "no time is asked for")
    if need.current is not None and need.current < 0:
        raise Unpriceable(Why.NOT_MET, "current", "the current is negative")
    for name, span in (("duration", need.duration), ("parked", need.parked), ("reserved", need.reserved)):
        if span is not None and not timedelta(0) <= span <= LONGEST:
            raise Unpriceable(Why.NOT_MET, name, f"the time is negative, or longer than {LONGEST.days} days")
    _check_battery(need)
    by_charge = isinstance(need.power, Curve) and need.power.over is Over.STATE_OF_CHARGE
    if need.battery is None and (need.target is not None or by_charge):
        raise Unpriceable(Why.NOT_MET, "battery", "a state of charge says nothing without the battery")
    if need.energy is not None and need.target is not None:
        raise Unpriceable(Why.NOT_MET, "target", "energy is asked for, too, and the two need not be the same")
    if isinstance(need.power, Curve):
        _check_curve(need.power)


def _check_battery(need: Need) -> None:
    if need.target is not None and need.target > _FULL:
        raise Unpriceable(Why.NOT_MET, "target", f"{need.target:f} % are asked for, and a full battery has 100")
    if need.battery is None:
        return
    if need.battery.capacity <= 0 or not 0 <= need.battery.charged <= _FULL:
        raise Unpriceable(Why.NOT_MET, "battery", "its capacity is not above 0 kWh, or its charge not from 0 to 100 %")
    if need.target is not None and need.target <= need.battery.charged:
        detail = f"the battery has {need.battery.charged:f} % at the start, and {need.target:f} % are asked for"
        raise Unpriceable(Why.NOT_MET, "target", detail)


def _check_curve(curve: Curve) -> None:
    if not curve.points:
        raise Unpriceable(Why.NOT_MET, "power", "the curve has no points")
    for n, ((before, _), (after, _)) in enumerate(pairwise(curve.points), 1):
        if after < before:
            raise Unpriceable(Why.NOT_MET, f"power.points[{n}]", "the curve goes back")
    for n, (_, power) in enumerate(curve.points):
        if power < 0:
            raise Unpriceable(Why.NOT_MET, f"power.points[{n}]", "a power is negative")


def _wanted(need: Need, notes: list[Note]) -> Decimal | None:
    """Gives the energy that is to be delivered; None where only time ends the charge.

    Raises:
        Unpriceable: NOT_MET: the battery has no room for it.
    """
    if need.battery is None:
        return need.energy
    room = need.battery.capacity * (_FULL - need.battery.charged) / _FULL
    if need.target is not None:
        detail = "nothing is lost on the way: the battery takes what the meter counts"
        notes.append(Note(NoteKind.ASSUMED, "target", detail))
        return need.battery.capacity * (need.target - need.battery.charged) / _FULL
    if need.energy is not None and need.energy > room:
        raise Unpriceable(Why.NOT_MET, "energy", f"the battery has room for {room.normalize():f} kWh")
    return need.energy


def _profile(need: Need, wanted: Decimal | None, notes: list[Note]) -> list[Piece]:
    """Gives the power over the energy delivered, up to the battery's end, as the EVSE allows it.

    Raises:
        Unpriceable: NOT_MET: there is no power.
    """
    power = need.power
    if power is None:
        power = _assumed(need, wanted, notes)
    pieces = _line(need, power, notes) if isinstance(power, Curve) else [Piece(Decimal(0), None, power, power)]
    if need.limit is not None and any(max(piece.first, piece.last) > need.limit for piece in pieces):
        pieces = below(pieces, need.limit)
        notes.append(Note(NoteKind.ASSUMED, "power", f"the EVSE gives {need.limit.normalize():f} kW at most"))
    if need.battery is not None:
        pieces = up_to(pieces, need.battery.capacity * (_FULL - need.battery.charged) / _FULL)
    if all(piece.first <= 0 and piece.last <= 0 for piece in pieces):
        raise Unpriceable(Why.NOT_MET, "power", "without power no energy flows")
    return pieces


def _assumed(need: Need, wanted: Decimal | None, notes: list[Note]) -> Decimal:
    if wanted is not None and need.duration is not None:
        power = wanted / (_seconds(need.duration) / _HOUR)
        detail = f"{_about(power)} kW all the time, since no power is given: the energy over the duration"
    elif need.limit is not None:
        power = need.limit
        detail = f"{power.normalize():f} kW all the time, the most that the EVSE gives, since no power is given"
    else:
        power = ASSUMED_POWER
        detail = f"{power.normalize():f} kW all the time, since no power is given"
    notes.append(Note(NoteKind.ASSUMED, "power", detail))
    return power


def _line(need: Need, curve: Curve, notes: list[Note]) -> list[Piece]:
    """Gives a curve over the energy delivered, from none on."""
    points = _points(need, curve)
    if points[0][0] > 0:
        detail = f"{points[0][1].normalize():f} kW up to the curve's first point, at {curve.points[0][0].normalize():f}"
        notes.append(Note(NoteKind.ASSUMED, "power.points[0]", detail))
        points.insert(0, (Decimal(0), points[0][1]))
    pieces = [Piece(a, b, first, last) for (a, first), (b, last) in pairwise(points) if b > a and b > 0]
    if pieces and pieces[0].start < 0:
        pieces[0] = pieces[0].onwards(Decimal(0))
    end, last = max(points[-1][0], Decimal(0)), points[-1][1]
    return [*pieces, Piece(end, None, last, last)]


def _points(need: Need, curve: Curve) -> list[tuple[Decimal, Decimal]]:
    """Gives a curve's points by the energy delivered, also those before the start."""
    if need.battery is None or curve.over is Over.ENERGY:
        return list(curve.points)
    scale, charged = need.battery.capacity / _FULL, need.battery.charged
    return [((place - charged) * scale, power) for place, power in curve.points]


def _not_met(need: Need, flows: Sequence[Flow]) -> Unpriceable:
    delivered = sum((flow.energy for flow in flows), Decimal(0))
    if need.duration is not None:
        return Unpriceable(Why.NOT_MET, "duration", f"in that time only {_about(delivered)} kWh flow")
    return Unpriceable(Why.NOT_MET, "power", f"in {LONGEST.days} days only {_about(delivered)} kWh flow")


def _charging(flows: Sequence[Flow], start: datetime) -> list[Stretch]:
    """Puts flows on the clock; those too short for it join the one before, or the next."""
    stretches: list[Stretch] = []
    passed, delivered, at, told = Decimal(0), Decimal(0), 0, Decimal(0)
    for n, flow in enumerate(flows, 1):
        passed += flow.hours * _HOUR
        delivered += flow.energy
        until = math.ceil(passed * (1 - TINY)) if n == len(flows) else math.floor(passed)
        energy = delivered.quantize(_METERED)
        if until > at:
            begin, end = start + timedelta(seconds=at), start + timedelta(seconds=until)
            power = Reading(flow.power, flow.power, flow.power)
            stretches.append(Stretch(begin, end, Phase.CHARGING, Decimal(until - at), energy - told, power))
            at, told = until, energy
        elif n == len(flows):
            stretches[-1] = replace(stretches[-1], energy=stretches[-1].energy + energy - told)
    return stretches


def _standing(phase: Phase, start: datetime, end: datetime) -> Stretch:
    return Stretch(start, end, phase, _seconds(end - start))


def _seconds(span: timedelta) -> Decimal:
    return Decimal(span.days * 86_400 + span.seconds) + Decimal(span.microseconds) / 1_000_000


def _about(value: Decimal) -> str:
    """Four digits, and never a power of ten: `:.4g` alone says 40 as 4e+1."""
    return f"{Decimal(f'{value:.4g}'):f}"
