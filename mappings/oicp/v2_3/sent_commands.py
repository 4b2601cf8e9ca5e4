"""Commands for our own drivers out, the acknowledgement that answers them in (OICP 2.3, EMP Services and Operations).

A start and a reservation carry no SessionID: Hubject makes it, and tells it in its answer. Its OpenAPI for EMPs
demands one in an eRoamingAuthorizeRemoteStart, which its text says shall not be filled in; the hub goes by its text.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from mappings.canonical.commands import (
    CancelReservation,
    Command,
    CommandAnswer,
    CommandResult,
    EvseRef,
    ReserveNow,
    StartSession,
    StopSession,
)
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.tokens import Identification, TokenType
from mappings.oicp.status_codes import CODES, CodeClass, Meaning
from mappings.oicp.v2_3 import process, tokens
from mappings.oicp.v2_3.authorisations import SUCCESS
from mappings.oicp.v2_3.enums_charging import COMMAND_RESULTS
from mappings.oicp.v2_3.messages import read_acknowledgement
from mappings.oicp.v2_3.vocabulary import CommandCode
from mappings.oicp.v2_3.wire import Record
from mappings.report import Issue, IssueKind, Refused, Report

_LONGEST_MINUTES: Final = 99
_MINUTE: Final = timedelta(minutes=1)

_BY_CLASS: Final[Mapping[CodeClass, CommandResult | None]] = MappingProxyType(
    {
        CodeClass.SUCCESS: CommandResult.ACCEPTED,
        # Hubject failed, or could not be asked like this: nothing is said of the station.
        CodeClass.SYSTEM: None,
        CodeClass.ACCESS: None,
        CodeClass.DATA: None,
        CodeClass.DRIVER: CommandResult.REJECTED,
        CodeClass.CONTRACT: CommandResult.NO_CONTRACT,
        CodeClass.PARTNER: CommandResult.REJECTED,
        CodeClass.SESSION: CommandResult.UNKNOWN_SESSION,
        CodeClass.EVSE: CommandResult.FAILED,
    }
)
_OWN: Final[Mapping[str, CommandResult]] = MappingProxyType(
    {
        **{code.value: COMMAND_RESULTS.to_canonical(code.value) for code in CommandCode},
        "310": CommandResult.TIMEOUT,  # the CPO was silent, and may have begun all the same
        "604": CommandResult.NOT_SUPPORTED,  # the EVSE is not for roaming
    }
)
RESULTS: Final[Mapping[str, CommandResult | None]] = MappingProxyType(
    {code: _OWN.get(code, _BY_CLASS[meaning.kind]) for code, meaning in CODES.items()}
)
"""What every code of OICP 2.3 says of a command; None where it says nothing, since the CPO was not reached."""


class Acknowledged(NamedTuple):
    """What Hubject says to a command.

    Attributes:
        answer: What came of it; None where that is not said: by a code that OICP 2.3 does not have, by one that tells
            of Hubject or of our request, or by a result that contradicts its code.
        code: Three digits; None where there is none.
        text: Of the code, for a person.
        leg: How Hubject names the charge that is to begin; None of what begins none, or was not accepted.
    """

    answer: CommandAnswer | None
    code: str | None
    text: str
    leg: Leg | None = None

    @property
    def meaning(self) -> Meaning | None:
        """The code's line in the table; None for a code that OICP 2.3 does not have."""
        return None if self.code is None else CODES.get(self.code)


# Out


def start_from_canonical(command: StartSession, provider: PartyId) -> tuple[Record, list[Issue]]:
    """Writes an eRoamingAuthorizeRemoteStart.

    Args:
        command: The command; `leg.emsp_session` is our name for the session.
        provider: The party of the connection's certificate.

    Raises:
        Refused: There is no EvseID, the driver has no contract that OICP takes for an EvcoID, or the product is too
            long.
    """
    report = Report()
    return _beginning(command.at, command.leg, provider, report), report.issues


def stop_from_canonical(command: StopSession, provider: PartyId, leg: Leg | None = None) -> tuple[Record, list[Issue]]:
    """Writes an eRoamingAuthorizeRemoteStop.

    Args:
        command: The command.
        provider: The party of the connection's certificate.
        leg: How Hubject names the session; without it the command must name Hubject's session.

    Raises:
        Refused: There is no EvseID, or no SessionID of Hubject's.
    """
    report = Report()
    return _ending(command.session, "session", command.at, provider, leg, report), report.issues


