"""Reads files of agreements, as somebody exports them from a portal by hand. Pure.

CSV (comma, semicolon or tab) with a header, or a JSON list of objects with the same names. A row is an agreement of a
CPO or a network group with an EMSP; a row with a network group and a CPO, and no EMSP, says that the CPO is its member.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final, NamedTuple, TypeVar

from pydantic import ValidationError

from gateway.complaints import field_errors
from gateway.services.formats.lines import BOM
from gateway.services.formats.tables import DELIMITERS, Row, Table
from gateway.services.ports import Invalid
from gateway.services.ports.offers import AgreementRefusal
from mappings.canonical.agreements import (
    EVERY_SERVICE,
    GroupPrice,
    OfferTerms,
    PriceSource,
    Service,
    SubscriptionState,
)
from mappings.canonical.ids import PartyId

COLUMNS: Final = (
    "id",
    "cpo",
    "network_group",
    "members",
    "emsp",
    "services",
    "starts",
    "ends",
    "state",
    "title",
    "prices",
    "evse_groups",
    "rank",
    "terms_from",
    "comment",
)
"""What a header names: `emsp` and one of `cpo` and `network_group` at least; the others may be left out or empty."""

STATES: Final[Mapping[str, SubscriptionState]] = {
    "": SubscriptionState.ACTIVE,
    "active": SubscriptionState.ACTIVE,
    "signed": SubscriptionState.ACTIVE,
    "requested": SubscriptionState.REQUESTED,
    "under_review": SubscriptionState.UNDER_REVIEW,
    "pending": SubscriptionState.UNDER_REVIEW,
    "cancelled": SubscriptionState.CANCELLED,
    "terminated": SubscriptionState.CANCELLED,
    "ended": SubscriptionState.ENDED,
    "expired": SubscriptionState.ENDED,
    "refused": SubscriptionState.REFUSED,
    "rejected": SubscriptionState.REFUSED,
}
"""States by the words for them, small letters, with `_` for what stands between them."""

_KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_TARIFF: Final = re.compile(r"[^\s=+|,;]{1,36}")
_LISTED: Final = re.compile(r"[\s,;|]+")
_LIST_OF_PRICES: Final = re.compile(r"\s*[,;|]\s*|\s+")
_DAY: Final = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})")
_LONGEST_TITLE: Final = 255
_HIGHEST_RANK: Final = 9999

T = TypeVar("T")


class Fault(Exception):
    """A row makes no sense in a field."""

    def __init__(self, field: str, detail: str) -> None:
        self.field, self.detail = field, detail
        super().__init__(f"{field}: {detail}")


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """An agreement.

    Attributes:
        row: Counted from 1, the header not counted.
        id: None where the file gives none.
        starts: None where the file does not say.
        ends: The first moment after it.
        terms_from: From when on the terms hold, where they are other ones than before; None for at once.
        members: Of the network group, where the row names them; None where it does not.
    """

    row: int
    id: str | None
    cpo: PartyId | None
    network_group: str | None
    members: tuple[PartyId, ...] | None
    emsp: PartyId
    title: str
    starts: datetime | None
    ends: datetime | None
    state: SubscriptionState
    terms: OfferTerms
    terms_from: datetime | None

    @property
    def network(self) -> str:
        """Whose network it is of, by the normal form of the CPO or the group's id."""
        return self.cpo.normal if self.cpo is not None else self.network_group or ""

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{self.network}/{self.emsp.normal}"


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A CPO's membership in a network group."""

    row: int
    network_group: str
    cpo: PartyId
    starts: datetime | None
    ends: datetime | None


class Read(NamedTuple):
    """What a file says."""

    agreements: Sequence[AgreementRow]
    members: Sequence[MemberRow]
    refused: Sequence[AgreementRefusal]


def read(content: bytes) -> Read:
    """Reads a file.

    Raises:
        Invalid: It is neither CSV with the header nor a JSON list, or not UTF-8.
    """
    agreements: list[AgreementRow] = []
    beside: dict[tuple[str, PartyId], list[AgreementRow]] = defaultdict(list)
    members: list[MemberRow] = []
    refused: list[AgreementRefusal] = []
    for number, cells in enumerate(_rows(content), start=1):
        try:
            made = _made(number, cells)
            if isinstance(made, AgreementRow):
                _demand_apart(made, beside[made.network, made.emsp])
                beside[made.network, made.emsp].append(made)
                agreements.append(made)
            else:
                members.append(made)
        except Fault as fault:
            refused.append(AgreementRefusal(number, fault.field, fault.detail))
    return Read(agreements, members, refused)


# Rows


