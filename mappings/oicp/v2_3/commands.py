"""Commands of an EMP in, the acknowledgement that answers them out (OICP 2.3, CPO Services and Operations).

The four are eRoamingAuthorizeRemoteStart and Stop, and their sisters for reservations. A reservation is a process of
its own to Hubject, so its SessionID is the reservation's id.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from mappings.canonical.commands import (
    CancelReservation,
    Command,
    CommandAnswer,
    EvseRef,
    ReserveNow,
    StartSession,
    StopSession,
)
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.tokens import Identification
from mappings.oicp.status_codes import CODES
from mappings.oicp.v2_3 import forms, process, tokens
from mappings.oicp.v2_3.enums_charging import COMMAND_RESULTS
from mappings.oicp.v2_3.texts import cut
from mappings.oicp.v2_3.values import number
from mappings.oicp.v2_3.vocabulary import CommandCode
from mappings.oicp.v2_3.wire import Record
from mappings.oicp.v2_3.wire_charging import RemoteCommand
from mappings.report import Issue, IssueKind, Refused, Report

UNAUTHORISED: Final = "017"
FOREIGN_DRIVER: Final = "019"
SYSTEM_ERROR: Final = "021"
DATA_ERROR: Final = "022"
STANDARD_DURATION: Final = timedelta(minutes=15)
"""Of a reservation that names none: OICP leaves the duration to the CPO."""

_LONGEST_MINUTES = 99
_DESCRIPTION_LENGTH = 200
_INFO_LENGTH = 1000

_REFUSALS: Mapping[str, str] = MappingProxyType(
    {"EvseID": CommandCode.UNKNOWN_EVSE, "SessionID": CommandCode.SESSION_INVALID}
)
"""The code for a command that cannot be read, by the field that it fails on."""


# In


def start_to_canonical(body: Any) -> tuple[StartSession, list[Issue]]:
    """Reads an eRoamingAuthorizeRemoteStart.

    Raises:
        Refused: SessionID, EvseID or the driver is missing or wrong, or the product is.
    """
    read = _Reader(body)
    leg = read.leg()
    return StartSession(at=read.at(), emsp=leg.emsp, leg=leg), read.report.issues


def stop_to_canonical(body: Any) -> tuple[StopSession, list[Issue]]:
    """Reads an eRoamingAuthorizeRemoteStop.

    Raises:
        Refused: SessionID or EvseID is missing or wrong.
    """
    read = _Reader(body)
    return StopSession(session=read.session(), emsp=read.provider(), at=read.at()), read.report.issues


def reservation_to_canonical(
    body: Any, now: datetime, standard: timedelta = STANDARD_DURATION
) -> tuple[ReserveNow, list[Issue]]:
    """Reads an eRoamingAuthorizeRemoteReservationStart.

    Args:
        body: The parsed JSON.
        now: When it arrived; the duration counts from then.
        standard: How long a reservation lasts that names no duration.

    Raises:
        Refused: SessionID, EvseID or the driver is missing or wrong, or the product or the duration is.
    """
    read = _Reader(body)
    leg = read.leg()
    command = ReserveNow(
        at=read.at(),
        emsp=leg.emsp,
        leg=leg,
        reservation=read.session(),
        expires=now + read.duration(standard),
    )
    return command, read.report.issues


def cancellation_to_canonical(body: Any) -> tuple[CancelReservation, list[Issue]]:
    """Reads an eRoamingAuthorizeRemoteReservationStop.

    Raises:
        Refused: SessionID or EvseID is missing or wrong.
    """
    read = _Reader(body)
    return CancelReservation(reservation=read.session(), emsp=read.provider(), at=read.at()), read.report.issues


class _Reader:
    """Reads the fields that the four commands share."""

    def __init__(self, body: Any) -> None:
        self.report = Report()
        if not isinstance(body, Mapping):
            raise self.report.refuse("", "not an object")
        self._fields, unknown = forms.fields(RemoteCommand, body)
        for name in unknown:
            self.report.add(IssueKind.UNKNOWN, name, "a field that OICP 2.3 does not have")

    def session(self) -> str:
        return process.read_session_id(self._fields.get("SessionID"), "SessionID", self.report)

    def provider(self) -> PartyId | None:
        return process.read_party(self._fields.get("ProviderID"), "ProviderID", self.report)

    def at(self) -> EvseRef:
        return EvseRef(evse_id=process.read_evse(self._fields.get("EvseID"), "EvseID", self.report))

    def leg(self) -> Leg:
        """Reads the names of the process, the driver and the product."""
        session, provider = self.session(), self.provider()
        driver = self._driver(provider)
        return Leg(
            hub_session=session,
            own_session=self._partner("CPOPartnerSessionID"),
            emsp_session=self._partner("EMPPartnerSessionID"),
            emsp=provider,
            identification=driver,
            product=self._product(),
        )

    def _driver(self, provider: PartyId | None) -> Identification:
        """Reads whom the charge is for; whoever cannot be named again in its CDR is not let in."""
        try:
            presented, issues = tokens.to_canonical(self._fields.get("Identification"), provider)
        except Refused as refusal:
            refusal.issues[:0] = self.report.issues
            raise
        self.report.issues += issues
        try:
            tokens.from_canonical(presented.identification)
        except Refused as refusal:
            raise self.report.refuse("Identification", refusal.reason.detail) from None
        return presented.identification

    def _product(self) -> str | None:
        """Reads the price that the charge is for; one that is too long for its CDR begins none."""
        name = "PartnerProductID"
        given = process.read_product(self._fields.get(name), name, self.report)
        process.product(given, name, self.report)
        return given

    def _partner(self, name: str) -> str | None:
        return process.read_partner_session(self._fields.get(name), name, self.report)

    def duration(self, standard: timedelta) -> timedelta:
        """Reads the minutes of a reservation."""
        given = self._fields.get("Duration")
        if given is None:
            self.report.add(IssueKind.DEFAULTED, "Duration", "missing; the standard duration was taken")
            return standard
        minutes = number(given, "Duration", self.report)
        if minutes is None or minutes != minutes.to_integral_value() or not 1 <= minutes <= _LONGEST_MINUTES:
            raise self.report.refuse("Duration", f"not a number of minutes from 1 to {_LONGEST_MINUTES}", given)
        return timedelta(minutes=int(minutes))


# Out


def answer_from_canonical(answer: CommandAnswer, command: Command) -> tuple[Record, list[Issue]]:
    """Writes the eRoamingAcknowledgment that answers a command.

    Args:
        answer: What the CPO says; its text goes beside the code's own.
        command: The command, whose names are given back.
    """
    report = Report()
    code = COMMAND_RESULTS.from_canonical(answer.result).value
    lost = COMMAND_RESULTS.lost(answer.result)
    if lost:
        report.add(IssueKind.NARROWED, "result", lost, answer.result)
    session, leg = _names(command)
    record = acknowledgment(
        code,
        session_id=session,
        own_session=answer.session_id or (leg.own_session if leg else None),
        emsp_session=leg.emsp_session if leg else None,
    )
    if answer.text:
        record["StatusCode"]["AdditionalInfo"] = cut(answer.text, _INFO_LENGTH, "text", report)
    return record, report.issues


def answer_to_refused(refusal: Refused, body: Any) -> Record:
    """Writes the eRoamingAcknowledgment to a command that cannot be read: 603, 400, else 022, with the field's name."""
    record = acknowledgment(_REFUSALS.get(refusal.reason.field, DATA_ERROR), session_id=_said_session(body))
    record["StatusCode"]["AdditionalInfo"] = str(refusal)[:_INFO_LENGTH]
    return record


