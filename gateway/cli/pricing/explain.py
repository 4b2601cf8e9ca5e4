"""`tariff explain`: a tariff in plain words, and its prices over a week."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.asking import OUTPUT, Json, decimal, harmless, write_json
from gateway.cli.exits import ERRORS, Exit, end
from gateway.cli.pricing.drawing import write_week
from gateway.cli.pricing.files import Contents
from gateway.cli.pricing.price import TariffFile, TariffOption, ZoneOption, zone_or_end
from gateway.pricing import defects
from gateway.pricing.clock import WEEKDAYS
from gateway.pricing.explaining.groups import title_of
from gateway.pricing.explaining.languages import LANGUAGES, speech_of
from gateway.pricing.explaining.svg import draw
from gateway.pricing.explaining.week import Conditions, Week, week_of
from gateway.pricing.explaining.week_words import assumptions, clock
from gateway.pricing.explaining.words import Section, explain, summary
from mappings.canonical.base import Number
from mappings.canonical.tariffs import DayOfWeek, ReservationRestriction, TariffDimension

app = typer.Typer(no_args_is_help=True, help="Tariffs, looked at without a gateway.")


@app.callback()
def _tariff() -> None:
    """Tariffs, looked at without a gateway."""


@dataclass(frozen=True)
class SectionShown:
    """A part of the explanation."""

    title: str
    lines: Sequence[str]


@dataclass(frozen=True)
class SpanShown:
    """A part of a day with one price, net; none where nothing is asked for."""

    day: DayOfWeek
    start: str
    end: str
    price: Number | None
    vat: Number | None
    element: int | None


@dataclass(frozen=True)
class TrackShown:
    """One dimension's prices over the week."""

    dimension: TariffDimension
    reservation: ReservationRestriction | None
    title: str
    spans: Sequence[SpanShown]


@dataclass(frozen=True)
class Explained:
    """A tariff explained.

    Attributes:
        assumed: At what the week's prices are looked up; empty where nothing matters.
    """

    tariff_id: str
    language: str
    summary: str
    sections: Sequence[SectionShown]
    assumed: str
    week: Sequence[TrackShown]


@app.command("explain")
def explain_file(
    file: TariffFile,
    tariff_id: TariffOption = None,
    language: Annotated[str, typer.Option("--language", help=f"{', '.join(LANGUAGES)}.")] = "en",
    svg: Annotated[Path | None, typer.Option("--svg", metavar="OUT", help="Draw the week into this file.")] = None,
    zone: ZoneOption = None,
    week: Annotated[
        datetime | None, typer.Option("--week", formats=["%Y-%m-%d"], help="A day of the week drawn; today otherwise.")
    ] = None,
    power: Annotated[Decimal | None, typer.Option("--power", parser=decimal, help="kW at which it is drawn.")] = None,
    current: Annotated[
        Decimal | None, typer.Option("--current", parser=decimal, help="A at which it is drawn, all phases together.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say a tariff in plain words, and draw its prices over a week: by terminal, and as SVG."""
    speech = speech_of(language)
    place = zone_or_end(zone) or UTC
    contents = Contents(file)
    tariff = contents.read(contents.one(contents.tariffs(), tariff_id, "--tariff"))
    at = Conditions.in_week_of(_day(week))
    at = replace(at, power=at.power if power is None else power, current=at.current if current is None else current)
    prices = week_of(tariff, at)
    sections = explain(tariff, language, defects.find(tariff), place)
    if svg is not None:
        try:
            svg.write_text(draw(prices, language), encoding="utf-8")
        except OSError as error:
            end(Exit.USAGE, f"--svg: {svg}: {error.strerror or error}")
        ERRORS.print(f"{svg} is drawn.", markup=False, soft_wrap=True)
    if as_json:
        told = assumptions(prices, speech)
        view = Explained(
            tariff.id,
            speech.tag,
            summary(tariff, language),
            [SectionShown(*section) for section in sections],
            told,
            _tracks(prices, language),
        )
        write_json(view, Explained)
        return
    _write(sections)
    OUTPUT.print()
    write_week(prices, speech, OUTPUT)


def _day(week: datetime | None) -> date:
    return datetime.now(UTC).date() if week is None else week.date()


def _write(sections: Sequence[Section]) -> None:
    for number, section in enumerate(sections):
        if number:
            OUTPUT.print()
        OUTPUT.print(harmless(section.title), style="bold", markup=False, soft_wrap=True)
        for line in section.lines:
            OUTPUT.print(f"  {harmless(line)}", markup=False, soft_wrap=True)


def _tracks(prices: Week, language: str) -> Sequence[TrackShown]:
    speech = speech_of(language)
    return [
        TrackShown(
            track.group[0],
            track.group[1],
            speech(title_of(track.group)),
            [
                SpanShown(WEEKDAYS[one.weekday], clock(one.begin), clock(one.end), one.price, one.vat, one.element)
                for one in track.spans
            ],
        )
        for track in prices.tracks
    ]
