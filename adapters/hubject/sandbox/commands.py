"""Commands of EMPs on their way to the CPO: what Hubject checks, what it passes on, and what it makes of the answer.

It checks in this order (OICP 2.3, eRoamingAuthorizeRemoteStart): the EVSE's operator unknown (300), no contract (210),
an EVSE that was not pushed (603) or is not for Hubject (604), another provider's EvcoID (019); of a stop, a session
that is unknown, another EMP's, or has its CDR (400).
"""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Final, NamedTuple
from urllib.parse import quote

import pydantic_core
from pydantic import BaseModel, ConfigDict, Field

from adapters.hubject.sandbox import rules_charging
from adapters.hubject.sandbox.drivers import NO_ANSWER, NO_CONTRACT, NO_PARTNER
from adapters.hubject.sandbox.memory import Refusal
from adapters.hubject.sandbox.partners import Provider, Service
from adapters.hubject.sandbox.selections import party
from adapters.hubject.sandbox.sessions import BILLED, CANCELLED, OPEN, STOPPED, new_session
from adapters.hubject.sandbox.state import SESSIONS, HubjectSandbox, without_nulls
from mappings.canonical.ids import ContractId, EvseId, PartyId

_CHARGING, _RESERVATION = "charging/v21/providers/{}/authorize-remote", "reservation/v11/providers/{}"


class Begin(NamedTuple):
    """A command that makes a session.

    Attributes:
        path: Below the CPO's URL.
        origin: What the session says of how it came about.
        service: What a contract is needed for.
        emp_session: OICP's OpenAPI spells this field in another way in a reservation.
    """

    name: str
    path: str
    origin: str
    service: Service
    emp_session: str


class End(NamedTuple):
    """A command that ends a session, and the state of the session after it."""

    name: str
    path: str
    state: str


START: Final = Begin("remote_start", f"{_CHARGING}/start", "RemoteStart", Service.AUTHORISATION, "EMPPartnerSessionID")
RESERVE: Final = Begin(
    "reserve",
    f"{_RESERVATION}/reservation-start-request",
    "Reservation",
    Service.RESERVATION,
    "EMPPartnerSessionId",
)
STOP: Final = End("remote_stop", f"{_CHARGING}/stop", STOPPED)
CANCEL: Final = End("cancel_reservation", f"{_RESERVATION}/reservation-stop-request", CANCELLED)


class Drive(BaseModel):
    """What all commands that the sandbox is told to play take.

    Attributes:
        url: The gateway's URL for the connection; the CPO's, or the sandbox's setting, where it is left out.
        late: Seconds after which the command is sent.
        repeat: Sends it twice with the same SessionID, as the fault `repeat` does; the answers must be the same.
        force: Passes on what Hubject would refuse.
        extra: Fields to set, or with null to take away, in the message.
    """

    model_config = ConfigDict(extra="forbid")

    url: str | None = None
    late: Annotated[float, Field(ge=0, le=3600)] = 0.0
    repeat: bool = False
    force: bool = False
    extra: dict[str, Any] = {}


class Cpo(NamedTuple):
    """Whose EVSE it is.

    Attributes:
        operator: In normal form.
        url: Where its gateway is; None for a played one, and where nobody told.
    """

    operator: str
    url: str | None
    played: bool


class Said(NamedTuple):
    """What came of a command.

    Attributes:
        result: Whether it was accepted; None where nobody knows.
        body: The eRoamingAcknowledgment that the EMP gets; None where there can be none.
        problem: Why not, and the HTTP status for it.
    """

    result: bool | None
    body: dict[str, Any] | None
    problem: tuple[int, str] | None = None


class ToEvse(NamedTuple):
    """What a `Begin` says.

    Attributes:
        session: A SessionID that is repeated; None for a new one.
    """

    evse: EvseId
    contract: ContractId
    session: str | None = None
    emp_session: str | None = None
    product: str | None = None
    minutes: int | None = None


