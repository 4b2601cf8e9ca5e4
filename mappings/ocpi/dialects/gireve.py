"""Gireve's OCPI 2.2.1: its additions to locations, what it demands of them, and what it does not keep.

The source is Gireve's technical guide for OCPI 2.2.1 (locations, integration guidelines). What Gireve demands
beyond OCPI and a source lacks is sent with an issue all the same, since Gireve judges that itself and says so; only the
names of owner and operator, which settings can give, are demanded here. What Gireve does not support is left in, for it
does no harm and may be supported one day, and each is an issue.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from mappings.canonical.base import Model
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import Connector, ConnectorCapability, Evse, EvseStatus, Location
from mappings.ocpi.defaults import NO_DEFAULTS, ConnectorDefaults
from mappings.ocpi.reading import Path, show
from mappings.ocpi.v2_2_1 import locations, wire
from mappings.ocpi.v2_2_1 import locations_out as out
from mappings.report import Issue, IssueKind, Report
from mappings.tables import EnumTable

Source = bytes | str | Mapping[str, Any]
Wire = wire.Wire

GIREVE_ID = "gireve_id"
"""Gireve's own id on locations, EVSEs, connectors and tariffs; stays beside the model and is given back."""

_CAPABILITIES = "capabilities"
_OWN = frozenset({GIREVE_ID})


class WireConnectorCapability(StrEnum):
    """The values of Gireve's `connector.capabilities`."""

    ISO_15118_2_PLUG_AND_CHARGE = "ISO_15118_2_PLUG_AND_CHARGE"
    ISO_15118_20_PLUG_AND_CHARGE = "ISO_15118_20_PLUG_AND_CHARGE"


CONNECTOR_CAPABILITIES = EnumTable(
    ConnectorCapability,
    WireConnectorCapability,
    {member: WireConnectorCapability(member.value) for member in ConnectorCapability},
)
# One page of Gireve's guide spells the values without their first letter.
_MISSPELT = {member.value[1:]: member for member in ConnectorCapability}


class GireveSettings(Model):
    """What the operator's settings add for Gireve.

    Attributes:
        operator_name: The brand, where a location names no operator.
        owner_name: The owner of the place, where a location names none.
        connectors: What OCPI demands of connectors.
    """

    operator_name: str | None = None
    owner_name: str | None = None
    connectors: ConnectorDefaults = NO_DEFAULTS


NO_SETTINGS = GireveSettings()


def location_to_canonical(source: Source, received: datetime | None = None) -> tuple[Location, list[Issue]]:
    """Reads a location; Plug & Charge stands on the connector or, as an older guide has it, on the EVSE.

    Raises:
        Refused: As in plain OCPI.
    """
    location, issues = locations.to_canonical(source, received, _OWN)
    report = Report(issue for issue in issues if not _is_ours(issue))
    evses = tuple(_evse_in(each, report, ("evses", index)) for index, each in enumerate(location.evses))
    if any(a is not b for a, b in zip(evses, location.evses, strict=True)):
        location = location.model_copy(update={"evses": evses})
    return location, report.issues


def evse_to_canonical(source: Source, received: datetime | None = None) -> tuple[Evse, list[Issue]]:
    """Reads an EVSE that stands alone; as `location_to_canonical`."""
    evse, issues = locations.evse_to_canonical(source, received, _OWN)
    report = Report(issue for issue in issues if not _is_ours(issue))
    return _evse_in(evse, report, ()), report.issues


def connector_to_canonical(source: Source, received: datetime | None = None) -> tuple[Connector, list[Issue]]:
    """Reads a connector that stands alone; as `location_to_canonical`."""
    connector, issues = locations.connector_to_canonical(source, received, _OWN)
    report = Report(issue for issue in issues if not _is_ours(issue))
    return _connector_in(connector, (), report, ()), report.issues


def _is_ours(issue: Issue) -> bool:
    """Whether plain OCPI took for foreign what this dialect reads."""
    last = issue.field.rpartition(".")[2]
    if issue.kind is IssueKind.UNKNOWN:
        return last == GIREVE_ID or (last == _CAPABILITIES and issue.value is None)
    return issue.kind is IssueKind.LEFT_OUT and last.startswith(f"{_CAPABILITIES}[") and _find(issue.value) is not None


def _find(text: object) -> ConnectorCapability | None:
    if not isinstance(text, str):
        return None
    return CONNECTOR_CAPABILITIES.mend(text) or _MISSPELT.get(text.strip().upper())


def _evse_in(evse: Evse, report: Report, path: Path) -> Evse:
    if _CAPABILITIES not in evse.unknown and not any(_CAPABILITIES in each.unknown for each in evse.connectors):
        return evse  # as nearly all
    texts = evse.unknown.get(_CAPABILITIES)
    found = _read(texts, report, (*path, _CAPABILITIES)) if isinstance(texts, list) else []
    connectors = tuple(
        _connector_in(each, found, report, (*path, "connectors", index)) for index, each in enumerate(evse.connectors)
    )
    update: dict[str, Any] = {}
    if any(a is not b for a, b in zip(connectors, evse.connectors, strict=True)):
        update["connectors"] = connectors
    if found and isinstance(texts, list):
        update["unknown"] = _without(evse.unknown, [text for text in texts if _find(text) is None])
    return evse.model_copy(update=update) if update else evse


