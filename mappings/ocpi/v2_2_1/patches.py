"""PATCH of locations, EVSEs and connectors, both ways, of tokens and sessions, in (OCPI 2.2.1, mod_locations, PATCH).

A PATCH names the fields that change, each whole: a list or an inner object replaces the old one. The text calls it no
means to take information away; an explicit null of an optional field is read as that nonetheless, for it can mean
nothing else. A part's new `last_updated` becomes that of what holds it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic_core import from_json

from mappings.canonical import parts
from mappings.canonical.base import Model
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import Connector, Evse, EvseStatusReport, Location
from mappings.canonical.sessions import Session
from mappings.canonical.tokens import Token
from mappings.ocpi import times, values
from mappings.ocpi.reading import Reader
from mappings.ocpi.v2_2_1 import enums, locations_in, sessions_in, tokens_in
from mappings.ocpi.v2_2_1 import wire as w
from mappings.ocpi.v2_2_1 import wire_charging as wc
from mappings.report import Issue, Report

Source = bytes | str | Mapping[str, Any]
T = TypeVar("T")

_LOCATIONS: Reader[Any] = Reader(w.partial(w.Location), locations_in.RULES)
_EVSES: Reader[Any] = Reader(w.partial(w.Evse), locations_in.EVSE_RULES)
_CONNECTORS: Reader[Any] = Reader(w.partial(w.Connector), locations_in.CONNECTOR_RULES)
_TOKENS: Reader[Any] = Reader(w.partial(wc.Token), tokens_in.RULES, tokens_in.SECRET)
_SESSIONS: Reader[Any] = Reader(w.partial(wc.Session), sessions_in.RULES, tokens_in.SECRET)
_RENAMED = {
    "max_electric_power": "max_power",
    "default_profile_type": "default_profile",
    **sessions_in.RENAMED,
}

_STATUS_ALONE = {"status", "last_updated"}


class Patched(NamedTuple, Generic[T]):
    """What a PATCH made.

    Attributes:
        after: The whole location, token or session afterwards.
        changed: Canonical fields of the addressed object that differ from before, `last_updated` aside.
        issues: What was mended or lost, by path in the PATCH.
        at: The PATCH's own stamp; that of the addressed object is never older than its parts' are.
    """

    after: T
    changed: frozenset[str]
    issues: list[Issue]
    at: datetime


def patch_location(location: Location, source: Source) -> Patched[Location]:
    """Applies a PATCH of a location.

    Raises:
        Refused: It lacks `last_updated`, names another id, or a field cannot be read.
    """
    report = Report()
    wire = _LOCATIONS.read(source, report)
    _same(wire, {"id": location.id, "country_code": location.party.country, "party_id": location.party.code}, report)
    after = _merged(location, wire, locations_in.location_fields(wire, report, None))
    at = after.last_updated
    after = after.model_copy(update={"last_updated": parts.newest(at, after.evses)})
    return Patched(after, _changed(location, after), report.issues, at)


def patch_evse(location: Location, uid: str, source: Source) -> Patched[Location]:
    """Applies a PATCH of an EVSE.

    Raises:
        Refused: The location has no such EVSE, or as `patch_location`.
    """
    report = Report()
    before = _evse(location, uid, report)
    wire = _EVSES.read(source, report)
    _same(wire, {"uid": uid}, report)
    after = _merged(before, wire, locations_in.evse_fields(wire, report, (), None))
    at = after.last_updated
    after = after.model_copy(update={"last_updated": parts.newest(at, after.connectors)})
    return Patched(parts.with_evse(location, after), _changed(before, after), report.issues, at)


def patch_connector(location: Location, uid: str, connector_id: str, source: Source) -> Patched[Location]:
    """Applies a PATCH of a connector.

    Raises:
        Refused: The location has no such EVSE or that no such connector, the new standard is unknown, or as
            `patch_location`.
    """
    report = Report()
    evse = _evse(location, uid, report)
    before = parts.connector(evse, connector_id)
    if before is None:
        raise report.refuse("", "the EVSE has no such connector", connector_id)
    wire = _CONNECTORS.read(source, report)
    _same(wire, {"id": connector_id}, report)
    fields = locations_in.connector_fields(wire, report, (), None)
    if "standard" in wire:
        fields["standard"] = values.decisive(enums.CONNECTOR_STANDARDS, wire["standard"], report, (), "standard")
    after = _merged(before, wire, fields)
    whole = parts.with_evse(location, parts.with_connector(evse, after))
    return Patched(whole, _changed(before, after), report.issues, after.last_updated)


def patch_token(token: Token, source: Source) -> Patched[Token]:
    """Applies a PATCH of a token (mod_tokens, PATCH).

    Raises:
        Refused: It lacks `last_updated`, names another token, or a field cannot be read.
    """
    report = Report()
    wire = _TOKENS.read(source, report)
    _stamped(wire, report)
    _same(wire, {"country_code": token.party.country, "party_id": token.party.code}, report)
    fields = tokens_in.token_fields(wire, report, ())
    if fields.get("uid", token.uid).casefold() != token.uid.casefold():
        raise report.refuse("uid", "an id can never be changed")
    if fields.get("type", token.type) is not token.type:
        raise report.refuse("type", "with the uid it is the token's id, which can never be changed", wire["type"])
    after = _merged(token, wire, {**fields, "uid": token.uid})
    return Patched(after, _changed(token, after), report.issues, after.last_updated)


def patch_session(session: Session, source: Source) -> Patched[Session]:
    """Applies a PATCH of a session: charging periods are added to those there are (mod_sessions, PATCH).

    Raises:
        Refused: It lacks `last_updated`, names another session, or a field cannot be read.
    """
    report = Report()
    wire = _SESSIONS.read(source, report)
    _stamped(wire, report)
    _same(wire, {"id": session.id, "country_code": session.party.country, "party_id": session.party.code}, report)
    fields = {**sessions_in.session_fields(wire, report), "id": session.id}
    if "periods" in fields:
        # A PATCH that got no answer is sent again, and what it added the first time is not added once more.
        fields["periods"] = (
            *session.periods,
            *(period for period in fields["periods"] if period not in session.periods),
        )
    # Nothing to add takes none away.
    after = _merged(session, {name: value for name, value in wire.items() if name != "charging_periods"}, fields)
    return Patched(after, _changed(session, after), report.issues, after.last_updated)


def status_report(source: Source, party: PartyId, location_id: str, uid: str) -> EvseStatusReport | None:
    """Reads the PATCH of an EVSE that tells its status and nothing else, which nearly all of them are.

    Needs neither the location nor the EVSE, so that the status can be written without either.

    Args:
        source: The PATCH.
        party: Whose location, as the URL names it; so do the others.
        location_id: Of which location.
        uid: Of which EVSE.

    Returns:
        None where the PATCH says more or less than a status and a stamp, or is dirty in any way: `patch_evse` says
        what is wrong with it, or mends it.
    """
    try:
        wire = source if isinstance(source, Mapping) else from_json(source)
    except ValueError:
        return None
    if not isinstance(wire, Mapping) or set(wire) != _STATUS_ALONE:
        return None
    text, stamp = wire["status"], wire["last_updated"]
    if not isinstance(text, str) or not isinstance(stamp, str):
        return None
    status = enums.STATUSES.find(text)
    if status is None:
        return None
    try:
        at = times.parse(stamp)
        return EvseStatusReport(status=status, at=at, party=party, location_id=location_id, evse_uid=uid)
    except ValueError:
        return None


def _stamped(wire: Mapping[str, Any], report: Report) -> None:
    if wire.get("last_updated") is None:
        raise report.refuse("last_updated", "is missing, and every PATCH names it")


def _evse(location: Location, uid: str, report: Report) -> Evse:
    found = parts.evse(location, uid)
    if found is None:
        raise report.refuse("", "the location has no such EVSE", uid)
    return found


def _same(wire: Mapping[str, Any], keys: Mapping[str, str], report: Report) -> None:
    for field, key in keys.items():
        if wire.get(field, key).casefold() != key.casefold():  # OCPI, CiString
            raise report.refuse(field, "an id can never be changed", wire[field])


def _merged(before: Any, wire: Mapping[str, Any], fields: dict[str, Any]) -> Any:
    for name, value in wire.items():
        field = _RENAMED.get(name, name)
        model_field = type(before).model_fields.get(field)
        if value is None and model_field is not None and not model_field.is_required():
            fields[field] = model_field.get_default()
        elif value == [] and model_field is not None:
            fields[field] = ()
    beside = {name: value for name, value in before.unknown.items() if name not in wire}
    if "unknown" in fields or len(beside) < len(before.unknown):
        # What could not be read before is settled by a value that can.
        fields["unknown"] = {**beside, **fields.get("unknown", {})}
    # An older PATCH that arrives late is for whoever keeps the state to judge; the stamp stands as it was sent.
    return before.model_copy(update=fields)


def _changed(before: Model, after: Model) -> frozenset[str]:
    return frozenset(
        name
        for name in type(before).model_fields
        if name != "last_updated" and getattr(before, name) != getattr(after, name)
    )


def status_patch(evse: Evse) -> w.Wire:
    """Writes the PATCH of an EVSE's status."""
    return {"status": enums.STATUSES.from_canonical(evse.status).value, "last_updated": times.write(evse.last_updated)}


def tariff_ids_patch(connector: Connector) -> w.Wire:
    """Writes the PATCH of a connector's tariffs; an empty list takes the last one away."""
    fitting = [each for each in connector.tariff_ids if len(each) <= values.LONGEST_ID]
    return {"tariff_ids": fitting, "last_updated": times.write(connector.last_updated)}


def patch_between(before: w.Wire, after: w.Wire) -> w.Wire | None:
    """Gives the PATCH that leads from one wire object to the next.

    Returns:
        The fields that differ, with `last_updated`; None where a field went away, which a PATCH cannot say: PUT it.
    """
    if not before.keys() <= after.keys():
        return None
    made = {field: value for field, value in after.items() if before.get(field) != value}
    return {**made, "last_updated": after["last_updated"]} if made else {}
