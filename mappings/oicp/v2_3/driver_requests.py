"""What Hubject asks an EMP of its drivers, and the answers: eRoamingAuthorizeStart and Stop in, their yes or no out.

OICP 2.3, EMP Services and Operations. `authorisations` is the same from the CPO's side.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.tokens import Identification, Pin, TokenType
from mappings.oicp.status_codes import CODES
from mappings.oicp.v2_3 import forms, process, tokens
from mappings.oicp.v2_3.authorisations import SUCCESS
from mappings.oicp.v2_3.texts import cut
from mappings.oicp.v2_3.vocabulary import AuthorizationStatus
from mappings.oicp.v2_3.wire import Record
from mappings.oicp.v2_3.wire_charging import Authorize
from mappings.report import Issue, IssueKind, Refused, Report

_INFO_LENGTH: Final = 1000

UNKNOWN_DRIVER: Final[Mapping[TokenType, str]] = MappingProxyType(
    {
        TokenType.RFID: "102",
        TokenType.QR_CODE: "101",
        TokenType.PLUG_AND_CHARGE: "105",
        # No code of OICP's is for these: nobody said yes.
        TokenType.APP_USER: "106",
        TokenType.AD_HOC_USER: "106",
        TokenType.OTHER: "106",
    }
)
"""The code for a driver whom we do not know, by what they hold up."""


class DriverRequest(NamedTuple):
    """A driver at somebody's station, as Hubject asks for them.

    Attributes:
        cpo: Whose station.
        evse_id: Which; None where it is not told, or in no form of OICP's.
        pin: That came with a QR code; passed on, never kept.
        leg: The driver, and what Hubject and the CPO call the charge: `hub_session`, `own_session` (the CPO's)
            and the product. Of a start Hubject may tell no session.
    """

    cpo: PartyId
    evse_id: EvseId | None
    pin: Pin | None
    leg: Leg


# In


def start_to_canonical(body: Any) -> tuple[DriverRequest, list[Issue]]:
    """Reads an eRoamingAuthorizeStart.

    Raises:
        Refused: The driver or the operator is missing or wrong, or a SessionID is none of Hubject's.
    """
    return _read(body, session_needed=False)


def stop_to_canonical(body: Any) -> tuple[DriverRequest, list[Issue]]:
    """Reads an eRoamingAuthorizeStop.

    Raises:
        Refused: As `start_to_canonical`, or there is no SessionID.
    """
    return _read(body, session_needed=True)


def _read(body: Any, *, session_needed: bool) -> tuple[DriverRequest, list[Issue]]:
    report = Report()
    if not isinstance(body, Mapping):
        raise report.refuse("", "not an object")
    fields, unknown = forms.fields(Authorize, body)
    for name in unknown:
        report.add(IssueKind.UNKNOWN, name, "a field that OICP 2.3 does not have")
    session: str | None = None
    if session_needed or "SessionID" in fields:
        session = process.read_session_id(fields.get("SessionID"), "SessionID", report)
    evse_id = _evse(fields.get("EvseID"), report)
    cpo = process.read_party(fields.get("OperatorID"), "OperatorID", report) or (evse_id.party if evse_id else None)
    if cpo is None:
        raise report.refuse("OperatorID", "missing, and no EvseID names the operator")
    try:
        presented, issues = tokens.to_canonical(fields.get("Identification"))
    except Refused as refusal:
        refusal.issues[:0] = report.issues
        raise
    report.issues += issues
    leg = Leg(
        hub_session=session,
        own_session=process.read_partner_session(fields.get("CPOPartnerSessionID"), "CPOPartnerSessionID", report),
        emsp_session=process.read_partner_session(fields.get("EMPPartnerSessionID"), "EMPPartnerSessionID", report),
        emsp=presented.identification.party,
        identification=presented.identification,
        product=process.read_product(fields.get("PartnerProductID"), "PartnerProductID", report),
    )
    return DriverRequest(cpo, evse_id, presented.pin, leg), report.issues


def _evse(given: Any, report: Report) -> EvseId | None:
    """Reads the EvseID, which is optional: a driver is not turned away for one that is wrong."""
    if given is None:
        return None
    try:
        return process.read_evse(given, "EvseID", Report())
    except Refused as refusal:
        report.add(IssueKind.UNKNOWN, refusal.reason.field, refusal.reason.detail, refusal.reason.value)
        return None


# Out


def start_from_canonical(
    code: str,
    provider: PartyId | None,
    leg: Leg | None,
    *,
    text: str | None = None,
    stop_with: Sequence[Identification] = (),
) -> tuple[Record, list[Issue]]:
    """Writes the eRoamingAuthorizationStart that answers an eRoamingAuthorizeStart.

    Args:
        code: One of `status_codes.CODES`; 000 is a yes, any other a no.
        provider: The party of the connection's certificate; only a yes names it, and has to.
        leg: The names of the charge, given back with ours (`emsp_session`, sent with a yes); None where the question
            could not be read.
        text: For a person, beside the code's own.
        stop_with: What else may stop the charge; one that OICP has no word for is left out, with an issue.
    """
    record, report = _answer(code, provider, leg, text)
    allowed: list[Record] = []
    for n, medium in enumerate(stop_with if code == SUCCESS else ()):
        try:
            written, issues = tokens.from_canonical(medium, f"stop_with[{n}]")
        except Refused as refusal:
            report.add(IssueKind.LEFT_OUT, refusal.reason.field, refusal.reason.detail)
            continue
        report.issues += issues
        allowed.append(written)
    if allowed:
        record["AuthorizationStopIdentifications"] = allowed
    return record, report.issues


def stop_from_canonical(
    code: str, provider: PartyId | None, leg: Leg | None, *, text: str | None = None
) -> tuple[Record, list[Issue]]:
    """Writes the eRoamingAuthorizationStop that answers an eRoamingAuthorizeStop; arguments as for a start."""
    record, report = _answer(code, provider, leg, text)
    return record, report.issues


def _answer(code: str, provider: PartyId | None, leg: Leg | None, text: str | None) -> tuple[Record, Report]:
    report = Report()
    authorised = code == SUCCESS
    status = AuthorizationStatus.AUTHORIZED if authorised else AuthorizationStatus.NOT_AUTHORIZED
    record: Record = {
        "AuthorizationStatus": status.value,
        "StatusCode": {"Code": code, "Description": CODES[code].text},
    }
    if text:
        record["StatusCode"]["AdditionalInfo"] = cut(text, _INFO_LENGTH, "text", report)
    if authorised:
        if provider is None:
            raise ValueError("a yes without a provider")
        record["ProviderID"] = process.provider_id(provider)
    if leg is not None:
        names = {
            "SessionID": leg.hub_session,
            "CPOPartnerSessionID": leg.own_session,
            "EMPPartnerSessionID": leg.emsp_session if authorised else None,
        }
        record |= {name: value for name, value in names.items() if value}
    return record, report
