"""A pulled page taken apart into its records, each of which is translated by itself, when somebody wants it.

One bad record never spoils its page: it is an `Entry` that refuses to be read, or stands under `Page.unreadable` where
it has not as much as a key. How many pages there are, and where the next one is, the answer's headers say (OCPI 2.2.1,
transport_and_format, Pagination).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Generic, TypeVar

from mappings.canonical.ids import PartyId
from mappings.ocpi import times
from mappings.report import Issue, Refused

T = TypeVar("T")
Raw = Mapping[str, Any]
KeyOf = Callable[[Raw], tuple[str, ...]]

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """One record of a page, not translated yet.

    Attributes:
        key: The same in every pull: the party in its normal form, then what tells the record apart within it. Ids are
            spelt as they will be in what is read.
        raw: The record, as JSON.
        read: Translates it, with what was noted; raises `Refused`.
    """

    key: tuple[str, ...]
    raw: Raw
    read: Callable[[], tuple[T, list[Issue]]]


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page taken apart.

    Attributes:
        entries: In the order in which they were given; of several with one key the newest.
        unreadable: Why records have no key; issues name them as `data[7]`, and never show what is in them.
        repeated: How many records were left out because the page has a newer one, or a later one that is as new.
    """

    entries: list[Entry[T]]
    unreadable: list[Refused]
    repeated: int


def by_id(record: Raw) -> tuple[str, ...]:
    """Keys locations, sessions and CDRs."""
    return owner(record).normal, ident(record, "id")


def by_target(record: Raw) -> tuple[str, ...]:
    """Keys tariffs, which OCPI itself has for all EMSPs only."""
    return *by_id(record), ""


def by_role(record: Raw) -> tuple[str, ...]:
    """Keys what a hub says of parties."""
    return owner(record).normal, ident(record, "role").upper()


def owner(record: Raw) -> PartyId:
    """Reads whose a record is.

    Raises:
        Refused: It names no party.
    """
    country, code = record.get("country_code"), record.get("party_id")
    if isinstance(country, str) and isinstance(code, str):
        try:
            return PartyId.of(country, code)
        except ValueError:
            pass
    raise Refused("party_id", "not a party")


def ident(record: Raw, field: str) -> str:
    """Reads an id that a record is told apart by, as its translation reads it.

    Raises:
        Refused: It is missing, or no text.
    """
    given = record.get(field)
    if given is None and field == "id":
        given = record.get("_id")  # a database's own name for it, left in by an export
    if isinstance(given, (int, float)) and not isinstance(given, bool):
        given = str(given)
    if isinstance(given, str) and given.strip():
        return given.strip()
    raise Refused(field, "is missing, or no text")


def take_apart(data: Any, key: KeyOf, read: Callable[[Raw], tuple[T, list[Issue]]]) -> Page[T]:
    """Takes a page apart.

    Args:
        data: Of the answer. None is an empty page.
        key: Raises `Refused` where a record has none.
        read: Translates one record.

    Raises:
        Refused: It is no list: a failure must not look like an empty network.
    """
    if data is None:
        data = []
    if not isinstance(data, list):
        raise Refused("data", "not a list")
    found: dict[tuple[str, ...], Entry[T]] = {}
    unreadable: list[Refused] = []
    repeated = 0
    for index, record in enumerate(data):
        if not isinstance(record, dict):
            unreadable.append(Refused(f"data[{index}]", "not an object"))
            continue
        try:
            name = key(record)
        except Refused as refused:
            unreadable.append(Refused(f"data[{index}].{refused.reason.field}", refused.reason.detail))
            continue
        known = found.get(name)
        repeated += known is not None
        if known is None or _stamp(record) >= _stamp(known.raw):
            found[name] = Entry(name, record, partial(read, record))
    return Page(list(found.values()), unreadable, repeated)


def _stamp(record: Raw) -> datetime:
    """When a record was last updated; one whose stamp cannot be read is older than any other."""
    try:
        return times.parse(record["last_updated"])
    except (KeyError, TypeError, ValueError):
        return _NEVER
