"""Which format a file has, by its first bytes, and which kind of record one is, by its fields."""

import csv
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any, Final, NamedTuple

from pydantic_core import from_json

from gateway.services.formats.elements import CONTAINERS
from gateway.services.formats.lines import BOM
from gateway.services.formats.records import MAX_RECORD
from gateway.services.formats.tables import DELIMITERS
from gateway.services.ports import Invalid
from mappings.irve.wire import DYNAMIC_COLUMNS, STATIC_COLUMNS


class Family(Enum):
    """A kind of record: its protocol, and the name of its format in a report."""

    OCPI_LOCATION = ("ocpi", "ocpi-locations")
    OCPI_TARIFF = ("ocpi", "ocpi-tariffs")
    CANONICAL_LOCATION = ("canonical", "canonical-locations")
    CANONICAL_TARIFF = ("canonical", "canonical-tariffs")
    OICP_DATA = ("oicp", "oicp-evse-data")
    OICP_STATUS = ("oicp", "oicp-evse-status")
    IRVE_STATIC = ("irve", "irve-static")
    IRVE_DYNAMIC = ("irve", "irve-dynamic")

    def __init__(self, protocol: str, label: str) -> None:
        self.protocol = protocol
        self.label = label


KNOWN: Final = (
    "known are OCPI locations and tariffs, canonical locations and tariffs, OICP EVSE data and statuses (JSON or one "
    "object a line), and French static and dynamic IRVE records (CSV or JSON)"
)


class Layout(Enum):
    """How records stand in the file."""

    LINES = "ndjson"
    JSON = "json"
    CSV = "csv"


class Header(NamedTuple):
    """What the first line of a CSV tells.

    Attributes:
        columns: In the schema's spelling where it has them.
    """

    family: Family
    delimiter: str
    columns: Sequence[str]


class Shape(NamedTuple):
    """What a file is; in JSON each record tells its family itself."""

    layout: Layout
    header: Header | None = None


_BINARY: Final = {
    b"PK\x03\x04": "a zip archive (or a spreadsheet); unpack it, or save it as CSV",
    b"\x1f\x8b": "a gzip inside a gzip; unpack it once",
    b"\x28\xb5\x2f\xfd": "Zstandard data; unpack it, or pack it as gzip",
    b"BZh": "bzip2 data; unpack it, or pack it as gzip",
    b"\xfd7zXZ": "xz data; unpack it, or pack it as gzip",
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
    b"PAR1": "a Parquet file; save it as CSV",
    b"<": "XML or HTML",
}


def recognise(head: bytes, *, whole: bool) -> Shape | None:
    """Tells the format of a file.

    Args:
        head: Its first bytes, unpacked.
        whole: Whether there are no more.

    Returns:
        None where more bytes are needed to tell.

    Raises:
        Invalid: No known format; the message says what was seen.
    """
    whole = whole or len(head) > MAX_RECORD
    text = head.removeprefix(BOM).lstrip()
    if not text:
        if whole:
            raise Invalid(("", "the content is empty"))
        return None
    for magic, name in _BINARY.items():
        if text.startswith(magic):
            raise Invalid(("", f"the content is {name}; {KNOWN}"))
    if text.startswith(b"["):
        return Shape(Layout.JSON)
    lines = text.split(b"\n", 2)
    if text.startswith(b"{"):
        if len(lines) < 3 and not whole:
            return None
        return Shape(Layout.LINES if _is_one_a_line(lines) else Layout.JSON)
    if len(lines) < 2 and not whole:
        return None
    return _table(lines[0])


def _is_one_a_line(lines: Sequence[bytes]) -> bool:
    first = lines[0].strip()
    try:
        value = from_json(first)
    except ValueError:
        # A faulty first line is one faulty record, if the second begins a record too. In JSON over several lines, a
        # line after which a brace may come ends with one of these signs.
        return len(lines) > 1 and lines[1].startswith(b"{") and first[-1:] not in b"{[,:"
    return isinstance(value, dict) and not _holds_records(value)


