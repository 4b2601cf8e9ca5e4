"""Asking Hubject for a driver: eRoamingAuthorizeStart and Stop out, what Hubject says to them in (OICP 2.3)."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from mappings.canonical.cdrs import CdrLocation
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.tokens import Identification, Pin
from mappings.oicp.status_codes import CODES, Meaning
from mappings.oicp.v2_3 import forms, process, tokens
from mappings.oicp.v2_3.messages import read_acknowledgement
from mappings.oicp.v2_3.values import listed
from mappings.oicp.v2_3.vocabulary import AuthorizationStatus
from mappings.oicp.v2_3.wire import Record
from mappings.oicp.v2_3.wire_charging import Authorization
from mappings.report import Issue, IssueKind, Refused, Report

SUCCESS = "000"


class Authorisation(NamedTuple):
    """What Hubject said of a driver.

    Attributes:
        authorised: Yes or no; None where the body says neither, so that only its code is known.
        code: Three digits; None where there is none.
        text: Of the code, for a person.
        leg: How Hubject names the charge. Its `hub_session` is there whenever a start is authorised.
        stop_with: What else may stop it.
    """

    authorised: bool | None
    code: str | None
    text: str
    leg: Leg
    stop_with: tuple[Identification, ...] = ()

    @property
    def meaning(self) -> Meaning | None:
        """The code's line in the table; None for a code that OICP 2.3 does not have."""
        return None if self.code is None else CODES.get(self.code)


# Out


def start_from_canonical(
    operator: PartyId,
    place: CdrLocation,
    identification: Identification,
    pin: Pin | None = None,
    *,
    own_session: str | None = None,
    product: str | None = None,
) -> tuple[Record, list[Issue]]:
    """Writes an eRoamingAuthorizeStart.

    Args:
        operator: The party of the connection's certificate.
        place: The EVSE. OICP may be asked without its EvseID, and no CDR may be sent without: so none, no question.
        identification: The driver; a card is said by its UID alone, as OICP demands here.
        pin: For a QR code, in clear text.
        own_session: Our id of the session to be (CPOPartnerSessionID).
        product: The price that the driver chose.

    Raises:
        Refused: OICP has no word for the driver, or the EVSE or the product cannot be said.
    """
    report = Report()
    who, issues = tokens.asking(identification, pin)
    report.issues += issues
    record: Record = {"OperatorID": operator.normal, "Identification": who}
    if own_session:
        record["CPOPartnerSessionID"] = own_session
    record["EvseID"] = process.evse(place, report)
    return record | process.product(product, "product", report), report.issues


def stop_from_canonical(
    operator: PartyId, place: CdrLocation, identification: Identification, leg: Leg, pin: Pin | None = None
) -> tuple[Record, list[Issue]]:
    """Writes an eRoamingAuthorizeStop.

    Args:
        identification: Who wants to stop the charge.
        leg: How Hubject names the charge.

    Raises:
        Refused: OICP has no word for the driver, or the leg has no SessionID.
    """
    report = Report()
    record = process.names(leg, None, report)
    who, issues = tokens.asking(identification, pin)
    report.issues += issues
    record |= {"OperatorID": operator.normal, "Identification": who}
    try:
        record["EvseID"] = process.evse(place, Report())
    except Refused as refusal:
        # Optional here; the SessionID says what is to be stopped.
        report.add(IssueKind.LEFT_OUT, refusal.reason.field, refusal.reason.detail, refusal.reason.value)
    return record, report.issues


# In


def start_to_canonical(
    body: Any, asked: Identification, own_session: str | None = None, product: str | None = None
) -> tuple[Authorisation | None, list[Issue]]:
    """Reads the answer to an eRoamingAuthorizeStart, whatever its HTTP status.

    Args:
        body: The parsed JSON.
        asked: Whom it was asked for.
        own_session: Our id that was sent.
        product: That was sent.

    Returns:
        None in the place of the authorisation where the body is none and has no status code either.

    Raises:
        Refused: The driver is authorised, but no SessionID is told by which the charge could be spoken of.
    """
    return _read(body, Leg(own_session=own_session, identification=asked, product=product), starting=True)


def stop_to_canonical(body: Any, leg: Leg) -> tuple[Authorisation | None, list[Issue]]:
    """Reads the answer to an eRoamingAuthorizeStop, whatever its HTTP status; the leg stays as it was.

    Returns:
        None in the place of the authorisation where the body is none and has no status code either.
    """
    return _read(body, leg, starting=False)


def _read(body: Any, leg: Leg, *, starting: bool) -> tuple[Authorisation | None, list[Issue]]:
    report = Report()
    said = read_acknowledgement(body)
    fields: Record = forms.fields(Authorization, body)[0] if isinstance(body, Mapping) else {}
    authorised = _status(fields.get("AuthorizationStatus"), report)
    if said is None and authorised is None:
        return None, report.issues
    code, told = (said.code, said.text) if said is not None else (None, "")
    if authorised is not None and code is not None and authorised != (code == SUCCESS):
        report.add(IssueKind.SUSPECT, "StatusCode.Code", f"beside {fields['AuthorizationStatus']}", code)
    if not starting:
        return Authorisation(authorised, code, told, leg), report.issues
    if authorised:
        leg = leg.model_copy(
            update={
                "hub_session": process.read_session_id(fields.get("SessionID"), "SessionID", report),
                "emsp_session": process.read_partner_session(
                    fields.get("EMPPartnerSessionID"), "EMPPartnerSessionID", report
                ),
                "emsp": process.read_party(fields.get("ProviderID"), "ProviderID", report),
            }
        )
    return Authorisation(authorised, code, told, leg, _stop_with(fields, leg.emsp, report)), report.issues


def _status(given: Any, report: Report) -> bool | None:
    words = {status.value.casefold(): status for status in AuthorizationStatus}
    status = words.get(str(given).strip().casefold())
    if status is None:
        if given is not None:
            report.add(IssueKind.UNKNOWN, "AuthorizationStatus", "neither Authorized nor NotAuthorized", given)
        return None
    if status.value != given:
        report.add(IssueKind.MENDED, "AuthorizationStatus", "spelt in another case", given)
    return status is AuthorizationStatus.AUTHORIZED


def _stop_with(fields: Record, provider: PartyId | None, report: Report) -> tuple[Identification, ...]:
    found: list[Identification] = []
    for n, item in enumerate(listed(fields.get("AuthorizationStopIdentifications"))):
        path = f"AuthorizationStopIdentifications[{n}]"
        try:
            presented, issues = tokens.to_canonical(item, provider, path)
        except Refused as refusal:
            report.issues += refusal.issues[:-1]
            report.add(IssueKind.LEFT_OUT, refusal.reason.field, refusal.reason.detail)
            continue
        report.issues += issues
        found.append(presented.identification)
    return tuple(found)