def _rows(content: bytes) -> Iterator[Mapping[str, str] | Fault]:
    """Gives the cells of each row by their names, or why it cannot be read."""
    bare = content.removeprefix(BOM).lstrip()
    if bare.startswith((b"[", b"{")):
        return _of_json(bare)
    header = bare.split(b"\n", 1)[0]
    for delimiter in DELIMITERS:
        names = [name.strip().strip('"').strip().lower() for name in header.decode(errors="replace").split(delimiter)]
        if "emsp" in names and {"cpo", "network_group"} & set(names):
            return _of_csv(content, delimiter)
    raise Invalid(("content", "is neither a JSON list nor CSV in UTF-8 whose header names emsp and cpo"))


def _of_csv(content: bytes, delimiter: str) -> Iterator[Mapping[str, str] | Fault]:
    table = Table(delimiter)
    rows = [*table.feed(content), *table.end()]
    names = [cell.strip().lower() for cell in rows[0].cells]
    if rows[0].fault is not None:
        raise Invalid(("content", f"the header {rows[0].fault}"))
    # A column that is not understood may be one that was meant: `end` for `ends` would make it last for ever.
    if unknown := [name for name in names if name and name not in COLUMNS]:
        raise Invalid(("content", f"there is no column {unknown[0]}; there are {', '.join(COLUMNS)}"))
    if twice := [name for name in names if name and names.count(name) > 1]:
        raise Invalid(("content", f"the column {twice[0]} stands there twice"))
    return (_cells(names, row) for row in rows[1:] if row.fault is not None or any(map(str.strip, row.cells)))


def _cells(names: Sequence[str], row: Row) -> Mapping[str, str] | Fault:
    if row.fault is not None:
        return Fault("", f"line {row.line} {row.fault}")
    if any(map(str.strip, row.cells[len(names) :])):
        return Fault("", f"line {row.line} has more cells than the header")
    return {name: cell.strip() for name, cell in zip(names, row.cells, strict=False) if name}


def _of_json(content: bytes) -> Iterator[Mapping[str, str] | Fault]:
    try:
        listed = json.loads(content)
    except (ValueError, RecursionError):
        raise Invalid(("content", "is no JSON in UTF-8")) from None
    if not isinstance(listed, list):
        raise Invalid(("content", "is no JSON list"))
    return map(_of_object, listed)


def _of_object(given: Any) -> Mapping[str, str] | Fault:
    if not isinstance(given, dict):
        return Fault("", "is no JSON object")
    cells: dict[str, str] = {}
    for name, value in given.items():
        if name not in COLUMNS:
            return Fault(name[:40], "is not known here")
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            cells[name] = "|".join(value)
        elif value is None or isinstance(value, str) or type(value) is int:
            cells[name] = "" if value is None else str(value).strip()
        else:
            return Fault(name, "is neither a text nor a list of texts")
    return cells


# What rows say


def _made(number: int, cells: Mapping[str, str] | Fault) -> AgreementRow | MemberRow:
    if isinstance(cells, Fault):
        raise cells
    for name, text in cells.items():
        if "\0" in text or not _is_text(text):
            raise Fault(name, "holds what is no text")
    starts, ends = _moment(cells, "starts"), _end(cells, "ends")
    if starts is not None and ends is not None and ends <= starts:
        raise Fault("ends", "is before its start")
    cpo, group = _party(cells, "cpo"), _key(cells, "network_group")
    if cells.get("emsp"):
        return _agreement(number, cells, cpo, group, starts, ends)
    if cpo is None or group is None:
        raise Fault("emsp", "is missing")
    return MemberRow(number, group, cpo, starts, ends)


def _agreement(
    number: int,
    cells: Mapping[str, str],
    cpo: PartyId | None,
    group: str | None,
    starts: datetime | None,
    ends: datetime | None,
) -> AgreementRow:
    if (cpo is None) == (group is None):
        raise Fault("cpo", "one of cpo and network_group is needed, and not both")
    emsp = _party(cells, "emsp")
    if emsp is None or emsp == cpo:
        raise Fault("emsp", "is the CPO itself")
    network = cpo.normal if cpo is not None else group
    title = cells.get("title") or f"{network} for {emsp.normal}"
    if len(title) > _LONGEST_TITLE:
        raise Fault("title", f"is longer than {_LONGEST_TITLE} characters")
    members = tuple(_listed_parties(cells)) if cells.get("members") else None
    if members is not None and group is None:
        raise Fault("members", "are a network group's")
    terms, terms_from = _terms(cells), _moment(cells, "terms_from")
    state = _state(cells, ends)
    return AgreementRow(
        number, _key(cells, "id"), cpo, group, members, emsp, title, starts, ends, state, terms, terms_from
    )


def _state(cells: Mapping[str, str], ends: datetime | None) -> SubscriptionState:
    state = STATES.get(re.sub(r"[\s_-]+", "_", cells.get("state", "").lower()))
    if state is None:
        raise Fault("state", f"is none of {', '.join(sorted(filter(None, STATES)))}")
    if state is SubscriptionState.CANCELLED and ends is None:
        raise Fault("ends", "is missing: a cancelled agreement ends at a day that is known")
    return state