def cpo_of(sandbox: HubjectSandbox, evse_id: EvseId) -> Cpo | None:
    """Derives the operator from an EvseID: who pushed it or has it, else whose id it bears."""
    partners = list(sandbox.partners.values())
    row = sandbox.network.row(evse_id.normal)
    if row is not None and (owner := sandbox.network.owner(row)).played:
        return Cpo(party(owner.id), None, played=True)
    pushed = next((each for each in partners if row is not None and each.operator.normal == owner.id), None)
    own = next((each for each in partners if each.operator == evse_id.party), None)
    partner = pushed or own or next((each for each in partners if each.may_push(evse_id)), None)
    if evse_id.party is not None and sandbox.played.knows(evse_id.party.normal):
        return Cpo(evse_id.party.normal, None, played=True)
    if partner is None:
        return None
    return Cpo(partner.operator.normal, partner.url or sandbox.gateway, played=False)


def cpo_named(sandbox: HubjectSandbox, operator: str) -> Cpo:
    """Finds an operator by its normal form; one that is no partner is a played one."""
    partner = sandbox.partners.get(operator)
    if partner is None:
        return Cpo(operator, None, played=True)
    return Cpo(operator, partner.url or sandbox.gateway, played=False)


def refusal_of(
    sandbox: HubjectSandbox, provider: Provider, command: Begin, asked: ToEvse, cpo: Cpo | None
) -> Refusal | None:
    """Says why Hubject itself refuses, in the order of its checks."""
    if cpo is None:
        return Refusal(NO_PARTNER, "no CPO has this EvseID")
    operator = _party(cpo.operator)
    agreed = sandbox.agreed(provider.provider, command.service, operator)
    if not agreed or not sandbox.emps.agreed(provider.provider):
        return Refusal(NO_CONTRACT, f"{provider.provider} is not the subscriber")
    row = sandbox.network.row(asked.evse.normal)
    if row is None and (cpo.played or not sandbox.knows(cpo.operator, asked.evse)):
        return Refusal("603", f"no EVSE data: {asked.evse}")
    if row is not None:
        kept = sandbox.network.kept(row)
        record: Mapping[str, Any] = pydantic_core.from_json(kept) if isinstance(kept, bytes) else kept
        if record.get("IsHubjectCompatible", True) is not True:
            return Refusal("604", f"{asked.evse} is not for Hubject")
    if not provider.has(asked.contract.party):
        return Refusal("019", f"the EvcoID is not of {provider.provider}")
    return None


def _party(text: str) -> PartyId | None:
    try:
        return PartyId(text)
    except ValueError:
        return None


async def begin(
    sandbox: HubjectSandbox, provider: Provider, command: Begin, asked: ToEvse, drive: Drive | None = None
) -> Said:
    """Starts a charge, or reserves."""
    drive = drive or Drive()
    cpo = cpo_of(sandbox, asked.evse)
    refusal = refusal_of(sandbox, provider, command, asked, cpo)
    if refusal is not None and not drive.force:
        return by_hub(sandbox, command.name, refusal)
    identification = {"RemoteIdentification": {"EvcoID": asked.contract.text}}
    about = {
        "OperatorID": cpo.operator if cpo else None,
        "ProviderID": provider.provider.normal,
        "EvseID": asked.evse.text,
        "Identification": identification,
        "CPOPartnerSessionID": None,
        "EMPPartnerSessionID": asked.emp_session,
        "PartnerProductID": asked.product,
        "Origin": command.origin,
    }
    session, known = asked.session, asked.session in sandbox.memory[SESSIONS]
    if session is None or not known:
        # Before it is sent: the CPO may tell of the session before its answer has arrived.
        session = new_session(sandbox, about, session)
    body = {
        "SessionID": session,
        "ProviderID": written(provider.provider),
        "EvseID": asked.evse.text,
        "Identification": identification,
        command.emp_session: asked.emp_session,
        "PartnerProductID": asked.product,
        "Duration": asked.minutes,
    }
    said = await _sent(sandbox, cpo, command, provider.provider, body, drive)
    if said.result is False and not known:
        sandbox.memory[SESSIONS].pop(session, None)
    return said


