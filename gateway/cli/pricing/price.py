"""`price`: what a charge costs by a tariff, of a CDR or of a driver's wish, line by line."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final, NamedTuple
from zoneinfo import ZoneInfo

import typer

from gateway.cli.asking import Json, decimal
from gateway.cli.exits import Exit, end
from gateway.cli.pricing.files import Contents
from gateway.cli.pricing.shown import write_priced
from gateway.cli.wishes import Capacity, Current, Kwh, Minutes, Parked, Power, Reserved, Soc, ToSoc
from gateway.pricing.cdrs import charge_of
from gateway.pricing.charge import Charge
from gateway.pricing.clock import zone_of
from gateway.pricing.comparing import TOLERANCE, Likeness, compare
from gateway.pricing.currencies import minor
from gateway.pricing.engine import price as price_of
from gateway.pricing.engine import price_by
from gateway.pricing.needs import Battery, Need, charge_for, powers_of
from gateway.pricing.notes import Note, NoteKind, Unpriceable, Why
from gateway.pricing.rounding import GIREVE, PLAIN, Rounding, Rules
from gateway.pricing.selecting import Candidate, select
from mappings.canonical.cdrs import Cdr
from mappings.canonical.tariffs import Tariff, TariffType


def zone_or_end(name: str | None) -> ZoneInfo | None:
    """Finds a time zone; ends the command where there is none of the name."""
    if name is None:
        return None
    zone = zone_of(name)
    if zone is None:
        end(Exit.USAGE, f"--zone: {name!r} is not a time zone like Europe/Paris")
    return zone


TariffFile = Annotated[
    Path,
    typer.Argument(metavar="TARIFF", help="A file with one or more tariffs, plain or gz; - for standard input."),
]
TariffOption = Annotated[str | None, typer.Option("--tariff", metavar="ID", help="Which tariff of the file.")]
ZoneOption = Annotated[
    str | None, typer.Option("--zone", metavar="NAME", help="The place's time zone, as Europe/Paris.")
]


class _Wish(NamedTuple):
    """What the command line says of a charge that has not happened yet."""

    need: Need
    start: str | None
    date: datetime | None


_NO_CURRENCY: Final = "XXX"
"""ISO 4217's code for none: OICP's CDRs do not tell it, and take the tariff's."""
_ROUNDINGS: Final = {"plain": PLAIN, "gireve": GIREVE}


def price(
    tariff: TariffFile,
    cdr: Annotated[
        Path | None, typer.Argument(metavar="CDR", help="A file with the CDR of a charge.", show_default=False)
    ] = None,
    tariff_id: TariffOption = None,
    cdr_id: Annotated[str | None, typer.Option("--cdr", metavar="ID", help="Which CDR of the file.")] = None,
    kwh: Kwh = None,
    start: Annotated[
        str | None, typer.Option("--from", metavar="HH:MM", help="When it begins, by the clock there; now otherwise.")
    ] = None,
    date: Annotated[
        datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="The day it begins; today otherwise.")
    ] = None,
    power: Power = None,
    current: Current = None,
    minutes: Minutes = None,
    parked: Parked = None,
    reserved: Reserved = None,
    battery: Capacity = None,
    soc: Soc = None,
    to_soc: ToSoc = None,
    zone: ZoneOption = None,
    rounding: Annotated[
        str, typer.Option("--rounding", help="plain: lines to four places, as OCPI's numbers; gireve: to three.")
    ] = "plain",
    tolerance: Annotated[
        Decimal, typer.Option("--tolerance", parser=decimal, help="By how much a CDR may differ, in its currency.")
    ] = TOLERANCE,
    as_json: Json = False,
) -> None:
    """Say what a charge costs: that of a CDR beside what it tells, or one that is wished for.

    OCPI, OICP and canonical JSON are read, Gireve's additions too. Exits with 7 where the CDR differs.
    """
    rules = _ROUNDINGS.get(rounding)
    if rules is None:
        end(Exit.USAGE, f"--rounding: {rounding!r} is none of {', '.join(_ROUNDINGS)}")
    wished = (kwh, start, date, power, current, minutes, parked, reserved, battery, soc, to_soc)
    if cdr is not None and any(one is not None for one in wished):
        end(Exit.USAGE, "name either a CDR, or what is wished for by --kwh and the like")
    if cdr is None and kwh is None and minutes is None and to_soc is None:
        end(Exit.USAGE, "name a CDR, or what is wished for: --kwh, --minutes or --to-soc")
    try:
        if cdr is not None:
            _of_cdr(Contents(tariff), Contents(cdr), tariff_id, cdr_id, zone, rules, tolerance, as_json=as_json)
            return
        need = Need(
            energy=kwh,
            target=to_soc,
            duration=_span(minutes),
            battery=_battery(battery, soc),
            power=power,
            current=current,
            parked=_span(parked) or timedelta(0),
            reserved=_span(reserved) or timedelta(0),
        )
        _of_wish(Contents(tariff), tariff_id, _Wish(need, start, date), zone, rules, as_json=as_json)
    except Unpriceable as error:
        hint = "; --zone says it" if error.why is Why.NO_ZONE else ""
        end(Exit.FAILED, f"cannot be priced: {error} ({error.why}){hint}")


