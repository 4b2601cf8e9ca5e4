"""What of a wire object counts as its content, and its hash.

An EVSE's fingerprint is three hashes side by side, so that a plan can tell what changed: the static part, the status
and the connectors' tariff ids, the last two being what Gireve calls dynamic. Stamps count for nothing, since a
location's rises with every status of an EVSE. What was removed has the fingerprint of what was never there.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from adapters.core.digest import SIZE, digest
from mappings.canonical.locations import EvseStatus

GONE = b""
"""Of what the hub no longer has."""


# Guide, tariffs, "Tariff shall be immutable": but for texts and the end.
_TOLD = ("tariff_alt_text", "tariff_alt_url", "energy_mix", "end_date_time")


def _without(wire: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in wire.items() if name not in names and value is not None}


def of_location(wire: Mapping[str, Any]) -> bytes:
    """Hashes a location without its EVSEs: 16 bytes."""
    return digest(_without(wire, "evses", "last_updated"))


def of_evse(wire: Mapping[str, Any]) -> bytes:
    """Hashes an EVSE: 48 bytes, `GONE` if it is REMOVED."""
    if wire.get("status") == EvseStatus.REMOVED:
        return GONE
    connectors = wire.get("connectors") or ()
    static = _without(wire, "status", "connectors", "last_updated")
    static["connectors"] = [_without(connector, "tariff_ids", "last_updated") for connector in connectors]
    tariffs = [[connector.get("id"), connector.get("tariff_ids") or []] for connector in connectors]
    return digest(static) + digest(wire.get("status")) + digest(tariffs)


def of_tariff(wire: Mapping[str, Any]) -> bytes:
    """Hashes a tariff: 32 bytes, of what a price hangs on and of what may change at any time, side by side."""
    told = {name: wire[name] for name in _TOLD if wire.get(name) is not None}
    return digest(_without(wire, "last_updated", *_TOLD)) + digest(told)


def prices_changed(accepted: bytes | None, now: bytes) -> bool:
    """Tells whether a tariff that the hub has asks another price now, as far as its hash can say."""
    return accepted is not None and len(accepted) == len(now) and accepted[:SIZE] != now[:SIZE]


def of_token(wire: Mapping[str, Any]) -> bytes:
    """Hashes a token: 16 bytes. A sandbox shows it beside the platform that pushed it."""
    return digest(_without(wire.get("token", wire), "last_updated"))


class Change:
    """What of an EVSE differs from what the hub accepted.

    Attributes:
        static: Anything but status and tariff ids, or the hub does not have it at all.
        status, tariffs: The dynamic parts.
    """

    __slots__ = ("static", "status", "tariffs")

    def __init__(self, accepted: bytes | None, now: bytes) -> None:
        if not accepted or len(accepted) != len(now):
            self.static = self.status = self.tariffs = True
        else:
            self.static, self.status, self.tariffs = (
                accepted[start : start + SIZE] != now[start : start + SIZE] for start in range(0, 3 * SIZE, SIZE)
            )

    @property
    def nothing(self) -> bool:
        """Nothing differs."""
        return not (self.static or self.status or self.tariffs)


def all_removed(statuses: Iterable[EvseStatus]) -> bool:
    """Tells whether a location is withdrawn: it has EVSEs, and all are REMOVED."""
    found = list(statuses)
    return bool(found) and all(status is EvseStatus.REMOVED for status in found)
