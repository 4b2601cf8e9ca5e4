"""What a charge costs by one way, or why that cannot be said."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple

from gateway.pricing.charge import Charge, Phase
from gateway.pricing.currencies import in_minor_units
from gateway.pricing.engine import price
from gateway.pricing.explaining.words import summary
from gateway.pricing.needs import Battery, Curve, Need, charge_for, powers_of
from gateway.pricing.notes import Note, NoteKind, Unpriceable, Why
from gateway.pricing.result import Calculation, Line
from gateway.pricing.selecting import Candidate, select
from gateway.services.ports.quotes import (
    NeedGiven,
    NoteShown,
    Offer,
    QuotedCost,
    QuotedLine,
    QuotedTariff,
    QuoteWish,
    Refusal,
)
from gateway.services.quoting.reading import Socket, Way
from gateway.services.tariffs.versions import Version
from mappings.canonical.tariffs import Tariff

_TEXTS_KEPT: Final = 4096


class Wanted(NamedTuple):
    """What every way is asked for."""

    wish: QuoteWish
    need: Need
    start: datetime
    language: str


_LACKING: Final = {Why.NO_POWER: "need", Why.NO_ZONE: "time_zone"}
"""What of a wish would tell the engine what it lacks."""


def need_of(given: NeedGiven) -> Need:
    """Gives a need as the engine has it; its power is not limited yet."""
    return Need(
        given.energy,
        given.target,
        timedelta(seconds=given.duration) if given.duration is not None else None,
        Battery(given.battery.capacity, given.battery.charged) if given.battery is not None else None,
        Curve(given.curve.over, given.curve.points) if given.curve is not None else given.power,
        given.current,
        None,
        timedelta(seconds=given.parked),
        timedelta(seconds=given.reserved),
    )


def path_of(field: str, need: Need) -> str:
    """Gives the path in a wish of a need's field, as the engine names it; a curve is the power there."""
    if isinstance(need.power, Curve) and field.startswith("power.points"):
        field = f"curve{field.removeprefix('power')}"
    return f"need.{field}" if field else "need"


def offer_of(way: Way, wanted: Wanted) -> Offer:
    """Prices a charge by a way to an EVSE."""
    known: dict[str, Any] = {
        "connection": way.connection,
        "hub": way.hub,
        "preferred": way.preferred,
        "cpo": way.party,
        "agreement": way.agreement,
    }
    if way.refusal is not None:
        return Offer(**known, refusal=way.refusal)
    known |= {
        "location_id": way.location_id,
        "evse_uid": way.evse_uid,
    }
    socket, notes = _socket(way, wanted.wish.connector_id)
    if socket is None:
        detail = f"the EVSE has no connector {wanted.wish.connector_id}" if way.sockets else "it has no connector"
        return Offer(**known, refusal=Refusal(Why.NO_TARIFF, "connector_id", detail))
    if way.note is not None:
        notes.append(way.note)
    known["connector_id"] = socket.id
    ids = way.prices or socket.tariff_ids
    candidates = [each for id_ in dict.fromkeys(ids) for each in _named(way.versions, id_)]
    if not candidates:
        detail = f"nobody told {', '.join(ids)}" if ids else "nobody told its tariffs"
        return Offer(**known, refusal=Refusal(Why.NO_TARIFF, "", detail))
    limited = wanted._replace(need=replace(wanted.need, limit=socket.power))
    return priced(known, candidates, limited, way.zone or wanted.wish.time_zone, notes)