def _holds_records(value: Mapping[str, Any]) -> bool:
    return any(key.casefold() in CONTAINERS and isinstance(inner, (dict, list)) for key, inner in value.items())


_SPELLING: Final = {name.casefold(): name for name in (*STATIC_COLUMNS, *DYNAMIC_COLUMNS)}
_STATIC: Final = frozenset({"id_pdc_itinerance", "coordonneesXY"})
_DYNAMIC: Final = frozenset({"id_pdc_itinerance", "etat_pdc", "occupation_pdc"})


def _table(header: bytes) -> Shape:
    if b"\0" in header[:1000]:
        raise Invalid(("", f"the content is binary; {KNOWN}"))
    try:
        text = header.decode().rstrip("\r")
        seen = {delimiter: next(csv.reader((text,), delimiter=delimiter)) for delimiter in DELIMITERS}
    except (UnicodeDecodeError, csv.Error):
        raise Invalid(("", f"the content begins with {header[:60]!r}; {KNOWN}")) from None
    for delimiter, names in seen.items():
        columns = [_SPELLING.get(name.strip().casefold(), name.strip()) for name in names]
        if family := _family_of_fields(frozenset(columns)):
            return Shape(Layout.CSV, Header(family, delimiter, columns))
    columns = max(seen.values(), key=len)
    if len(columns) == 1:
        raise Invalid(("", f"the content begins with {text[:60]!r}; {KNOWN}"))
    raise Invalid(("", f"the content is CSV with the columns {_shown(columns)}; {KNOWN}"))


def _family_of_fields(fields: frozenset[str]) -> Family | None:
    if fields >= _STATIC:
        return Family.IRVE_STATIC
    return Family.IRVE_DYNAMIC if fields >= _DYNAMIC else None


def family_of(body: bytes) -> Family | None:
    """Tells what kind of record a JSON object is; None for none that is known."""
    # A name between quotes stands in a record as a name or as a whole text, never inside a text, where the quotes would
    # be escaped. So a record that has the names of one kind alone is told without being parsed.
    place = b'"evses"' in body or b'"coordinates"' in body
    others = b'"elements"' in body, b'"id_pdc_itinerance"' in body, b'"EvseID"' in body
    if place and not any(others) and b'"party"' not in body:
        return Family.OCPI_LOCATION
    try:
        value = from_json(body)
    except ValueError:
        return _guessed(place=place, tariff=others[0], oicp=others[2])
    return _family_of_object(value) if isinstance(value, dict) else None


def _guessed(*, place: bool, tariff: bool, oicp: bool) -> Family | None:
    """Names the family of what is no JSON, so that a faulty record is not an unknown one."""
    if place:
        return Family.OCPI_LOCATION
    if tariff:
        return Family.OCPI_TARIFF
    return Family.OICP_DATA if oicp else None


def _family_of_object(value: Mapping[str, Any]) -> Family | None:
    keys = value.keys()
    names = {key.casefold() for key in keys}
    if "evseid" in names:
        return Family.OICP_STATUS if "evsestatus" in names else Family.OICP_DATA
    if family := _family_of_fields(frozenset(keys)):
        return family
    canonical = "party" in keys and "party_id" not in keys
    if "evses" in keys or "coordinates" in keys:
        return Family.CANONICAL_LOCATION if canonical else Family.OCPI_LOCATION
    if "elements" in keys:
        return Family.CANONICAL_TARIFF if canonical else Family.OCPI_TARIFF
    return None


def seen_in(body: bytes) -> str:
    """Says what an unknown record looks like, for a person."""
    try:
        value = from_json(body)
    except ValueError as error:
        return f"{body[:60].decode(errors='replace')!r} ({error})"
    if isinstance(value, dict):
        return f"JSON objects with the fields {_shown(list(value))}"
    return f"JSON, {type(value).__name__} where an object is wanted"


def _shown(names: Sequence[str]) -> str:
    shown = ", ".join(name[:40] or "(unnamed)" for name in names[:12])
    return f"{shown} and {len(names) - 12} more" if len(names) > 12 else shown or "(none)"
