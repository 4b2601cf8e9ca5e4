"""eRoamingChargingNotifications and eRoamingChargeDetailRecord: what a CPO tells of a charge."""

from datetime import datetime
from typing import Any, Final

from aiohttp import web

from adapters.hubject.sandbox import routing, rules_charging
from adapters.hubject.sandbox.drivers import NO_CONTRACT
from adapters.hubject.sandbox.ledger import Filed
from adapters.hubject.sandbox.memory import Refusal
from adapters.hubject.sandbox.partners import Partner
from adapters.hubject.sandbox.partners import Service as Contracted
from adapters.hubject.sandbox.services import OPERATOR, Service, acknowledged, malformed, refused
from adapters.hubject.sandbox.sessions import BILLED, ids, session_of
from adapters.hubject.sandbox.state import CDRS, EVSE_DATA, NOTIFICATIONS, SESSIONS, HubjectSandbox
from mappings.canonical.ids import ContractId, EvseId, PartyId


async def _notification(sandbox: HubjectSandbox, partner: Partner, body: dict[str, Any]) -> web.Response:
    session = session_of(sandbox, partner.operator.normal, body["SessionID"])
    if isinstance(session, Refusal):
        return refused(sandbox, NOTIFICATION, session, body)
    if body["Type"] == "Progress":
        # OICP 2.3, eRoamingChargingNotifications: at least five minutes between two of one session.
        now, last = datetime.fromisoformat(body["EventOccurred"]), session.get("Progress")
        if sandbox.limits and last is not None:
            since = now - datetime.fromisoformat(last)
            if since < rules_charging.BETWEEN_PROGRESS:
                return refused(sandbox, NOTIFICATION, Refusal("022", f"{since} after the one before"), body)
        session["Progress"] = body["EventOccurred"]
    session["Notifications"] = number = session.get("Notifications", 0) + 1
    sandbox.memory[NOTIFICATIONS][f"{body['SessionID']} {number:03}"] = body
    stamp = body.get("EventOccurred") or body.get("ChargingEnd") or body.get("ChargingStart")
    sandbox.received(NOTIFICATIONS, body["SessionID"], body["Type"], stamp)
    if (emp := routing.online(sandbox, session["ProviderID"])) is None:
        return acknowledged(sandbox, NOTIFICATION, body["SessionID"], session)
    # OICP 2.3 EMP, eRoamingChargingNotifications: what the EMP acknowledges is forwarded to the CPO.
    told = await routing.told_of_notification(sandbox, partner.operator, emp, body)
    sandbox.counted(NOTIFICATION.name, "ok" if told["Result"] else told["StatusCode"]["Code"])
    return web.json_response({**ids(body["SessionID"], session), **told})


async def _cdr(sandbox: HubjectSandbox, partner: Partner, body: dict[str, Any]) -> web.Response:
    number, records = body["SessionID"], sandbox.memory[CDRS]
    if (before := records.get(number)) is not None:
        # Only one CDR per SessionID; whether the second says the same, Hubject does not tell.
        sandbox.counted("repeated_cdrs", "same content" if before == body else "other content")
    session = session_of(sandbox, partner.operator.normal, number)
    if isinstance(session, Refusal):
        return refused(sandbox, CDR, session, body)
    if refusal := _foreign_driver(session, body["Identification"]):
        return refused(sandbox, CDR, refusal, body)
    data = sandbox.memory[EVSE_DATA].get(EvseId(body["EvseID"]).normal, {})
    signed = data.get("CalibrationLawDataAvailability") == "External"
    if wrong := rules_charging.contradictions(body, sandbox.wall(), signed=signed):
        return malformed(sandbox, CDR, wrong, body)
    records[number] = body
    session["State"] = BILLED
    sandbox.received(CDRS, number, str(body["ConsumedEnergy"]), body["SessionEnd"])
    await file_cdr(sandbox, partner.operator, session["ProviderID"], body)
    return acknowledged(sandbox, CDR, number, session)


async def file_cdr(
    sandbox: HubjectSandbox, operator: PartyId, provider: str, body: dict[str, Any], *, forward: bool = True
) -> Filed:
    """Keeps a CDR for its EMP, and forwards it where the EMP can be called.

    Whatever the EMP says, the CPO is told that the CDR was taken, since Hubject has stored it (OICP 2.3 EMP,
    eRoamingChargeDetailRecord). To an EMP without a contract nothing is forwarded; it may still ask for it.
    """
    filed = sandbox.ledger.file(Filed(sandbox.wall(), provider, operator.normal, body))
    if forward and not _under_contract(sandbox, operator, provider, body):
        sandbox.counted("forwarded_cdrs", NO_CONTRACT)
        return filed
    if forward and (emp := routing.online(sandbox, provider)) is not None:
        filed.forwarded = await routing.told_of_cdr(sandbox, operator, emp, body)
    return filed


def _under_contract(sandbox: HubjectSandbox, operator: PartyId, provider: str, body: dict[str, Any]) -> bool:
    """Tells whether an EMP may be told of a charge.

    One that Hubject itself let begin was under contract then, and is billed whatever ended since; of another one, an
    active subscription decides where the CPO has offers.
    """
    if body["SessionID"] in sandbox.memory[SESSIONS]:
        return True
    return sandbox.market.agreed(provider, Contracted.AUTHORISATION, operator.normal, sandbox.wall()) is not False


def _foreign_driver(session: dict[str, Any], identification: dict[str, Any]) -> Refusal | None:
    """Says that the EvcoID of a CDR is neither the EMP's nor that of whoever was admitted (019)."""
    text = rules_charging.medium(identification)[1].get("EvcoID")
    if text is None:
        return None
    owner = ContractId(text).party
    admitted = rules_charging.medium(session["Identification"])[1].get("EvcoID")
    if owner == PartyId(session["ProviderID"]) or (admitted is not None and ContractId(admitted).party == owner):
        return None
    return Refusal("019", "the EvcoID is not of the provider of this session")


CDR: Final = Service(
    "charge_detail_record",
    f"cdrmgmt/v22/{OPERATOR}/charge-detail-record",
    350,
    rules_charging.shape_of_cdr,
    authorises=False,
    take=_cdr,
)
NOTIFICATION: Final = Service(
    "charging_notification",
    "notificationmgmt/v11/charging-notifications",
    100,
    rules_charging.shape_of_notification,
    authorises=False,
    take=_notification,
)
