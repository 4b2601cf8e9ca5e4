"""A pulled answer taken apart into its records, each of which is translated by itself, when somebody wants it.

One bad record never spoils its page: it is an `Entry` that refuses to be read, or stands under `Answer.unreadable`
where it has not as much as a key. What a page claims of itself (`PageFacts`) may be untrue.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, NamedTuple, TypeVar

from mappings.oicp.v2_3.messages import read_acknowledgement
from mappings.oicp.v2_3.vocabulary import DeltaType
from mappings.report import Issue, Refused

T = TypeVar("T")

LARGEST: Final = 2000
"""Records that one page may hold (OICP 2.3, eRoamingGetChargeDetailRecords; Hubject holds EVSE data to the same)."""

_SUCCESS: Final = "000"
_DELTAS: Final = {delta.value: delta for delta in DeltaType}


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """One record of an answer, not translated yet.

    Attributes:
        key: Of what it speaks: the same in every pull.
        raw: What was said of it, as JSON; equal content is equal.
        read: Translates it, with what was noted; raises `Refused`.
        gone: It says that what it speaks of is no more (deltaType `delete`).
    """

    key: tuple[str, ...]
    raw: Any
    read: Callable[[], tuple[T, list[Issue]]]
    gone: bool = False


class PageFacts(NamedTuple):
    """What a page says of itself; None for what it does not say.

    Attributes:
        records: How many are in it, counted, whatever it says.
        number: Its number, from 0.
        size: Records that were asked for.
        last: Whether it calls itself the last.
        total_pages: As claimed.
        total_elements: As claimed.
    """

    records: int
    number: int | None = None
    size: int | None = None
    last: bool | None = None
    total_pages: int | None = None
    total_elements: int | None = None

    @property
    def more(self) -> bool:
        """Whether another page is to be asked for.

        An empty page ends a pull, and nothing else does for certain. A page that calls itself the last is believed,
        unless the number of pages contradicts it: one request more costs less than a network cut off.
        """
        if not self.records:
            return False
        further = self.number is not None and self.total_pages is not None and self.number + 1 < self.total_pages
        if self.last is not None:
            return not self.last or further
        return further or (self.size is not None and self.records >= self.size)


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """An answer taken apart.

    Attributes:
        entries: In the order in which they were given.
        unreadable: Why records have no key; issues name them as `content[7]`.
        page: Of an answer in pages; of any other only how many records it has.
    """

    entries: list[Entry[T]]
    unreadable: list[Refused]
    page: PageFacts


def page_of(body: Any) -> tuple[list[Any], PageFacts] | None:
    """Takes a page apart: `{"content": [...], "number", "size", "last", "totalPages", "totalElements"}`.

    Returns:
        Its records and facts; None where the body is no page, or says that something failed. A null list is an empty
        one, if the body is otherwise a page: a failure must not look like an empty network.
    """
    fields = successful(body)
    if fields is None:
        return None
    content = fields.get("content")
    if not isinstance(content, list):
        if content is not None or not {"number", "totalpages", "last"} & fields.keys():
            return None
        content = []
    last = fields.get("last")
    return content, PageFacts(
        records=len(content),
        number=_whole(fields.get("number")),
        size=_whole(fields.get("size")),
        last=last if isinstance(last, bool) else None,
        total_pages=_whole(fields.get("totalpages")),
        total_elements=_whole(fields.get("totalelements")),
    )


def successful(body: Any) -> dict[str, Any] | None:
    """Gives a body's fields by their names in small letters, nulls left out; None where it says that something failed.

    A status code beside the records is optional in some answers; any but 000 means that they cannot be relied upon.
    """
    if not isinstance(body, Mapping):
        return None
    fields = {str(name).casefold(): inner for name, inner in body.items() if inner is not None}
    said = read_acknowledgement({"StatusCode": fields["statuscode"]}) if "statuscode" in fields else None
    if (said is not None and said.code not in {None, _SUCCESS}) or fields.get("result") is False:
        return None
    return fields


def take_apart(
    records: Iterable[tuple[str, Any]], entry: Callable[[Any], Entry[T]], page: PageFacts | None = None
) -> Answer[T]:
    """Makes an entry of each record.

    Args:
        records: With their paths in the answer.
        entry: Raises `Refused` where a record has no key; its issue's field is put under the record's path.
        page: Facts, where the answer is a page.
    """
    entries: list[Entry[T]] = []
    unreadable: list[Refused] = []
    for path, record in records:
        try:
            entries.append(entry(record))
        except Refused as refusal:
            reason = refusal.reason
            unreadable.append(Refused(f"{path}.{reason.field}".rstrip("."), reason.detail, reason.value))
    return Answer(entries, unreadable, page or PageFacts(len(entries) + len(unreadable)))


def names(body: Mapping[Any, Any]) -> set[str]:
    """Gives the names of a body's fields in small letters, of null ones too."""
    return {str(name).casefold() for name in body}


def field(record: Mapping[Any, Any], name: str) -> Any:
    """Gives one field of a record in any case of its name; None where it is not there."""
    if name in record:
        return record[name]
    folded = name.casefold()
    return next((value for key, value in record.items() if str(key).strip().casefold() == folded), None)


def listed_under(value: Any, name: str) -> list[Any]:
    """Gives the list under a name, or a single object there as a list; of a list in place of all that, itself."""
    inner = field(value, name) if isinstance(value, Mapping) else value
    if isinstance(inner, list):
        return inner
    return [inner] if isinstance(inner, Mapping) else []


def gone(record: Mapping[Any, Any]) -> bool:
    """Tells by a record's deltaType whether what it speaks of is no more.

    Raises:
        Refused: The word is none of OICP's, so that it is not known.
    """
    given = field(record, "deltaType")
    if given is None:
        return False
    delta = _DELTAS.get(str(given).strip().casefold())
    if delta is None:
        raise Refused("deltaType", "neither insert, update nor delete", given)
    return delta is DeltaType.DELETE


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
