"""Values that every version of OCPI reads and writes alike, each with its rule for what cannot be read or said.

A place in the source is given as the path of its object and the field's name, and put together only for an issue.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar

from mappings.canonical.base import MOST
from mappings.canonical.doubts import NULL_ISLAND
from mappings.canonical.locations import GeoPoint
from mappings.canonical.texts import shortened
from mappings.ocpi import numbers, times
from mappings.ocpi.reading import UNREAD, Path, show
from mappings.report import IssueKind, Report
from mappings.tables import EnumTable, NotRepresentable
from mappings.trusted import build

C = TypeVar("C", bound=StrEnum)
W = TypeVar("W", bound=StrEnum)

_NAMED = 16
"""How many words of a vocabulary a refusal names at most."""

LONGEST_ID = 36
"""Of ids, wherever the text does not say otherwise (2.2.1, CiString(36))."""

_DEGREES = re.compile(r"[+-]?\d{1,3}(?:\.\d+)?")
_LATITUDE, _LONGITUDE = 90, 180
# mod_locations, GeoLocation: the regexes of latitude and longitude, and the lengths of their texts. These leave a
# negative figure of all its digits one place less.
_FEWEST_PLACES, _MOST_PLACES = 5, 7
_LONGEST_LATITUDE, _LONGEST_LONGITUDE = 10, 11


def moment(text: str, report: Report, path: Path, field: str) -> datetime:
    """Reads a stamp.

    Raises:
        Refused: It cannot be read; a time is never guessed.
    """
    try:
        return times.parse(text)
    except ValueError as error:
        raise report.refuse(show((*path, field)), str(error), text) from None


def number(value: float, report: Report, path: Path, field: str) -> Decimal:
    """Reads a number.

    Raises:
        Refused: It is beyond what the canonical model holds, and so beyond anything that is charged or measured.
    """
    read = numbers.read(value)
    if abs(read) > MOST:
        raise report.refuse(show((*path, field)), f"beyond {MOST}", value)
    return read


def informational(
    table: EnumTable[C, W], text: str | None, report: Report, path: Path, field: str, unknown: dict[str, Any]
) -> C | None:
    """Reads a word that is only told: mended in its case, else kept beside the model."""
    if text is None:
        return None
    found = table.find(text)
    if found is None:
        found = _mended(table, text, report, (*path, field))
        if found is None:
            unknown[field] = text
            report.add(IssueKind.UNKNOWN, show((*path, field)), f"not a {_name(table)}; kept as unknown", text)
    return found


def decisive(table: EnumTable[C, W], text: str, report: Report, path: Path, field: str) -> C:
    """Reads a word that money or a decision hangs on.

    Raises:
        Refused: Not in the vocabulary, however its case is read.
    """
    found = table.find(text)
    if found is None:
        found = _mended(table, text, report, (*path, field))
        if found is None:
            words = [str(word) for word in table.wire]
            known = f"; known are {', '.join(words)}" if len(words) <= _NAMED else ""
            raise report.refuse(show((*path, field)), f"not a {_name(table)}{known}", text)
    return found


def members(
    table: EnumTable[C, W], texts: list[str] | None, report: Report, path: Path, field: str, unknown: dict[str, Any]
) -> tuple[C, ...]:
    """Reads a list of words; one that is unknown is left out and kept beside the model, one said twice is said once."""
    if not texts:
        return ()
    exact = _exact(table, tuple(texts))
    if exact is not None:
        return exact
    found: dict[C, None] = {}
    left_out: list[str] = []
    for index, text in enumerate(texts):
        member = table.find(text) or _mended(table, text, report, (*path, field, index))
        if member is not None:
            found[member] = None
            continue
        left_out.append(text)
        report.add(IssueKind.LEFT_OUT, show((*path, field, index)), f"not a {_name(table)}; left out", text)
    if left_out:
        unknown[field] = left_out
    return tuple(found)


# A network uses few combinations, each on a great many EVSEs.
@lru_cache(maxsize=4096)
def _exact(table: EnumTable[Any, Any], texts: tuple[str, ...]) -> tuple[Any, ...] | None:
    found = [table.find(text) for text in texts]
    return None if None in found else tuple(dict.fromkeys(found))


def _mended(table: EnumTable[C, W], text: str, report: Report, path: Path) -> C | None:
    found = table.mend(text)
    if found is not None:
        report.add(IssueKind.MENDED, show(path), f"read as {table.from_canonical(found).value!r}", text)
    return found


def _name(table: EnumTable[Any, Any]) -> str:
    return str(table.wire.__name__).removeprefix("Wire")


def kept(wire: Mapping[str, Any], known: frozenset[str], report: Report, path: Path) -> dict[str, Any]:
    """Gathers what stays beside the model: the peer's own fields, and raw values that were set aside."""
    unknown: dict[str, Any] = {}
    for field in wire:
        if field in known:
            continue
        if field.startswith(UNREAD):
            unknown[field[len(UNREAD) :]] = wire[field]
        else:
            unknown[field] = wire[field]
            if field not in report.own:
                report.add(IssueKind.UNKNOWN, show((*path, field)), "not a field of this version; kept as it is")
    return unknown


def unread(wire: Mapping[str, Any]) -> dict[str, Any]:
    """Gives the raw values that were set aside, of an object whose model has no place for anything else."""
    return {field[len(UNREAD) :]: value for field, value in wire.items() if field.startswith(UNREAD)}


def dropped(wire: Mapping[str, Any], known: frozenset[str], report: Report, path: Path) -> None:
    """Notes the peer's own fields in an object whose model has no place for them."""
    for field, value in wire.items():
        # Of what could not be read there is an issue already.
        if field not in known and not field.startswith(UNREAD):
            report.add(IssueKind.LEFT_OUT, show((*path, field)), "not a field of this version; left out", value)


