"""`quote`: what a charge will cost, by every way to an EVSE or by a tariff."""

from decimal import Decimal
from typing import Annotated, Any, Final

import typer
from pydantic import JsonValue

from gateway.cli.asking import (
    OUTPUT,
    URL,
    Json,
    Key,
    Moment,
    Url,
    ask,
    utc,
    when,
    write_json,
    write_table,
)
from gateway.cli.exits import Exit, end
from gateway.cli.wishes import Capacity, Current, Kwh, Minutes, Parked, Power, Reserved, Soc, ToSoc
from gateway.pricing.currencies import minor
from gateway.pricing.explaining.languages import speech_of
from gateway.pricing.explaining.languages.figures import number, span
from gateway.services.ports.quotes import Offer, Quote

_SPEECH: Final = speech_of("en")


def quote(
    evse: Annotated[str | None, typer.Argument(metavar="EVSE", help="Its EvseID.", show_default=False)] = None,
    url: Url = URL,
    key: Key = "",
    tariff: Annotated[
        str | None, typer.Option("--tariff", metavar="PARTY/ID", help="A stored tariff instead of an EVSE.")
    ] = None,
    connection: Annotated[
        str | None, typer.Option("--connection", help="Only the way over this one; a tariff as this one knows it.")
    ] = None,
    connector: Annotated[str | None, typer.Option("--connector", metavar="ID", help="Which of the EVSE's.")] = None,
    kwh: Kwh = None,
    minutes: Minutes = None,
    battery: Capacity = None,
    soc: Soc = None,
    to_soc: ToSoc = None,
    power: Power = None,
    current: Current = None,
    parked: Parked = None,
    reserved: Reserved = None,
    at: Moment = None,
    emsp: Annotated[str | None, typer.Option("--emsp", metavar="PARTY", help="The driver's: FR*XYZ.")] = None,
    language: Annotated[str | None, typer.Option("--language", metavar="TAG", help="Of the texts.")] = None,
    zone: Annotated[str | None, typer.Option("--zone", metavar="NAME", help="Of the place, where not known.")] = None,
    as_json: Json = False,
) -> None:
    """Say what a charge will cost by each way to an EVSE, or by a tariff. --json has every line of each.

    Exits with 1 where no way can be priced.
    """
    if (evse is None) == (tariff is None):
        end(Exit.USAGE, "name either an EVSE, or a tariff by --tariff")
    wish: dict[str, Any] = {"party": emsp, "start": utc(at), "language": language, "time_zone": zone}
    if tariff is not None:
        party, _, id_ = tariff.partition("/")
        wish["tariff"] = _given({"party": party, "id": id_, "connection": connection})
    else:
        wish |= {"evse": {"evse_id": evse}, "connection": connection, "connector_id": connector}
    if (battery is None) != (soc is None):
        end(Exit.USAGE, "--battery and --soc say something only together")
    wish["need"] = _given(
        {
            "energy": _number(kwh),
            "target": _number(to_soc),
            "duration": _seconds(minutes),
            "battery": {"capacity": _number(battery), "charged": _number(soc)} if battery is not None else None,
            "power": _number(power),
            "current": _number(current),
            "parked": _seconds(parked),
            "reserved": _seconds(reserved),
        }
    )
    made = ask(url, key, lambda client: client.quotes.quote(_given(wish)))
    if as_json:
        write_json(made, Quote)
    else:
        _show(made)
    if all(each.cost is None for each in made.offers):
        raise typer.Exit(Exit.FAILED)


def _given(values: dict[str, Any]) -> dict[str, JsonValue]:
    return {name: value for name, value in values.items() if value is not None}


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _seconds(minutes: Decimal | None) -> int | None:
    return None if minutes is None else round(minutes * 60)


def _show(made: Quote) -> None:
    heads = ("over", "cpo", "tariff", "net", "gross", "", "kWh", "charging", "from", "to", "not priced")
    write_table(heads, [_row(each) for each in made.offers])
    texts = {_name(each): each.tariff.text for each in made.offers if each.tariff is not None}
    if texts:
        OUTPUT.print()
        write_table(("over", "tariff"), list(texts.items()))
    notes = [(_name(each), note.kind, note.field, note.detail) for each in made.offers for note in each.notes]
    if notes:
        OUTPUT.print()
        write_table(("over", "note", "field", "detail"), notes)


def _row(offer: Offer) -> tuple[object, ...]:
    cost = offer.cost
    return (
        _name(offer),
        offer.cpo,
        offer.tariff.id if offer.tariff is not None else None,
        number(cost.net, _SPEECH, minor(cost.currency)) if cost is not None else None,
        number(cost.gross, _SPEECH, minor(cost.currency)) if cost is not None else None,
        cost.currency if cost is not None else None,
        number(offer.energy, _SPEECH) if offer.energy is not None else None,
        span(offer.charging, _SPEECH) if offer.charging is not None else None,
        when(offer.start),
        when(offer.end),
        f"{offer.refusal.why}: {offer.refusal.detail}" if offer.refusal is not None else None,
    )


def _name(offer: Offer) -> str:
    return offer.connection or "own network"
