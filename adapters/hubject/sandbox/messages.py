"""The notifications and CDRs of the CPOs that the sandbox plays, right ones and wrong ones."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, Literal
from uuid import uuid4

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from adapters.hubject.sandbox import commands
from adapters.hubject.sandbox.state import SESSIONS, HubjectSandbox
from mappings.canonical.ids import ContractId, EvseId, PartyId

_FOREIGN_EVSE: Final = "DE*NIX*E404"


class CdrKind(StrEnum):
    """What kind of CDR, or CDRs, an EMP gets."""

    NORMAL = "normal"
    TWICE = "twice"
    """The same one twice."""
    OTHER_CONTENT = "other_content"
    """One, and then another one of the same session with more energy."""
    UNKNOWN_SESSION = "unknown_session"
    CONTRADICTORY = "contradictory"
    """The meter's readings say something else than the energy."""
    IMPLAUSIBLE_TIMES = "implausible_times"
    """It ends before it begins."""
    FUTURE = "future"
    """It ends tomorrow."""
    IMPLAUSIBLE_ENERGY = "implausible_energy"
    """999 kWh within a few minutes."""
    FOREIGN_EVSE = "foreign_evse"
    """An EVSE of somebody else."""


class Told(BaseModel):
    """What notifications and CDRs have in common.

    Attributes:
        session: Which one.
        evse, provider, operator: The session's where they are left out.
        energy: kWh.
        minutes: How long the charge has lasted.
        end: When it ended; now where it is left out.
        late: Seconds after which it is sent.
        extra: Fields to set, or with null to take away, in the message.
    """

    model_config = ConfigDict(extra="forbid")

    session: str | None = None
    evse: EvseId | None = None
    provider: PartyId | None = None
    operator: PartyId | None = None
    energy: float = 10.5
    minutes: Annotated[float, Field(ge=0)] = 30.0
    end: AwareDatetime | None = None
    late: Annotated[float, Field(ge=0, le=3600)] = 0.0
    extra: dict[str, Any] = {}


class Notification(Told):
    """Attributes: type: The kind of notification."""

    type: Literal["Start", "Progress", "End", "Error"] = "Start"


class Cdr(Told):
    """Attributes: kind: What kind. forward: Whether it is sent, or only kept till the EMP asks for what it missed."""

    kind: CdrKind = CdrKind.NORMAL
    forward: bool = True


class Charge:
    """The charge that a message tells of.

    Raises:
        ValueError: Nobody said whose it is.
    """

    def __init__(self, sandbox: HubjectSandbox, told: Told) -> None:
        session: dict[str, Any] = sandbox.memory[SESSIONS].get(told.session or "") or {}
        evse = told.evse.text if told.evse else session.get("EvseID")
        provider = told.provider.normal if told.provider else session.get("ProviderID")
        if evse is None or provider is None:
            raise ValueError("evse and provider are needed, since the session does not tell them")
        operator = told.operator.normal if told.operator else session.get("OperatorID")
        cpo = commands.cpo_of(sandbox, EvseId(evse))
        self.id = told.session or str(uuid4())
        self.evse: str = evse
        self.provider: str = provider
        self.operator = PartyId(operator or (cpo.operator if cpo else str(EvseId(evse).party)))
        self.identification: dict[str, Any] = session.get("Identification") or {
            "RemoteIdentification": {"EvcoID": ContractId(f"{provider.replace('*', '-')}-C00000000").separated()}
        }
        self.ids = {name: session[name] for name in ("CPOPartnerSessionID", "EMPPartnerSessionID") if session.get(name)}
        self.end = (told.end or sandbox.wall()).astimezone(UTC)
        self.start = self.end - timedelta(minutes=told.minutes)


def notification(told: Notification, charge: Charge) -> dict[str, Any]:
    """Writes an eRoamingChargingNotification."""
    body = {
        "Type": told.type,
        "SessionID": charge.id,
        **charge.ids,
        "Identification": charge.identification,
        "EvseID": charge.evse,
        "OperatorID": charge.operator.normal,
        **_of_type(told, charge),
    }
    return _changed(body, told.extra)


def _of_type(told: Notification, charge: Charge) -> dict[str, Any]:
    start, end = _stamp(charge.start), _stamp(charge.end)
    match told.type:
        case "Start":
            return {"ChargingStart": start, "MeterValueStart": 100.0}
        case "Progress":
            duration = round((charge.end - charge.start).total_seconds() * 1000)
            progress = {"ChargingDuration": duration, "ConsumedEnergyProgress": told.energy}
            return {"ChargingStart": start, "EventOccurred": end, **progress}
        case "End":
            meter = {"MeterValueStart": 100.0, "MeterValueEnd": round(100.0 + told.energy, 3)}
            return {"ChargingStart": start, "ChargingEnd": end, "ConsumedEnergy": told.energy, **meter}
    return {"ErrorType": "CriticalError", "ErrorAdditionalInfo": "the sandbox was told so"}


def cdrs(told: Cdr, charge: Charge) -> list[dict[str, Any]]:
    """Writes the eRoamingChargeDetailRecords of a kind, in the order in which they are sent."""
    body = _changed(
        {
            "SessionID": charge.id,
            **charge.ids,
            "EvseID": charge.evse,
            "Identification": charge.identification,
            "ChargingStart": _stamp(charge.start),
            "ChargingEnd": _stamp(charge.end),
            "SessionStart": _stamp(charge.start),
            "SessionEnd": _stamp(charge.end),
            **_metered(told.energy),
        },
        told.extra,
    )
    if told.kind is CdrKind.TWICE:
        return [body, body]
    if told.kind is CdrKind.OTHER_CONTENT:
        return [body, body | _metered(told.energy + 1)]
    return [body | _spoils(told, charge, body).get(told.kind, {})]


def _spoils(told: Cdr, charge: Charge, body: Mapping[str, Any]) -> dict[CdrKind, dict[str, Any]]:
    """Gives what is wrong with each kind of which there is one CDR."""
    tomorrow = _stamp(charge.end + timedelta(days=1))
    return {
        CdrKind.UNKNOWN_SESSION: {"SessionID": str(uuid4())},
        CdrKind.CONTRADICTORY: {"ConsumedEnergy": told.energy + 5},
        CdrKind.IMPLAUSIBLE_TIMES: {
            f"{name}{end}": body.get(f"{name}{other}") for name in _SPANS for end, other in _SWAPPED
        },
        CdrKind.FUTURE: {"ChargingEnd": tomorrow, "SessionEnd": tomorrow},
        CdrKind.IMPLAUSIBLE_ENERGY: _metered(999.0),
        CdrKind.FOREIGN_EVSE: {"EvseID": _FOREIGN_EVSE},
    }


_SPANS: Final = ("Charging", "Session")
_SWAPPED: Final = (("Start", "End"), ("End", "Start"))


def _metered(energy: float) -> dict[str, float]:
    return {"MeterValueStart": 100.0, "MeterValueEnd": round(100.0 + energy, 3), "ConsumedEnergy": round(energy, 3)}


def _changed(body: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in (body | extra).items() if value is not None}


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