def given_back(unknown: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """Gives the peer's own fields for the way out; raw values of the version's fields are not said again."""
    return {field: value for field, value in unknown.items() if field not in known}


def point(latitude: str, longitude: str, report: Report, path: Path) -> GeoPoint:
    """Reads a latitude and a longitude.

    Raises:
        Refused: Not a number of degrees, or out of range.
    """
    north = _degrees(latitude, _LATITUDE, report, path, "latitude")
    east = _degrees(longitude, _LONGITUDE, report, path, "longitude")
    if not north and not east:
        report.add(IssueKind.SUSPECT, show(path), NULL_ISLAND)
    return build(GeoPoint, {"latitude": north, "longitude": east})


def _degrees(text: str, limit: int, report: Report, path: Path, field: str) -> Decimal:
    dotted = text
    if _DEGREES.fullmatch(text) is None:
        dotted = text.strip().replace(",", ".", 1)
        if _DEGREES.fullmatch(dotted) is None:
            raise report.refuse(show((*path, field)), "not a decimal number of degrees", text)
        report.add(IssueKind.MENDED, show((*path, field)), f"read as {dotted}", text)
    degrees = Decimal(dotted)
    if not -limit <= degrees <= limit:
        raise report.refuse(show((*path, field)), f"beyond {limit} degrees", text)
    return degrees


def point_out(place: GeoPoint, report: Report, path: Path) -> dict[str, str]:
    """Writes a latitude and a longitude with five to seven decimal places, so far as the text may be as long."""
    return {
        "latitude": _degrees_out(place.latitude, _LONGEST_LATITUDE, report, path, "latitude"),
        "longitude": _degrees_out(place.longitude, _LONGEST_LONGITUDE, report, path, "longitude"),
    }


def _degrees_out(degrees: Decimal, longest: int, report: Report, path: Path, field: str) -> str:
    said = _spelt(degrees, _MOST_PLACES)
    if len(said) > longest:
        said = _spelt(degrees, _MOST_PLACES - 1)
    if Decimal(said) != degrees:
        report.add(IssueKind.NARROWED, show((*path, field)), f"rounded to {said}", degrees)
    return said


def _spelt(degrees: Decimal, places: int) -> str:
    text = f"{degrees:.{places}f}"
    # One value has one spelling, however many zeros it was given with: what is sent is compared by its hash.
    cut = len(text) - (places - _FEWEST_PLACES)
    return text[:cut] + text[cut:].rstrip("0")


def fit(text: str, limit: int, report: Report, path: Path, field: str) -> str:
    """Cuts a text that is only read by people to the length that OCPI allows."""
    if len(text) <= limit:
        return text
    report.add(IssueKind.NARROWED, show((*path, field)), f"shortened to the {limit} characters that OCPI allows", text)
    return shortened(text, limit)


def own_id(text: str, limit: int, report: Report, path: Path, field: str, *, secret: bool = False) -> str:
    """Reads an id by which a record is found again; `secret` keeps it out of the issue.

    Raises:
        Refused: It is empty, or longer than OCPI allows.
    """
    if not 0 < len(text) <= limit:
        raise report.refuse(show((*path, field)), f"not of 1 to {limit} characters", None if secret else text)
    return text


def ident(text: str, limit: int, report: Report, path: Path, field: str) -> str:
    """Passes an id that fits.

    Raises:
        Refused: It is longer than OCPI allows; a cut id is another id.
    """
    if len(text) > limit:
        raise report.refuse(show((*path, field)), f"longer than the {limit} characters that OCPI allows", text)
    return text


def link(text: str | None, report: Report, path: Path, field: str) -> str | None:
    """Passes a URL that fits into OCPI's 255 characters; a longer one is left out, since a cut one leads nowhere."""
    if text is not None and len(text) > 255:
        report.add(IssueKind.LOST, show((*path, field)), "longer than the 255 characters that OCPI allows", text)
        return None
    return text


def said(table: EnumTable[C, W], member: C, report: Report, path: Path, field: str | int) -> str:
    """Writes a word, noting what it does not say.

    Raises:
        NotRepresentable: OCPI has no word for it.
    """
    text, lost = _word(table, member)
    if lost is not None:
        report.add(IssueKind.NARROWED, show((*path, field)), f"said as {text}: lost is {lost}", member.value)
    return text


@lru_cache(maxsize=4096)
def _word(table: EnumTable[Any, Any], member: StrEnum) -> tuple[str, str | None]:
    return str(table.from_canonical(member).value), table.lost(member)


def words(table: EnumTable[C, W], members: tuple[C, ...]) -> list[str]:
    """Writes a list of words, of a vocabulary that has them all."""
    return list(_texts(table, members))


@lru_cache(maxsize=4096)
def _texts(table: EnumTable[Any, Any], members: tuple[StrEnum, ...]) -> tuple[str, ...]:
    return tuple(_word(table, member)[0] for member in members)


def said_or_refused(table: EnumTable[C, W], member: C, report: Report, path: Path, field: str) -> str:
    """Writes a word without which the record means something else.

    Raises:
        Refused: OCPI has no word for it.
    """
    try:
        return said(table, member, report, path, field)
    except NotRepresentable as error:
        raise report.refuse(show((*path, field)), str(error), member.value) from None


def not_said(model: Any, fields: Iterable[str], report: Report, path: Path, why: str) -> None:
    """Notes the fields that are set and that the target has no place for."""
    for field in fields:
        value = getattr(model, field)
        if value not in (None, (), {}):
            report.add(IssueKind.LOST, show((*path, field)), why)