def _connector_in(connector: Connector, above: Iterable[ConnectorCapability], report: Report, path: Path) -> Connector:
    texts = connector.unknown.get(_CAPABILITIES)
    own = _read(texts, report, (*path, _CAPABILITIES)) if isinstance(texts, list) else []
    found = tuple(dict.fromkeys([*own, *above]))
    if not found and texts is None:
        return connector
    left = [text for text in texts if _find(text) is None] if isinstance(texts, list) else texts
    if left:
        report.add(IssueKind.LEFT_OUT, show((*path, _CAPABILITIES)), "not Gireve's; kept beside the model", left)
    return connector.model_copy(update={"capabilities": found, "unknown": _without(connector.unknown, left)})


def _read(texts: list[Any], report: Report, path: Path) -> list[ConnectorCapability]:
    found = []
    for text in texts:
        member = _find(text)
        if member is not None:
            found.append(member)
            if text != member.value:
                report.add(IssueKind.MENDED, show(path), f"read as {member.value}", text)
    return found


def _without(unknown: Mapping[str, Any], left: Any) -> dict[str, Any]:
    rest = {field: value for field, value in unknown.items() if field != _CAPABILITIES}
    return {**rest, _CAPABILITIES: left} if left else rest


def location_from_canonical(location: Location, settings: GireveSettings = NO_SETTINGS) -> tuple[Wire, list[Issue]]:
    """Writes a location for Gireve.

    Raises:
        Refused: As in plain OCPI; or owner or operator has no name, and the settings give none.
    """
    report = Report()
    made = out.location(location, settings.connectors, report)
    for field, name in (("operator", settings.operator_name), ("owner", settings.owner_name)):
        if not made.get(field, {}).get("name"):
            if not name:
                raise report.refuse(f"{field}.name", "Gireve demands it, and the settings have none")
            made[field] = {**made.get(field, {}), "name": name}
            report.add(IssueKind.DEFAULTED, f"{field}.name", "from the operator's settings", name)
    sources = {each.uid: (index, each) for index, each in enumerate(location.evses)}
    for said in made.get("evses", ()):
        index, evse = sources[said["uid"]]
        _evse_out(evse, said, location.party, report, ("evses", index))
    _unsupported(made, ("publish_allowed_to", "charging_when_closed", "images", "energy_mix"), report, ())
    _unsupported(made.get("opening_times", {}), ("exceptional_openings",), report, ("opening_times",))
    return made, _said_after_all(report)


def evse_from_canonical(evse: Evse, party: PartyId, settings: GireveSettings = NO_SETTINGS) -> tuple[Wire, list[Issue]]:
    """Writes an EVSE for Gireve.

    Args:
        evse: What to write.
        party: The operator, with whose id its EVSE id shall begin.
        settings: The operator's.

    Raises:
        Refused: As in plain OCPI.
    """
    report = Report()
    made = out.evse(evse, settings.connectors, report, ())
    _evse_out(evse, made, party, report, ())
    return made, _said_after_all(report)


def connector_from_canonical(connector: Connector, settings: GireveSettings = NO_SETTINGS) -> tuple[Wire, list[Issue]]:
    """Writes a connector for Gireve; as in plain OCPI, with its Plug & Charge capabilities."""
    report = Report()
    made = out.connector(connector, settings.connectors, report, ())
    _connector_out(connector, made, report, ())
    return made, _said_after_all(report)


def _said_after_all(report: Report) -> list[Issue]:
    """Drops the issues of plain OCPI about what this dialect has said."""
    return [
        issue
        for issue in report.issues
        if issue.kind is not IssueKind.LOST or issue.field.rpartition(".")[2] != _CAPABILITIES
    ]


def _unsupported(made: Wire, fields: Iterable[str], report: Report, path: Path) -> None:
    for field in fields:
        if field in made:
            report.add(IssueKind.LOST, show((*path, field)), "Gireve does not support it; sent all the same")


def _evse_out(evse: Evse, made: Wire, party: PartyId, report: Report, path: Path) -> None:
    if evse.status is not EvseStatus.REMOVED:
        if evse.evse_id is None:
            report.add(IssueKind.SUSPECT, show((*path, "evse_id")), "is missing, and Gireve demands it")
        elif evse.evse_id.party != party:
            detail = f"does not begin with the operator's id {party}, as Gireve demands"
            report.add(IssueKind.SUSPECT, show((*path, "evse_id")), detail, evse.evse_id)
    if not evse.capabilities:
        report.add(IssueKind.SUSPECT, show((*path, _CAPABILITIES)), "is empty, and Gireve demands it")
    _unsupported(made, ("images",), report, path)
    sources = {each.id: (index, each) for index, each in enumerate(evse.connectors)}
    first = made["connectors"][0].get("tariff_ids")
    for said in made["connectors"]:
        index, connector = sources[said["id"]]
        at = (*path, "connectors", index)
        _connector_out(connector, said, report, at)
        if said.get("tariff_ids") != first:
            detail = "Gireve applies the first connector's tariffs to the whole EVSE"
            report.add(IssueKind.LOST, show((*at, "tariff_ids")), detail, ", ".join(said.get("tariff_ids", ())))


def _connector_out(connector: Connector, made: Wire, report: Report, path: Path) -> None:
    if connector.capabilities:
        made[_CAPABILITIES] = [CONNECTOR_CAPABILITIES.from_canonical(each).value for each in connector.capabilities]
    if not connector.tariff_ids:
        report.add(IssueKind.SUSPECT, show((*path, "tariff_ids")), "is empty, and Gireve demands it")
