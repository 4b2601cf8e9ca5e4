"""What the sandbox IOP passes on to EMSPs' platforms: stations and their statuses, sessions and CDRs.

Locations, EVSEs and CDRs keep their owners' ids; a session's id and the authorisation reference are Gireve's (guide,
eMSP sessions, Object IDs). An EMSP's platform is told of stations once, in the name of its first EMSP.
"""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from adapters.core import ocpi
from adapters.core.sandbox import Sandbox
from adapters.gireve.sandbox.agreements import Agreements
from adapters.gireve.sandbox.outbox import Outbox, Push
from adapters.gireve.sandbox.platforms import EMSP, Platform, Platforms
from adapters.gireve.sandbox.shown import gireve_id, told_evse, told_location
from mappings.canonical.ids import PartyId

GIREVE_SESSIONS = "gireve_sessions"

Billing: TypeAlias = Literal["cpo", "gireve", "none"]
"""Who computed a CDR's total cost."""
_REMARKS: Mapping[Billing, str] = {"cpo": "", "gireve": "[*]", "none": "[?]"}
"""Prefix of the remark (guide, eMSP CDRs, Add billing information)."""
_NEVER_TOLD = ("credit", "credit_reference_id", "home_charging_compensation")
"""Guide, eMSP CDRs, Fields Not Implemented by Gireve."""


class Forwarding:
    """Passes on; `gireve_sessions` keeps whose session it was, by Gireve's id.

    Args:
        own_references: Whether an EMSP is told Gireve's authorisation references, or those that it gave itself.
    """

    def __init__(
        self, sandbox: Sandbox, platforms: Platforms, outbox: Outbox, agreements: Agreements, *, own_references: bool
    ) -> None:
        self._sandbox = sandbox
        self._platforms = platforms
        self._outbox = outbox
        self._agreements = agreements
        self._own_references = own_references

    def location(self, method: str, key: str, uid: str | None, body: Mapping[str, Any], follows: str | None) -> None:
        """Tells all EMSPs that have an agreement of a location, or of an EVSE of it."""
        party, _, location_id = key.partition("/")
        cpo = PartyId(party)
        tail = ocpi.path(cpo.country, cpo.code, location_id, *([uid] if uid is not None else []))
        told = told_location(dict(body), removed=True) if uid is None else told_evse(body, party, location_id)
        for platform in self._platforms.with_role(EMSP):
            emsps = [each for each in platform.parties(EMSP) if self._agreements.agreed(cpo, each)]
            if emsps:
                push = Push(method, "locations/RECEIVER", tail, told, cpo, emsps[0], follows)
                self._outbox.push(platform, push)

    def session(
        self,
        platform: Platform,
        cpo: PartyId,
        wire: Mapping[str, Any],
        authorisation: Mapping[str, Any],
        follows: str | None = None,
    ) -> str:
        """Tells an EMSP of a session; gives Gireve's id of it.

        Args:
            wire: As the CPO has it.
            authorisation: That it comes from; empty where there is none.
        """
        identity = self.session_id(platform, cpo, wire["id"])
        told = {**wire, "id": identity, "authorization_reference": self._reference(wire, authorisation)}
        tail = ocpi.path(cpo.country, cpo.code, identity)
        self._push(platform, "PUT", "sessions/RECEIVER", tail, told, cpo, follows)
        return identity

    def session_id(self, platform: Platform, cpo: PartyId, session_id: str) -> str:
        """Gives Gireve's id of a CPO's session, and notes whose it is."""
        identity = gireve_id("session", cpo.normal, session_id)
        kept = {"cpo": cpo.normal, "id": session_id, "platform": platform.name}
        self._sandbox.memory[GIREVE_SESSIONS][identity] = kept
        return identity

    def cdr(
        self,
        platform: Platform,
        cpo: PartyId,
        wire: Mapping[str, Any],
        authorisation: Mapping[str, Any],
        billing: Billing = "cpo",
        follows: str | None = None,
    ) -> None:
        """Tells an EMSP of a CDR."""
        told = {name: value for name, value in wire.items() if name not in _NEVER_TOLD}
        told["authorization_reference"] = self._reference(wire, authorisation)
        if wire.get("session_id") is not None:
            told["session_id"] = gireve_id("session", cpo.normal, wire["session_id"])
        if _REMARKS[billing]:
            told["remark"] = f"{_REMARKS[billing]} {wire.get('remark') or ''}".strip()
        self._push(platform, "POST", "cdrs/RECEIVER", "", told, cpo, follows)

    def _reference(self, wire: Mapping[str, Any], authorisation: Mapping[str, Any]) -> Any:
        if self._own_references or "emsp_reference" not in authorisation:
            return wire.get("authorization_reference")
        return authorisation["emsp_reference"]

    def _push(
        self,
        platform: Platform,
        method: str,
        endpoint: str,
        tail: str,
        told: Mapping[str, Any],
        cpo: PartyId,
        follows: str | None,
    ) -> None:
        body = {name: value for name, value in told.items() if value is not None}
        push = Push(method, endpoint, tail, body, cpo, _emsp_of(told, platform), follows)
        self._outbox.push(platform, push)


def _emsp_of(told: Mapping[str, Any], platform: Platform) -> PartyId | None:
    """To whom a session or CDR goes: the token's EMSP."""
    token = told.get("cdr_token")
    try:
        return PartyId.of(token["country_code"], token["party_id"]) if isinstance(token, Mapping) else None
    except (KeyError, TypeError, ValueError):
        return next(iter(platform.parties(EMSP)), None)