def acknowledgment(
    code: str, *, session_id: str | None = None, own_session: str | None = None, emsp_session: str | None = None
) -> Record:
    """Writes an eRoamingAcknowledgment; its result is true for 000 alone.

    Args:
        code: One of `status_codes.CODES`.
        session_id: Hubject's.
        own_session: The CPO's.
        emsp_session: The EMSP's.
    """
    record: Record = {
        "Result": code == CommandCode.SUCCESS,
        "StatusCode": {"Code": str(code), "Description": CODES[code].text[:_DESCRIPTION_LENGTH]},
    }
    names = {"SessionID": session_id, "CPOPartnerSessionID": own_session, "EMPPartnerSessionID": emsp_session}
    return record | {name: value for name, value in names.items() if value}


def _names(command: Command) -> tuple[str | None, Leg | None]:
    if isinstance(command, StartSession | ReserveNow):
        return command.leg.hub_session, command.leg
    if isinstance(command, StopSession):
        return command.session, None
    if isinstance(command, CancelReservation):
        return command.reservation, None
    return None, None


def _said_session(body: Any) -> str | None:
    """Gives back the SessionID of a body that could not be read, where that much could be."""
    fields = forms.fields(RemoteCommand, body)[0] if isinstance(body, Mapping) else {}
    try:
        return process.read_session_id(fields.get("SessionID"), "SessionID", Report())
    except Refused:
        return None
