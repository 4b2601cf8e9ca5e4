"""Pulling the CDRs that Hubject has for an EMP, such as those that it could not forward (OICP 2.3, EMP Services)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from mappings.canonical.ids import PartyId
from mappings.oicp.v2_3 import cdrs, process
from mappings.oicp.v2_3.pages import Answer, Entry, field, page_of, take_apart
from mappings.oicp.v2_3.wire import Record
from mappings.report import Report

_ALMOST_A_SECOND: Final = timedelta(microseconds=999_999)


def asking(
    provider: PartyId,
    since: datetime,
    until: datetime,
    *,
    sessions: Sequence[str] = (),
    operator: PartyId | None = None,
    forwarded: bool | None = None,
) -> Record:
    """Writes an eRoamingGetChargeDetailRecords; `page` from 0 and `size` are parameters of the address.

    Args:
        provider: The party of the connection's certificate.
        since, until: When Hubject received them.
        sessions: Only the CDRs of these SessionIDs.
        operator: Only this one's.
        forwarded: Only those that Hubject could, or could not, forward.

    Raises:
        Refused: `until` lies before `since`, a session is none of Hubject's, or the provider is no EMP.
    """
    report = Report()
    if until < since:
        raise report.refuse("until", "before since", until)
    record: Record = {
        "ProviderID": process.provider_id(provider),
        "From": process.stamp(since),
        # Whole seconds: the second in which the span ends is asked for too.
        "To": process.stamp(until + _ALMOST_A_SECOND),
    }
    if sessions:
        record["SessionID"] = [process.session_id(one, f"sessions[{n}]", report) for n, one in enumerate(sessions)]
    if operator is not None:
        record["OperatorID"] = operator.normal
    if forwarded is not None:
        # So the text of OICP and the example; the schema of the OpenAPI misspells it.
        record["CDRForwarded"] = forwarded
    return record


def read_page(body: Any, *, currency: str, at: datetime) -> Answer[cdrs.RoamingCdr] | None:
    """Takes a page of eRoamingChargeDetailRecords apart; keys are (party, CDR id); arguments as for a CDR by itself.

    Returns:
        None where the body is no page, or says that something failed.
    """
    found = page_of(body)
    if found is None:
        return None
    records, page = found
    named = ((f"content[{n}]", record) for n, record in enumerate(records))
    return take_apart(named, partial(_entry, currency=currency, at=at), page)


def _entry(record: Any, currency: str, at: datetime) -> Entry[cdrs.RoamingCdr]:
    report = Report()
    if not isinstance(record, Mapping):
        raise report.refuse("", "not an object", record)
    evse_id = process.read_evse(field(record, "EvseID"), "EvseID", report)
    session = process.read_session_id(field(record, "SessionID"), "SessionID", report)
    party = evse_id.party
    if party is None:
        raise report.refuse("EvseID", "names no operator", evse_id.text)
    return Entry((party.normal, session), record, partial(cdrs.to_canonical, record, currency=currency, at=at))
