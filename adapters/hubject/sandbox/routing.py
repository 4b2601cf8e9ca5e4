"""What of a CPO Hubject passes on to the EMPs that are its partners: authorisations, notifications, CDRs.

What it adds to an EMP's URL is `/api/oicp` and the path of the operation (OICP 2.3 EMP, Code Snippets).
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from adapters.hubject.sandbox import rules_charging
from adapters.hubject.sandbox.drivers import NO_ANSWER, NO_CONTRACT, NO_PARTNER, NO_YES, Driver, no_code
from adapters.hubject.sandbox.memory import Refusal
from adapters.hubject.sandbox.partners import Provider, Service
from adapters.hubject.sandbox.selections import party
from adapters.hubject.sandbox.state import SESSIONS, HubjectSandbox
from mappings.canonical.ids import ContractId, PartyId

_START, _STOP = (f"charging/v21/operators/{{}}/authorize/{verb}" for verb in ("start", "stop"))
_CDR: Final = "cdrmgmt/v22/operators/{}/charge-detail-record"
_NOTIFICATION: Final = "notificationmgmt/v11/charging-notifications"
ASKED_START, ASKED_STOP = "emp_authorise_start", "emp_authorise_stop"
TOLD_CDR, TOLD_NOTIFICATION = "emp_charge_detail_record", "emp_charging_notification"
"""Under what the answers of EMPs are counted."""


class Yes(NamedTuple):
    """An EMP's yes to a start.

    Attributes:
        provider: As it names itself, which may be a sub-provider.
        offline: Whether Hubject said it for the EMP.
        stop_with: Identifications that may stop the session too.
    """

    provider: PartyId
    partner_session: str | None = None
    stop_with: Sequence[dict[str, Any]] = ()
    offline: bool = False


async def authorised(sandbox: HubjectSandbox, operator: PartyId, body: dict[str, Any]) -> Yes | Refusal:
    """Finds out whether a driver may charge.

    First by what EMPs uploaded, then by asking the EMP that the EvcoID names, else by asking all of them.

    Args:
        body: The eRoamingAuthorizeStart, with the SessionID that the session would have.
    """
    identification = body["Identification"]
    kind, shown = rules_charging.medium(identification)
    owner = sandbox.authentication_data.owner(identification)
    if owner is not None and sandbox.agreed(owner, Service.AUTHORISATION, operator):
        return Yes(owner, offline=True)

    def subscribed(provider: PartyId) -> bool:
        return sandbox.agreed(provider, Service.AUTHORISATION, operator)

    named = ContractId(shown["EvcoID"]).party if "EvcoID" in shown else None
    if named is not None:
        theirs = next((each for each in sandbox.providers.values() if each.has(named)), None)
        if theirs is not None:
            if not sandbox.agreed(theirs.provider, Service.AUTHORISATION, operator):
                return Refusal(NO_CONTRACT, f"{theirs.provider} is not the subscriber")
            return await _asked(sandbox, operator, theirs, body) if theirs.url else Refusal(no_code(kind), "not known")
        verdict = await sandbox.emps.ask(identification, subscribed)
        if verdict.code != NO_PARTNER or not sandbox.providers:
            return _played(verdict.driver) if verdict.driver else Refusal(verdict.code, "no EMP has said yes")
    return await _broadcast(sandbox, operator, body, kind, to_played=named is None)


async def _broadcast(
    sandbox: HubjectSandbox, operator: PartyId, body: dict[str, Any], kind: str, *, to_played: bool
) -> Yes | Refusal:
    """Asks every EMP that has a contract with the CPO; one yes is enough."""

    def under_contract(provider: PartyId) -> bool:
        return sandbox.agreed(provider, Service.AUTHORISATION, operator)

    async def play() -> Yes | Refusal:
        verdict = await sandbox.emps.ask(body["Identification"], under_contract)
        return _played(verdict.driver) if verdict.driver else Refusal(verdict.code, "no EMP has said yes")

    subscribed = [each for each in sandbox.providers.values() if each.url and under_contract(each.provider)]
    online_emps = any(each.url for each in sandbox.providers.values())
    if online_emps and not subscribed and not sandbox.emps.drivers:
        return Refusal(NO_CONTRACT, "no EMP is the subscriber")
    # Whoever is asked may answer to the end: a real hub does not hang up because somebody else was faster.
    asked = [sandbox.outbound.started(_asked(sandbox, operator, each, body)) for each in subscribed]
    if to_played and (sandbox.emps.drivers or not asked):
        asked.append(sandbox.outbound.started(play()))
    waiting = set(asked)
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in (each for each in asked if each in done):
            if isinstance(said := task.result(), Yes):
                return said
    # In the order in which they were asked, so that it does not depend on who was faster which no the CPO gets.
    told = [said for task in asked if not isinstance(said := task.result(), Yes)]
    # OICP 2.3 EMP, eRoamingAuthorizeStart: whoever cannot be addressed counts as having said no.
    codes = {each.code for each in told} - {NO_ANSWER, NO_YES}
    telling = codes - {no_code(kind)} or codes
    return next((each for each in told if each.code in telling), Refusal(NO_YES, "no EMP has said yes"))


def _played(driver: Driver) -> Yes:
    stoppers = [_stopper(each) for each in driver.stop_with]
    return Yes(driver.provider, driver.partner_session, stoppers, driver.offline)


def _stopper(text: str) -> dict[str, Any]:
    if ContractId(text).party is None:
        return {"RFIDMifareFamilyIdentification": {"UID": text}}
    return {"RemoteIdentification": {"EvcoID": text}}


async def _asked(sandbox: HubjectSandbox, operator: PartyId, provider: Provider, body: dict[str, Any]) -> Yes | Refusal:
    answer = await _posted(sandbox, provider, _START, operator, body, sandbox.patience)
    # OICP 2.3 EMP, eRoamingAuthorizeStart: an EMP that cannot be addressed counts as having said no.
    if isinstance(answer, str):
        return _no_answer(sandbox, ASKED_START, answer)
    if wrong := rules_charging.shape_of_authorisation(answer):
        return _malformed(sandbox, ASKED_START, str(wrong))
    code = answer["StatusCode"]["Code"]
    if answer["AuthorizationStatus"] != "Authorized":
        sandbox.counted(ASKED_START, code)
        return Refusal(code if code != "000" else NO_YES, answer["StatusCode"].get("AdditionalInfo") or "said the EMP")
    named = PartyId(answer["ProviderID"]) if answer.get("ProviderID") else None
    if not provider.has(named):
        return _malformed(sandbox, ASKED_START, f"the ProviderID is {answer.get('ProviderID')}")
    sandbox.counted(ASKED_START, "ok")
    stoppers = answer.get("AuthorizationStopIdentifications") or ()
    return Yes(provider.provider, answer.get("EMPPartnerSessionID"), stoppers)


async def stop_authorised(
    sandbox: HubjectSandbox, operator: PartyId, provider: Provider, body: dict[str, Any]
) -> Refusal | None:
    """Asks the EMP of a session whether it may be stopped; gives its no, or None for its yes."""
    answer = await _posted(sandbox, provider, _STOP, operator, body, sandbox.patience)
    if isinstance(answer, str):
        return _no_answer(sandbox, ASKED_STOP, answer)
    if wrong := rules_charging.shape_of_authorisation(answer):
        return _malformed(sandbox, ASKED_STOP, str(wrong))
    code = answer["StatusCode"]["Code"]
    yes = answer["AuthorizationStatus"] == "Authorized"
    sandbox.counted(ASKED_STOP, "ok" if yes else code)
    return None if yes else Refusal(code if code != "000" else NO_YES, "said the EMP")


def online(sandbox: HubjectSandbox, provider: str | None) -> Provider | None:
    """Finds the EMP of a session, where it is a partner that can be called."""
    found = sandbox.providers.get(provider or "")
    return found if found is not None and found.url else None


async def told_of_cdr(sandbox: HubjectSandbox, operator: PartyId, provider: Provider, body: dict[str, Any]) -> bool:
    """Forwards a CDR; tells whether the EMP has acknowledged it."""
    answer = await _posted(sandbox, provider, _CDR, operator, body, sandbox.forward_patience)
    return _acknowledged(sandbox, TOLD_CDR, answer)["Result"] is True


async def told_of_notification(
    sandbox: HubjectSandbox, operator: PartyId, provider: Provider, body: dict[str, Any]
) -> dict[str, Any]:
    """Forwards a notification; gives what the EMP acknowledges, which is what the CPO gets."""
    answer = await _posted(sandbox, provider, _NOTIFICATION, operator, body, sandbox.forward_patience)
    return _acknowledged(sandbox, TOLD_NOTIFICATION, answer)


def _acknowledged(sandbox: HubjectSandbox, name: str, answer: Any) -> dict[str, Any]:
    refusal = None
    if isinstance(answer, str):
        refusal = _no_answer(sandbox, name, answer)
    elif wrong := rules_charging.shape_of_acknowledgment(answer):
        refusal = _malformed(sandbox, name, str(wrong))
    if refusal is not None:
        return {"Result": False, "StatusCode": {"Code": refusal.code, "AdditionalInfo": refusal.text[:1000]}}
    sandbox.counted(name, "ok" if answer["Result"] else answer["StatusCode"]["Code"])
    told: dict[str, Any] = answer
    return told


async def _posted(
    sandbox: HubjectSandbox, provider: Provider, path: str, operator: PartyId, body: dict[str, Any], patience: float
) -> Any:
    url = f"{(provider.url or '').rstrip('/')}/api/oicp/{path.format(quote(operator.normal, safe='*'))}"
    first, *others = await sandbox.outbound.posts(url, body, patience)
    if any(each != first for each in others):
        sandbox.counted("emp_answers", "contradicted")
    return first


def _no_answer(sandbox: HubjectSandbox, name: str, text: str) -> Refusal:
    sandbox.counted(name, "no answer")
    return Refusal(NO_ANSWER, text)


def _malformed(sandbox: HubjectSandbox, name: str, text: str) -> Refusal:
    sandbox.counted(name, "malformed answer")
    return Refusal(NO_ANSWER, text)


def provider_of(sandbox: HubjectSandbox, session_id: str) -> str | None:
    """Tells whose session it is, in normal form."""
    told = sandbox.memory[SESSIONS].get(session_id, {}).get("ProviderID")
    return None if told is None else party(told)