def priced(
    known: Mapping[str, Any],
    candidates: Sequence[Candidate],
    wanted: Wanted,
    zone: str | None,
    notes: Iterable[Note] = (),
) -> Offer:
    """Prices a charge by the one of some tariffs that holds.

    Args:
        known: Fields of the offer that are known so far.
        zone: The place's time zone; None where it is not known.
        notes: What is to be said of the way.
    """
    fields, said = dict(known), list(notes)
    try:
        selected = select(candidates, wanted.start, zone, wanted.wish.party, wanted.wish.type)
        said += selected.notes
        fields["tariff"] = _tariff(selected.candidate, wanted.language)
        charge = _charge(wanted, zone, selected.candidate)
        fields |= _taking(charge)
        calculation = price(selected.tariff, charge)
    except Unpriceable as error:
        fields["refusal"] = Refusal(error.why, _LACKING.get(error.why, error.field), error.detail)
    else:
        said += calculation.notes
        if calculation.lines and all(line.vat is None for line in calculation.lines):
            said.append(Note(NoteKind.TAX_UNTOLD, "", "the tariff names no tax: its gross is its net"))
        fields["cost"] = _cost(calculation)
        fields["lines"] = [_line(line) for line in calculation.lines]
    return Offer(**fields, notes=[NoteShown(*note) for note in said])


def _socket(way: Way, asked: str | None) -> tuple[Socket | None, list[Note]]:
    """Chooses the connector."""
    if asked is not None:
        return next((each for each in way.sockets if each.id == asked), None), []
    if not way.sockets:
        return None, []
    strongest = max(way.sockets, key=lambda each: each.power or 0)
    if all(each[1:] == strongest[1:] for each in way.sockets):
        return strongest, []
    detail = f"connector {strongest.id}, the strongest of {len(way.sockets)}, since none is named"
    return strongest, [Note(NoteKind.ASSUMED, "connector_id", detail)]


def _named(versions: Sequence[Version], id_: str) -> list[Version]:
    """Gives the versions of one tariff; own ids may differ by case alone, and the one as it is spelled goes before."""
    alike = [each for each in versions if each.tariff.id.lower() == id_.lower()]
    return [each for each in alike if each.tariff.id == id_] or alike


def _charge(wanted: Wanted, zone: str | None, candidate: Candidate) -> Charge:
    """Makes the charge, whose notes speak of the wish."""
    need = wanted.need
    try:
        charge = charge_for(need, wanted.start, zone, cuts=powers_of(candidate.tariff))
    except Unpriceable as error:
        raise Unpriceable(error.why, path_of(error.field, need), error.detail) from error
    notes = [Note(note.kind, path_of(note.field, need), note.detail) for note in charge.notes]
    return Charge(charge.stretches, charge.zone, notes)


def _taking(charge: Charge) -> dict[str, Any]:
    charging = [each for each in charge.stretches if each.phase is Phase.CHARGING]
    return {
        "energy": sum((each.energy for each in charging), Decimal(0)),
        "charging": int(sum(each.seconds for each in charging)),
        "start": charge.stretches[0].start,
        "end": charge.stretches[-1].end,
    }


def _tariff(candidate: Candidate, language: str) -> QuotedTariff:
    tariff = candidate.tariff
    version = candidate.no if isinstance(candidate, Version) else None
    text = _text(_Same(tariff), language)
    return QuotedTariff(tariff.party, tariff.id, text, tariff.target, version, candidate.known_from, tariff.url)


class _Same:
    """A tariff that is only the same as itself: to compare all of it would take as long as to say it."""

    __slots__ = ("tariff",)

    def __init__(self, tariff: Tariff) -> None:
        self.tariff = tariff

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.tariff is self.tariff

    def __hash__(self) -> int:
        return id(self.tariff)


@lru_cache(_TEXTS_KEPT)
def _text(of: _Same, language: str) -> str:
    return summary(of.tariff, language)


def _cost(calculation: Calculation) -> QuotedCost:
    currency = calculation.currency
    net, gross = in_minor_units(calculation.net, currency), in_minor_units(calculation.gross, currency)
    return QuotedCost(currency, net, gross - net, gross, calculation.net, calculation.gross)


def _line(line: Line) -> QuotedLine:
    return QuotedLine(
        line.of,
        line.reservation,
        line.used,
        line.billed,
        line.price,
        line.net,
        line.tax,
        line.vat,
        line.element,
        line.component,
        line.start,
        line.end,
    )
