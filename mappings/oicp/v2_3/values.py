"""Single values of a foreign record: words, lists of words, numbers, booleans and texts, each with its issue."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar

from mappings.report import IssueKind, Report
from mappings.tables import EnumTable, NotRepresentable, UnmappedValue

_C = TypeVar("_C", bound=StrEnum)
_W = TypeVar("_W", bound=StrEnum)

# No figure of a charging station is larger; a text such as `1E999999` would fill the memory as a whole number.
_MOST = 10**9
_LARGEST = Decimal(_MOST)

_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}


def enum(
    table: EnumTable[_C, _W], value: Any, field: str, report: Report, kind: IssueKind = IssueKind.UNKNOWN
) -> _C | None:
    """Reads a word; one in the wrong case is mended, an unknown one noted as `kind` and given as None."""
    if value is None:
        return None
    if type(value) is str and (member := table.find(value)) is not None:
        return member
    text = str(value).lower() if isinstance(value, bool) else str(value)
    try:
        return table.to_canonical(text)
    except NotRepresentable as error:
        report.add(kind, field, str(error), value)
        return None
    except UnmappedValue:
        mended = table.mend(text)
        if mended is None:
            report.add(kind, field, f"no word of OICP 2.3 for {table.wire.__name__}", value)
        elif not isinstance(value, bool):
            report.add(IssueKind.MENDED, field, "spelt in another case", value)
        return mended


def word(
    table: EnumTable[_C, _W], values: Mapping[str, Any], name: str, unknown: dict[str, Any], report: Report
) -> _C | None:
    """Reads the word of one field; a text that is none is kept beside the model, under the field's name."""
    member = enum(table, values.get(name), name, report)
    if member is None and values.get(name) is not None:
        unknown[name] = values[name]
    return member


def enums(table: EnumTable[_C, _W], value: Any, field: str, report: Report) -> tuple[_C, ...]:
    """Reads a list of words, or one alone; unknown members are left out, doubled ones read once."""
    items = listed(value)
    exact = [table.find(item) if type(item) is str else None for item in items]
    if None not in exact:
        return tuple(dict.fromkeys(member for member in exact if member is not None))
    found: dict[_C, None] = {}
    for n, item in enumerate(items):
        member = enum(table, item, f"{field}[{n}]", report, IssueKind.LEFT_OUT)
        if member is not None:
            found[member] = None
    return tuple(found)


def listed(value: Any) -> list[Any]:
    """Gives a list as it is, nothing as an empty one, and a single value as a list of it."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def number(value: Any, field: str, report: Report) -> Decimal | None:
    """Reads a number, also one in a text."""
    if value is None:
        return None
    if type(value) is int and -_MOST <= value <= _MOST:
        return Decimal(value)
    try:
        # `True` and `None` as texts are no numbers to Decimal either.
        figure = Decimal(str(value).strip())
    except InvalidOperation:
        figure = Decimal("NaN")
    if not figure.is_finite() or abs(figure) > _LARGEST:
        report.add(IssueKind.UNKNOWN, field, "not a number", value)
        return None
    if isinstance(value, str):
        report.add(IssueKind.MENDED, field, "a number written as a text", value)
    return figure


def boolean(value: Any, field: str, report: Report) -> bool | None:
    """Reads a boolean, also one in a text."""
    if value is None or isinstance(value, bool):
        return value
    known = _BOOLEANS.get(str(value).strip().casefold())
    if known is None:
        report.add(IssueKind.UNKNOWN, field, "neither true nor false", value)
    else:
        report.add(IssueKind.MENDED, field, "a boolean written as a text", value)
    return known


def text(value: Any, field: str, report: Report) -> str | None:
    """Reads a text; a number is taken for its digits, an empty text for nothing."""
    if value is None:
        return None
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, int | float) and not isinstance(value, bool):
        report.add(IssueKind.MENDED, field, "a text written as a number", value)
        return str(value)
    report.add(IssueKind.UNKNOWN, field, "not a text", value)
    return None
