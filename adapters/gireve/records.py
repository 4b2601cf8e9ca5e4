"""Records of what is pulled: their keys at once, the rest when somebody wants it; pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from adapters.core.digest import digest
from adapters.core.roaming import FeedKind, Record
from mappings.canonical.ids import PartyId
from mappings.ocpi.dialects import gireve, gireve_charging
from mappings.ocpi.v2_2_1 import hub_client_info
from mappings.report import Issue, Refused

Read = Callable[[Mapping[str, Any], datetime], tuple[Any, Sequence[Issue]]]


def _cdr(raw: Mapping[str, Any], received: datetime) -> tuple[Any, Sequence[Issue]]:
    cdr, issues = gireve_charging.cdr_to_canonical(raw, received)
    return (cdr, None), issues  # the CDR's own fields are all that names the charge


_READ: dict[FeedKind, Read] = {
    FeedKind.LOCATIONS: gireve.location_to_canonical,
    FeedKind.TARIFFS: gireve.tariff_to_canonical,
    FeedKind.CDRS: _cdr,
    FeedKind.PARTIES: hub_client_info.to_canonical,
}
_TARGET = "target_operator_country_code", "target_operator_party_id"


def record_of(kind: FeedKind, raw: Any, received: datetime, *, storable: bool = True) -> Record:
    """Makes a record of an object of a page.

    Args:
        raw: Parsed JSON.
        received: For what has no `last_updated`.
        storable: No text of it holds NUL.

    Raises:
        Refused: It has no key.
    """
    if not isinstance(raw, Mapping):
        raise Refused("", "not an object")
    party = _party(raw, "country_code", "party_id")
    tail: tuple[str, ...]
    if kind is FeedKind.PARTIES:
        tail = (_text(raw, "role"),)
    elif kind is FeedKind.TARIFFS:
        tail = (_text(raw, "id"), _target(raw))
    else:
        tail = (_text(raw, "id"),)
    translate = _READ[kind]

    def read() -> tuple[Any, Sequence[Issue]]:
        if not storable:
            raise Refused("", "a text holds NUL")
        return translate(raw, received)

    return Record((party, *tail), digest(raw), read)


def _party(raw: Mapping[str, Any], country: str, code: str) -> str:
    try:
        return PartyId.of(_text(raw, country), _text(raw, code)).normal
    except ValueError as error:
        raise error if isinstance(error, Refused) else Refused(code, "not a party") from None


def _target(raw: Mapping[str, Any]) -> str:
    # Half a target has a key all the same: reading it says what is wrong.
    country, code = (raw.get(name) for name in _TARGET)
    return _party(raw, *_TARGET) if isinstance(country, str) and isinstance(code, str) else ""


def _text(raw: Mapping[str, Any], field: str) -> str:
    value = raw.get(field)
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise Refused(field, "is missing, and is part of the key")
    return value