def _span(minutes: Decimal | None) -> timedelta | None:
    if minutes is None:
        return None
    try:
        return timedelta(seconds=round(minutes * 60))
    except OverflowError:
        end(Exit.USAGE, f"{minutes} minutes are too many")


def _battery(capacity: Decimal | None, charged: Decimal | None) -> Battery | None:
    if (capacity is None) != (charged is None):
        end(Exit.USAGE, "--battery and --soc say something only together")
    return None if capacity is None or charged is None else Battery(capacity, charged)


def _of_wish(
    file: Contents, tariff_id: str | None, wish: _Wish, zone: str | None, rules: Rules, *, as_json: bool
) -> None:
    tariff = file.read(file.one(file.tariffs(), tariff_id, "--tariff"))
    place = zone_or_end(zone)
    start = _start(wish, place)
    charge = charge_for(wish.need, start, zone or "UTC", cuts=powers_of(tariff))
    if place is None:
        said = "none is given by --zone: times are those of the place, and its clock does not change meanwhile"
        charge = replace(charge, notes=[*charge.notes, Note(NoteKind.ASSUMED, "zone", said)])
    # A driver is told what can be paid.
    rules = Rules(line=rules.line, total=Rounding(minor(tariff.currency)))
    charge = replace(charge, notes=[*_not_in_force(tariff, charge), *charge.notes])
    calculation = price_of(tariff, charge, rules)
    between = charge.stretches[0].start, charge.stretches[-1].end
    write_priced(calculation, tariff.party, between, place, cdr=None, comparison=None, as_json=as_json)


def _not_in_force(tariff: Tariff, charge: Charge) -> list[Note]:
    """Says so where a tariff is priced that would not be chosen for the charge."""
    try:
        select([Candidate(tariff)], charge.start, charge.zone, tariff.target, tariff.type or TariffType.REGULAR)
    except Unpriceable as error:
        return [Note(NoteKind.NOT_IN_FORCE, error.field, error.detail)]
    return []


def _start(wish: _Wish, zone: ZoneInfo | None) -> datetime:
    now = datetime.now(zone or UTC)
    try:
        at = now.time() if wish.start is None else time.fromisoformat(wish.start)
    except ValueError:
        end(Exit.USAGE, f"--from: {wish.start!r} is not a time of day like 18:00")
    day = now.date() if wish.date is None else wish.date.date()
    local = datetime.combine(day, at.replace(microsecond=0, tzinfo=None), zone or UTC)
    # In UTC, since a sum in local time does not know that the clock changes.
    start = local.astimezone(UTC)
    if start.astimezone(local.tzinfo).replace(tzinfo=None) != local.replace(tzinfo=None):
        end(Exit.USAGE, f"--from: there is no {at:%H:%M} on {day} in {zone}: the clock is put forward")
    return start


def _of_cdr(
    file: Contents,
    bills: Contents,
    tariff_id: str | None,
    cdr_id: str | None,
    zone: str | None,
    rules: Rules,
    tolerance: Decimal,
    *,
    as_json: bool,
) -> None:
    zone_or_end(zone)
    found = file.tariffs()
    cdr = bills.read(bills.one(bills.cdrs(_NO_CURRENCY), cdr_id, "--cdr"))
    wanted = tariff_id or (_named(cdr, {each.id for each in found}) if len(found) > 1 else None)
    only = file.read(file.one(found, wanted, "--tariff"))
    if cdr.currency == _NO_CURRENCY:
        cdr = cdr.model_copy(update={"currency": only.currency})
    charge = charge_of(cdr, zone)
    named = {stretch.tariff_id for stretch in charge.stretches if stretch.tariff_id is not None}
    others = {each.id: each for each in found if each.id in named}
    if tariff_id is None and (missing := sorted(named - set(others))):
        detail = f"its periods name {', '.join(missing)}, which the file does not have; --tariff prices all by one"
        end(Exit.FAILED, f"{cdr.id} cannot be priced: {detail}")
    if tariff_id is None and (len(named) > 1 or (named and any(each.tariff_id is None for each in charge.stretches))):
        tariffs: dict[str, Tariff] = {id_: file.read(each) for id_, each in others.items()}
        calculation = price_by(tariffs, charge, rules)
    else:
        calculation = price_of(only, charge, rules)
    calculation = replace(calculation, notes=[*_not_in_force(only, charge), *calculation.notes])
    comparison = compare(cdr, calculation, tolerance)
    between = charge.stretches[0].start, charge.stretches[-1].end
    place = zone_or_end(charge.zone) or ZoneInfo("UTC")
    write_priced(calculation, only.party, between, place, cdr=cdr.id, comparison=comparison, as_json=as_json)
    if comparison.outcome is Likeness.DIFFERS:
        raise typer.Exit(Exit.DIFFERS)


def _named(cdr: Cdr, ids: set[str]) -> str | None:
    """Finds the tariff that a CDR itself names: by its first period, its product, or what it carries."""
    told = [*(period.tariff_id for period in cdr.periods), cdr.product, *(one.id for one in cdr.tariffs)]
    return next((one for one in told if one in ids), None)
