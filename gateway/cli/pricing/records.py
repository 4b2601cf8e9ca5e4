"""Tariffs and CDRs in files of any form that partners send: OCPI with Gireve's additions, OICP, or canonical JSON."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, Generic, NamedTuple, TypeVar

from pydantic import TypeAdapter
from pydantic_core import to_json

from mappings.canonical.cdrs import Cdr
from mappings.canonical.tariffs import Tariff
from mappings.ocpi.dialects import gireve_charging, gireve_tariffs
from mappings.oicp.v2_3 import cdrs as oicp_cdrs
from mappings.oicp.v2_3 import products
from mappings.report import Issue, Refused

T = TypeVar("T")
Read = Callable[[], tuple[T, list[Issue]]]


class Found(NamedTuple, Generic[T]):
    """A record of a file, not read yet.

    Attributes:
        id: As the file has it.
        name: What tells it from others with its id: whose it is, and for whom.
        where: Its place in the file, as `data[3]`; empty for all of it.
        read: Translates it; raises `Refused` or pydantic's `ValidationError`.
    """

    id: str
    name: str
    where: str
    read: Read[T]


_TARIFF: Final = TypeAdapter(Tariff)
_CDR: Final = TypeAdapter(Cdr)

_INSIDE: Final = ("data", "items", "content", "tariffs", "cdrs", "tariff", "cdr", "records")
"""Names under which envelopes, pages, views and dumps hold records."""
_PRODUCTS, _BLOCK = "pricingproductdata", "pricingproductdatarecords"
_OICP_MESSAGE: Final = "eRoaming"
_OICP_CDRS: Final = ("chargedetailrecords", "chargedetailrecord")

_Visit = Callable[[Mapping[str, Any], set[str], str], Iterator[Found[T]] | None]


def tariffs_in(value: Any, at: datetime, where: str = "") -> Iterator[Found[Tariff]]:
    """Finds the tariffs in a file's content; a CDR's own too.

    Args:
        value: Parsed JSON.
        at: When the file is read, for what does not say when it was changed.
        where: The place of the value in the file.

    Raises:
        Refused: A record of a known kind has no key.
    """

    def visit(fields: Mapping[str, Any], names: set[str], place: str) -> Iterator[Found[Tariff]] | None:
        if _PRODUCTS in names or _BLOCK in names:
            return _products(fields, names, place, at)
        if "elements" in fields:
            return iter([_tariff(fields, place, at)])
        return None

    yield from _walk(value, where, visit)


def cdrs_in(value: Any, at: datetime, currency: str, where: str = "") -> Iterator[Found[Cdr]]:
    """Finds the CDRs in a file's content.

    Args:
        value: Parsed JSON.
        at: As for `tariffs_in`.
        currency: Of CDRs that do not tell it, as OICP's.
        where: The place of the value in the file.
    """

    def visit(fields: Mapping[str, Any], names: set[str], place: str) -> Iterator[Found[Cdr]] | None:
        if "sessionid" in names and "evseid" in names:
            return iter([_oicp_cdr(fields, place, at, currency)])
        if "charging_periods" in fields or "cdr_token" in fields:
            return iter([_named(fields, place, lambda: gireve_charging.cdr_to_canonical(fields, at))])
        if "periods" in fields and "identification" in fields:
            return iter([_named(fields, place, lambda: (_CDR.validate_json(to_json(fields), strict=True), []))])
        return None

    yield from _walk(value, where, visit, _OICP_CDRS)


def _walk(value: Any, where: str, visit: _Visit[T], more: tuple[str, ...] = ()) -> Iterator[Found[T]]:
    if isinstance(value, list):
        for number, each in enumerate(value):
            yield from _walk(each, f"{where}[{number}]", visit, more)
    elif isinstance(value, Mapping):
        names = {str(name).casefold() for name in value}
        found = visit(value, names, where)
        if found is not None:
            yield from found
            return
        for name, inner in value.items():
            inside = str(name).casefold() in {*_INSIDE, *more} or str(name).startswith(_OICP_MESSAGE)
            if inside and isinstance(inner, (list, Mapping)):
                yield from _walk(inner, f"{where}.{name}".lstrip("."), visit, more)


def _tariff(fields: Mapping[str, Any], where: str, at: datetime) -> Found[Tariff]:
    if "party" in fields and "party_id" not in fields:
        return _named(fields, where, lambda: (_TARIFF.validate_json(to_json(fields), strict=True), []))
    return _named(fields, where, lambda: gireve_tariffs.to_canonical(fields, at))


def _named(fields: Mapping[str, Any], where: str, read: Read[T]) -> Found[T]:
    id_ = str(fields.get("id", ""))
    party = str(fields.get("party") or "*".join(str(fields.get(name, "")) for name in ("country_code", "party_id")))
    target = fields.get("target") or fields.get("target_operator_party_id")
    name = f"{party}/{id_}" + (f" for {target}" if target else "")
    return Found(id_, name, where, read)


def _products(fields: Mapping[str, Any], names: set[str], where: str, at: datetime) -> Iterator[Found[Tariff]]:
    answer = products.read(fields if _PRODUCTS in names else {"PricingProductData": [fields]}, at)
    if answer is None:
        raise Refused(where, "an answer of OICP that says that something failed")
    if answer.unreadable:
        raise answer.unreadable[0]
    for entry in answer.entries:
        if not entry.gone:
            party, id_, target = entry.key
            yield Found(id_, f"{party}/{id_}" + (f" for {target}" if target else ""), where, entry.read)


def _oicp_cdr(fields: Mapping[str, Any], where: str, at: datetime, currency: str) -> Found[Cdr]:
    id_ = next((str(value) for name, value in fields.items() if str(name).casefold() == "sessionid"), "")

    def read() -> tuple[Cdr, list[Issue]]:
        said, issues = oicp_cdrs.to_canonical(fields, currency=currency, at=at)
        return said.cdr, issues

    return Found(id_, id_, where, read)
