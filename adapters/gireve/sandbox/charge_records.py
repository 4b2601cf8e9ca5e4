"""Sessions and CDRs as the CPOs that the sandbox IOP plays write them: out of an authorisation, or out of what is said.

Nothing of it is checked, so that anything can be told.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from adapters.core.sandbox import Sandbox
from adapters.gireve.sandbox.checks import Wrong
from adapters.gireve.sandbox.emsps import Emsps
from adapters.gireve.sandbox.forwarding import Billing
from adapters.gireve.sandbox.platforms import Platform, Platforms
from adapters.gireve.sandbox.shown import Shown
from mappings.canonical.ids import PartyId

PLAYED_SESSIONS, PLAYED_CDRS = "played_sessions", "played_cdrs"

_PRICE = 0.5
"""Per kWh, where nothing else is said."""


class Told(BaseModel):
    """What is common to what is told.

    Attributes:
        reference: The authorisation that it comes from, which names driver and place.
        platform: Who is told where no authorisation leads to anybody; else the first.
        party, location_id, evse_uid: Where, if not by the authorisation.
        token: The `cdr_token`, if not by the authorisation.
        cost: Without VAT; else half a unit a kWh.
        times: How often it is told.
        seconds: How much later.
        also: Fields to add, to replace, or, by null, to leave out.
    """

    model_config = ConfigDict(extra="forbid")

    reference: str | None = None
    platform: str | None = None
    party: PartyId | None = None
    location_id: str | None = None
    evse_uid: str | None = None
    connector_id: str = "1"
    token: dict[str, JsonValue] | None = None
    id: Annotated[str, Field(min_length=1, max_length=39)] | None = None
    kwh: float = 0.0
    cost: float | None = None
    currency: str = "EUR"
    start: datetime | None = None
    end: datetime | None = None
    times: Annotated[int, Field(ge=1, le=100)] = 1
    seconds: Annotated[float, Field(ge=0, le=600)] = 0.0
    also: dict[str, JsonValue] = Field(default_factory=dict)


class PlayedSession(Told):
    """A session, as its CPO has it."""

    status: str = "ACTIVE"
    auth_method: str = "AUTH_REQUEST"


class PlayedCdr(Told):
    """A CDR.

    Attributes:
        session: The CPO's id of a session that was told before; else the CDR stands alone.
        billing: Who computed the cost, which the remark says.
    """

    session: str | None = None
    billing: Billing = "cpo"
    auth_method: str = "AUTH_REQUEST"


class Writing:
    """Writes, and keeps what it wrote under `played_sessions` and `played_cdrs`."""

    def __init__(self, sandbox: Sandbox, platforms: Platforms, emsps: Emsps, shown: Shown) -> None:
        self._sandbox = sandbox
        self._platforms = platforms
        self._emsps = emsps
        self._shown = shown

    def _place(self, asked: Told, before: Mapping[str, Any]) -> tuple[Platform, PartyId, dict[str, Any]]:
        """Finds who is told, whose charge it is, and the fields that session and CDR share."""
        reference = asked.reference or before.get("authorization_reference")
        known = self._emsps.authorisation(reference)
        cpo = asked.party or (PartyId(known["cpo"]) if known else None)
        if cpo is None:
            raise Wrong("party: nothing says whose it is")
        token = asked.token or before.get("cdr_token") or _token_of(known)
        platform = self._platforms.named(asked.platform or known.get("platform"))
        start = asked.start or _moment(before.get("start_date_time")) or self._sandbox.wall()
        shared = {
            "country_code": cpo.country,
            "party_id": cpo.code,
            "start_date_time": _text(start),
            "cdr_token": token,
            "authorization_reference": reference,
            "currency": asked.currency,
            "last_updated": _text(self._sandbox.wall()),
        }
        return platform, cpo, shared

    def session(self, asked: PlayedSession) -> tuple[Platform, PartyId, dict[str, Any]]:
        """Writes a session; gives who is told, and whose it is.

        Raises:
            ValueError: Nothing says who is told, whose it is or of whom.
        """
        memory = self._sandbox.memory[PLAYED_SESSIONS]
        before = memory.get(f"{asked.party}/{asked.id}", {})
        platform, cpo, wire = self._place(asked, before)
        known = self._emsps.authorisation(wire["authorization_reference"])
        wire |= {
            "id": asked.id or f"S-{uuid4().hex[:12]}",
            "auth_method": before.get("auth_method", asked.auth_method),
            "kwh": asked.kwh,
            "location_id": asked.location_id or before.get("location_id") or known.get("location_id"),
            "evse_uid": asked.evse_uid or before.get("evse_uid") or known.get("evse_uid"),
            "connector_id": before.get("connector_id", asked.connector_id),
            "charging_periods": [_period(wire["start_date_time"], asked.kwh)],
            "total_cost": {"excl_vat": _cost(asked)},
            "status": asked.status,
        }
        if asked.end is not None:
            wire["end_date_time"] = _text(asked.end)
        wire = _with(wire, asked.also)
        memory[f"{cpo}/{wire['id']}"] = wire
        return platform, cpo, wire

    def cdr(self, asked: PlayedCdr) -> tuple[Platform, PartyId, dict[str, Any]]:
        """Writes a CDR; gives who is told, and whose it is.

        Raises:
            ValueError: As of a session.
        """
        before = self._session_before(asked)
        platform, cpo, wire = self._place(asked, before)
        known = self._emsps.authorisation(wire["authorization_reference"])
        place = {**known, **before} | {k: v for k in ("location_id", "evse_uid") if (v := getattr(asked, k))}
        began = datetime.fromisoformat(wire["start_date_time"])
        end = asked.end or _moment(before.get("end_date_time")) or self._sandbox.wall()
        wire |= {
            "id": asked.id or f"C-{uuid4().hex[:12]}",
            "end_date_time": _text(end),
            "session_id": asked.session,
            "auth_method": before.get("auth_method", asked.auth_method),
            "cdr_location": self._cdr_location(cpo, place, before.get("connector_id", asked.connector_id)),
            "charging_periods": [_period(wire["start_date_time"], asked.kwh)],
            "total_cost": {"excl_vat": _cost(asked)},
            "total_energy": asked.kwh,
            "total_time": round(max(end - began, timedelta()) / timedelta(hours=1), 4),
        }
        wire = _with(wire, asked.also)
        self._sandbox.memory[PLAYED_CDRS][f"{cpo}/{wire['id']}"] = wire
        return platform, cpo, wire

    def _session_before(self, asked: PlayedCdr) -> Mapping[str, Any]:
        if asked.session is None:
            return {}
        memory = self._sandbox.memory[PLAYED_SESSIONS]
        keys = [key for key in memory if key.partition("/")[2] == asked.session]
        if asked.party is not None:
            keys = [key for key in keys if key.startswith(f"{asked.party}/")]
        found: Mapping[str, Any] = memory[keys[0]] if keys else {}
        asked.party = asked.party or (PartyId(keys[0].partition("/")[0]) if keys else None)
        return found

    def _cdr_location(self, cpo: PartyId, place: Mapping[str, Any], connector_id: str) -> dict[str, Any]:
        location_id, uid = str(place.get("location_id")), str(place.get("evse_uid"))
        location = self._shown.get(f"{cpo}/{location_id}") or {}
        evse: Mapping[str, Any] = next((each for each in location.get("evses") or () if each.get("uid") == uid), {})
        connectors = evse.get("connectors") or [{}]
        connector = next((each for each in connectors if each.get("id") == connector_id), connectors[0])
        found = {name: location.get(name) for name in ("name", "postal_code", "coordinates")}
        return {name: value for name, value in found.items() if value is not None} | {
            "id": location_id,
            "address": str(location.get("address") or "unknown")[:45],
            "city": str(location.get("city") or "unknown")[:45],
            "country": location.get("country") or "NLD",
            "coordinates": location.get("coordinates") or {"latitude": "52.0894", "longitude": "5.1101"},
            "evse_uid": uid,
            "evse_id": evse.get("evse_id") or uid,
            "connector_id": connector.get("id") or connector_id,
            "connector_standard": connector.get("standard") or "IEC_62196_T2",
            "connector_format": connector.get("format") or "SOCKET",
            "connector_power_type": connector.get("power_type") or "AC_3_PHASE",
        }


def _token_of(known: Mapping[str, Any]) -> dict[str, Any]:
    if not known:
        raise Wrong("token: nothing says who charged")
    emsp = PartyId(known["emsp"])
    named = {name: known[name] for name in ("uid", "type", "contract_id")}
    return {"country_code": emsp.country, "party_id": emsp.code, **named}


def _period(start: str, kwh: float) -> dict[str, Any]:
    return {"start_date_time": start, "dimensions": [{"type": "ENERGY", "volume": kwh}]}


def _cost(asked: Told) -> float:
    return asked.cost if asked.cost is not None else round(asked.kwh * _PRICE, 2)


def _with(wire: Mapping[str, Any], also: Mapping[str, JsonValue]) -> dict[str, Any]:
    return {name: value for name, value in {**wire, **also}.items() if value is not None}


def _text(moment: datetime) -> str:
    at = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text is not None else None