async def end(
    sandbox: HubjectSandbox, provider: PartyId, command: End, session_id: str, evse: EvseId, drive: Drive | None = None
) -> Said:
    """Stops a charge, or cancels a reservation."""
    drive = drive or Drive()
    session = sandbox.memory[SESSIONS].get(session_id)
    # CPO Services and Operations: a RemoteStop after the CDR is answered by 400.
    right = session is not None and session["State"] != BILLED and session["ProviderID"] == provider.normal
    if not right and not drive.force:
        return no_session(sandbox, command)
    body = {
        "SessionID": session_id,
        "ProviderID": written(provider),
        "EvseID": evse.text,
        "CPOPartnerSessionID": (session or {}).get("CPOPartnerSessionID"),
    }
    operator = (session or {}).get("OperatorID")
    cpo = cpo_named(sandbox, operator) if operator else cpo_of(sandbox, evse)
    said = await _sent(sandbox, cpo, command, provider, body, drive)
    if said.result and session is not None and session["State"] == OPEN:
        session["State"] = command.state
    return said


def no_session(sandbox: HubjectSandbox, command: End) -> Said:
    """Makes the refusal of a session that nobody knows."""
    return by_hub(sandbox, command.name, Refusal("400", "no such session of this EMP, or it has its CDR"))


def by_hub(sandbox: HubjectSandbox, name: str, refusal: Refusal) -> Said:
    """Makes Hubject's own refusal, and counts it."""
    sandbox.counted(name, refusal.code)
    return Said(False, {"Result": False, "StatusCode": without_nulls(*refusal)})


async def _sent(
    sandbox: HubjectSandbox,
    cpo: Cpo | None,
    command: Begin | End,
    provider: PartyId,
    body: dict[str, Any],
    drive: Drive,
) -> Said:
    body = {field: value for field, value in (body | drive.extra).items() if value is not None}
    base = drive.url or (cpo.url if cpo else sandbox.gateway)
    if drive.late:
        await asyncio.sleep(drive.late)
    if cpo is not None and cpo.played and drive.url is None:
        answers = [await sandbox.played.answer(cpo.operator, body)]
    elif base is None:
        return Said(None, None, (409, "no url is given, and the sandbox knows no gateway"))
    else:
        url = f"{base.rstrip('/')}/{command.path.format(quote(written(provider)))}"
        answers = await sandbox.outbound.posts(url, body, sandbox.command_patience, repeat=drive.repeat)
    return _made_of(sandbox, command.name, body.get("SessionID"), answers)


def _made_of(sandbox: HubjectSandbox, name: str, session_id: Any, answers: list[Any]) -> Said:
    first = answers[0]
    if isinstance(first, str):
        sandbox.counted(name, "no answer")
        # OICP 2.3, eRoamingAuthorizeRemoteStart: a false result and a message of the connection's error.
        return Said(None, {"Result": False, "StatusCode": without_nulls(NO_ANSWER, first)})
    if any(each != first for each in answers[1:]):
        sandbox.counted(name, "contradicted")
        return Said(None, None, (502, f"the answers to one SessionID differ: {answers}"))
    if wrong := rules_charging.shape_of_acknowledgment(first):
        sandbox.counted(name, "malformed answer")
        return Said(None, None, (502, f"no eRoamingAcknowledgment: {wrong}"))
    sandbox.counted(name, "ok" if first["Result"] else first["StatusCode"]["Code"])
    session = sandbox.memory[SESSIONS].get(session_id)
    if session is not None and first.get("CPOPartnerSessionID"):
        session["CPOPartnerSessionID"] = first["CPOPartnerSessionID"]
    told = {field: value for field, value in first.items() if value is not None}
    return Said(first["Result"], {"SessionID": session_id} | told)


def written(provider: PartyId) -> str:
    """Writes a ProviderID as OICP does."""
    return f"{provider.country}-{provider.code}"
