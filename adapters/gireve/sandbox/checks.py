"""What the sandbox IOP checks of a body.

What OCPI 2.2.1 demands is refused at once. What Gireve's guide demands beyond it, to ensure the quality of data, is for
the quality process: until it is mended, EMSPs do not see it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mappings.canonical.ids import EvseId, PartyId

_LOCATION = (
    *("country_code", "party_id", "id", "publish", "address", "city", "country", "coordinates"),
    *("time_zone", "last_updated"),
)
_EVSE = ("uid", "status", "connectors", "last_updated")
_CONNECTOR = ("id", "standard", "format", "power_type", "max_voltage", "max_amperage", "last_updated")


class Wrong(ValueError):
    """A body is not as demanded; the text names the field."""


class Refusal(Exception):
    """IOP's own no: HTTP status, OCPI code, and what it says."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


def _need(wire: Any, names: Iterable[str], path: str) -> Mapping[str, Any]:
    if not isinstance(wire, Mapping):
        raise Wrong(f"{path or 'body'} is not an object")
    for name in names:
        if wire.get(name) is None:
            raise Wrong(f"Missing required field: {path}{name}")
    return wire


def _some(wire: Mapping[str, Any], name: str, path: str) -> Sequence[Any]:
    found = wire.get(name)
    if not isinstance(found, list) or not found:
        raise Wrong(f"{path}{name} is empty")
    return found


def check_owner(wire: Mapping[str, Any], country: str, code: str, key: str) -> None:
    """The ids in the path are those in the object (client owned object push)."""
    if (wire.get("country_code"), wire.get("party_id"), wire.get("id")) != (country, code, key):
        raise Wrong("country_code, party_id or id is not that of the URL")


def check_location(wire: Any) -> None:
    """Checks a location and its EVSEs."""
    _need(wire, _LOCATION, "")
    _need(wire["coordinates"], ("latitude", "longitude"), "coordinates.")
    for index, evse in enumerate(wire.get("evses") or ()):
        check_evse(evse, f"evses[{index}].")


def check_evse(wire: Any, path: str = "") -> None:
    """Checks an EVSE."""
    _need(wire, _EVSE, path)
    for index, connector in enumerate(_some(wire, "connectors", path)):
        check_connector(connector, f"{path}connectors[{index}].")


def check_connector(wire: Any, path: str = "") -> None:
    """Checks a connector; a voltage of 0 was refused in the field."""
    _need(wire, _CONNECTOR, path)
    if wire["max_voltage"] == 0:
        raise Wrong(f"{path}max_voltage is 0")


def doubts_of_location(wire: Mapping[str, Any]) -> list[str]:
    """Says what the quality process holds against a location's own fields."""
    return [f"{name}.name is missing" for name in ("owner", "operator") if not (wire.get(name) or {}).get("name")]


def doubts_of_evse(wire: Mapping[str, Any], party: PartyId) -> list[str]:
    """Says what the quality process holds against an EVSE; nothing against one that is REMOVED."""
    if wire.get("status") == "REMOVED":
        return []
    found = []
    if not wire.get("evse_id"):
        found.append("evse_id is missing")
    elif EvseId(str(wire["evse_id"])).party != party:
        found.append(f"evse_id does not begin with {party}")
    if not wire.get("capabilities"):
        found.append("capabilities is missing")
    # IOP keeps the tariffs of the first connector and ignores the others'.
    if not wire["connectors"][0].get("tariff_ids"):
        found.append("connectors[0].tariff_ids is missing")
    return found


def check_patch(wire: Any) -> Mapping[str, Any]:
    """Any PATCH has a stamp (mod_locations, PATCH method)."""
    return _need(wire, ("last_updated",), "")