def _terms(cells: Mapping[str, str]) -> OfferTerms:
    services = frozenset(_service(name) for name in _list(cells, "services")) or EVERY_SERVICE
    groups = tuple(_list(cells, "evse_groups"))
    prices = _prices(cells)
    rank = cells.get("rank") or "100"
    if not (rank.isascii() and rank.isdigit() and int(rank[:6]) <= _HIGHEST_RANK and len(rank) <= 4):
        raise Fault("rank", f"is no whole number from 0 to {_HIGHEST_RANK}")
    source = PriceSource.AGREED if prices else PriceSource.EVSE_TARIFFS
    try:
        return OfferTerms(services=services, evse_groups=groups, price_source=source, prices=prices, rank=int(rank))
    except ValidationError as error:
        fault = field_errors(error)[0]
        raise Fault(re.split(r"[.\[]", fault.field)[0] or "prices", fault.detail) from None


def _service(name: str) -> Service:
    try:
        return Service(name.lower())
    except ValueError:
        raise Fault("services", f"{name[:40]} is none of {', '.join(Service)}") from None


def _prices(cells: Mapping[str, str]) -> tuple[GroupPrice, ...]:
    """Reads `T1`, or `fast=T1+T2|slow=T3|T4`: tariffs by EVSE group, those of no group for all others."""
    prices: list[GroupPrice] = []
    for item in filter(None, _LIST_OF_PRICES.split(cells.get("prices", ""))):
        group, separator, tariffs = item.rpartition("=")
        ids = tariffs.split("+")
        if separator and not _KEY.fullmatch(group):
            raise Fault("prices", f"{group[:40]} is no id of an EVSE group")
        if not all(_TARIFF.fullmatch(id_) for id_ in ids):
            raise Fault("prices", f"{item[:40]} is neither a tariff nor group=tariff+tariff")
        prices.append(GroupPrice(evse_group=group or None, tariff_ids=tuple(ids)))
    return tuple(prices)


def _list(cells: Mapping[str, str], name: str) -> list[str]:
    return list(filter(None, _LISTED.split(cells.get(name, ""))))


def _listed_parties(cells: Mapping[str, str]) -> Iterator[PartyId]:
    for text in _list(cells, "members"):
        try:
            yield PartyId(text)
        except ValueError:
            raise Fault("members", f"{text[:40]} is no id of a party like FR*ABC") from None


def _party(cells: Mapping[str, str], name: str) -> PartyId | None:
    text = cells.get(name, "")
    if not text:
        return None
    try:
        return PartyId(text)
    except ValueError:
        raise Fault(name, f"{text[:40]} is no id of a party like FR*ABC") from None


def _key(cells: Mapping[str, str], name: str) -> str | None:
    text = cells.get(name, "")
    if text and not _KEY.fullmatch(text):
        raise Fault(name, "is no id: letters, digits, `.`, `_`, `:` and `-`, at most 64")
    return text or None


def _moment(cells: Mapping[str, str], name: str) -> datetime | None:
    """Reads a moment, or the day at whose beginning (UTC) it lies."""
    text = cells.get(name, "")
    if not text:
        return None
    if (day := _day(text, name)) is not None:
        return datetime.combine(day, time(), UTC)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise Fault(name, "is neither a day like 2027-01-31 or 31/01/2027 nor a moment like 2027-01-31T12:00:00Z")
    return at.astimezone(UTC)


def _end(cells: Mapping[str, str], name: str) -> datetime | None:
    """Reads an end: a moment, or the last day, which is part of it."""
    at = _moment(cells, name)
    if at is None or _day(cells[name], name) is None:
        return at
    try:
        return at + timedelta(days=1)
    except OverflowError:
        raise Fault(name, "is beyond the calendar") from None


def _day(text: str, name: str) -> date | None:
    written = _DAY.fullmatch(text)
    if written is not None:
        text = f"{written[3]}-{written[2]:0>2}-{written[1]:0>2}"
    elif not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Fault(name, "is no day of the calendar") from None


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# Rows beside each other


def _demand_apart(made: AgreementRow, before: Sequence[AgreementRow]) -> None:
    """Makes sure that a row is not another one again, and that of two that hold at once one goes before the other.

    Args:
        before: Of the same network and EMSP.
    """
    for one in before:
        if (one.id, one.title) == (made.id, made.title) or (made.id is not None and one.id == made.id):
            raise Fault("emsp", f"stands in row {one.row} already; another agreement of the two needs another title")
        same = (one.terms.rank, one.terms.evse_groups) == (made.terms.rank, made.terms.evse_groups)
        if same and one.terms.services & made.terms.services and _overlap(one, made):
            raise Fault("rank", f"holds at the same time as row {one.row}, and which goes first is not said")


def _overlap(one: AgreementRow, other: AgreementRow) -> bool:
    earliest, latest = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    starts = max(one.starts or earliest, other.starts or earliest)
    return starts < min(one.ends or latest, other.ends or latest)