def reservation_from_canonical(command: ReserveNow, provider: PartyId, now: datetime) -> tuple[Record, list[Issue]]:
    """Writes an eRoamingAuthorizeRemoteReservationStart.

    Args:
        command: The command; `leg.emsp_session`, else `reservation`, is our name for it.
        provider: The party of the connection's certificate.
        now: From when on the minutes count.

    Raises:
        Refused: As `start_from_canonical`, or it would have ended already.
    """
    report = Report()
    leg = command.leg
    if leg.emsp_session is None:
        leg = leg.model_copy(update={"emsp_session": command.reservation})
    record = _beginning(command.at, leg, provider, report)
    minutes = -((now - command.expires) // _MINUTE)
    if minutes < 1:
        raise report.refuse("expires", "past", command.expires)
    if minutes > _LONGEST_MINUTES:
        report.add(IssueKind.NARROWED, "expires", f"shortened to OICP's {_LONGEST_MINUTES} minutes", command.expires)
    return record | {"Duration": min(minutes, _LONGEST_MINUTES)}, report.issues


def cancellation_from_canonical(
    command: CancelReservation, provider: PartyId, leg: Leg | None = None
) -> tuple[Record, list[Issue]]:
    """Writes an eRoamingAuthorizeRemoteReservationStop; arguments as for a stop, of the reservation.

    Raises:
        Refused: There is no EvseID, or no SessionID of Hubject's.
    """
    report = Report()
    return _ending(command.reservation, "reservation", command.at, provider, leg, report), report.issues


def _beginning(at: EvseRef, leg: Leg, provider: PartyId, report: Report) -> Record:
    record: Record = {
        "ProviderID": process.provider_id(provider),
        "EvseID": process.told_evse(at.evse_id, "at.evse_id"),
        "Identification": _driver(leg.identification, report),
    }
    if leg.emsp_session:
        record["EMPPartnerSessionID"] = leg.emsp_session
    return record | process.product(leg.product, "leg.product", report)


def _driver(identification: Identification, report: Report) -> Record:
    """Writes the driver by their contract: OICP 2.3, IdentificationType, allows nothing else for a remote start."""
    field = "leg.identification"
    remote = identification.model_copy(update={"type": TokenType.APP_USER})
    record, issues = tokens.from_canonical(remote, field)
    report.issues += issues
    if identification.type is not TokenType.APP_USER:
        report.add(IssueKind.NARROWED, f"{field}.type", "a remote start names the contract alone", identification.type)
    return record


def _ending(named: str, field: str, at: EvseRef | None, provider: PartyId, leg: Leg | None, report: Report) -> Record:
    names: Record = (
        {"SessionID": process.session_id(named, field, report)} if leg is None else process.names(leg, None, report)
    )
    return names | {
        "ProviderID": process.provider_id(provider),
        "EvseID": process.told_evse(at.evse_id if at is not None else None, "at.evse_id"),
    }


# In


def answer_to_canonical(body: Any, command: Command) -> tuple[Acknowledged | None, list[Issue]]:
    """Reads the answer to a command, whatever its HTTP status.

    Args:
        body: The parsed JSON.
        command: What was sent.

    Returns:
        None in the place of the answer where the body is none and has no status code either.
    """
    report = Report()
    said = read_acknowledgement(body)
    if said is None or (said.result is None and said.code is None):
        return None, report.issues
    result = _result(said.result, said.code, command, report)
    leg = _leg(command, said.session_id, said.cpo_session_id, report) if result is CommandResult.ACCEPTED else None
    answer = None if result is None else CommandAnswer(result=result, text=said.text or None)
    return Acknowledged(answer, said.code, said.text, leg), report.issues


def _result(performed: bool | None, code: str | None, command: Command, report: Report) -> CommandResult | None:
    if code is None:
        return CommandResult.ACCEPTED if performed else CommandResult.REJECTED
    if performed is not None and performed != (code == SUCCESS):
        report.add(IssueKind.SUSPECT, "StatusCode.Code", f"beside a result of {str(performed).lower()}", code)
        return None
    if code not in RESULTS:
        report.add(IssueKind.UNKNOWN, "StatusCode.Code", "a code that OICP 2.3 does not have", code)
        return None
    result = RESULTS[code]
    if result is CommandResult.UNKNOWN_SESSION and isinstance(command, ReserveNow | CancelReservation):
        return CommandResult.UNKNOWN_RESERVATION
    return result


def _leg(command: Command, session: str | None, cpo_session: str | None, report: Report) -> Leg | None:
    if not isinstance(command, StartSession | ReserveNow):
        return None
    try:
        named = process.read_session_id(session, "SessionID", report)
    except Refused as refusal:
        # It was accepted all the same; the charge will be known by our own name for it.
        report.add(IssueKind.UNKNOWN, refusal.reason.field, refusal.reason.detail, refusal.reason.value)
        named = None
    own = process.read_partner_session(cpo_session, "CPOPartnerSessionID", report)
    return command.leg.model_copy(update={"hub_session": named, "own_session": own})
