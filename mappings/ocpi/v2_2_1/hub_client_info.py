"""Who else is connected to a hub, and whether they can be reached (OCPI 2.2.1, mod_hub_client_info)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mappings.canonical.parties import ClientInfo
from mappings.ocpi import times, values
from mappings.ocpi.reading import Reader
from mappings.ocpi.v2_2_1 import enums, tokens_out
from mappings.ocpi.v2_2_1 import wire as w
from mappings.ocpi.v2_2_1.locations_in import last_updated, party
from mappings.ocpi.v2_2_1.wire import Wire
from mappings.report import Issue, Report

Source = bytes | str | Mapping[str, Any]

_READER: Reader[w.ClientInfo] = Reader(w.ClientInfo, {})
_NAMES = w.names(w.ClientInfo)


def to_canonical(source: Source, received: datetime | None = None) -> tuple[ClientInfo, list[Issue]]:
    """Reads what a hub says of a party.

    Args:
        source: JSON text, or an object that was parsed from JSON.
        received: When it arrived, for one without `last_updated`; without this such a one is refused.

    Raises:
        Refused: Who it is, or whether they can be reached, cannot be read: whom to send to is never guessed.
    """
    report = Report()
    wire = _READER.read(source, report)
    values.dropped(wire, _NAMES, report, ())
    return ClientInfo(
        party=party(wire["country_code"], wire["party_id"], report, ()),
        role=values.decisive(enums.ROLES, wire["role"], report, (), "role"),
        status=values.decisive(enums.CLIENT_STATUSES, wire["status"], report, (), "status"),
        last_updated=last_updated(wire.get("last_updated"), report, (), received),
    ), report.issues


def from_canonical(info: ClientInfo) -> tuple[Wire, list[Issue]]:
    """Writes what is known of a party.

    Raises:
        Refused: The party has no country of two letters.
    """
    report = Report()
    made = tokens_out.owner(info.party, report, ())
    made["role"] = values.said(enums.ROLES, info.role, report, (), "role")
    made["status"] = values.said(enums.CLIENT_STATUSES, info.status, report, (), "status")
    made["last_updated"] = times.write(info.last_updated)
    return made, report.issues
