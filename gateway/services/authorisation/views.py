"""Authorisations as they are shown."""

from adapters.core.charging import Denial
from gateway.services.authorisation.admitting import Admission
from gateway.services.ports.authorising import AuthorisationView, Detail, Origin
from gateway.store.pool import Record
from mappings.canonical.agreements import AgreementRef
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import AuthMethod


def view_of(admission: Admission, connection: str | None) -> AuthorisationView:
    """Shows one that was just written.

    Args:
        connection: The name of the connection over which it roams.
    """
    return AuthorisationView(
        id=admission.id,
        party=admission.party,
        location_id=admission.location_id,
        evse_uid=admission.evse_uid,
        connector_id=admission.connector_id,
        origin=admission.origin,
        allowed=admission.allowed,
        at=admission.at,
        detail=admission.detail,
        reference=admission.id if admission.allowed else None,
        reason=admission.reason,
        auth_method=admission.auth_method,
        connection=connection,
        agreement=admission.agreement,
        leg=admission.leg,
        expires=admission.expires,
    )


def view_of_row(row: Record) -> AuthorisationView:
    """Shows a row of `one` or `page`."""
    return AuthorisationView(
        id=row["id"],
        party=PartyId(row["party"]),
        location_id=row["location_id"],
        evse_uid=row["evse_uid"],
        connector_id=row["connector_id"],
        origin=Origin(row["origin"]),
        allowed=row["allowed"],
        at=row["at"],
        detail=Detail.model_validate_json(row["detail"]),
        reference=row["id"] if row["allowed"] else None,
        reason=Denial(row["reason"]) if row["reason"] is not None else None,
        auth_method=AuthMethod(row["auth_method"]) if row["auth_method"] is not None else None,
        connection=row["connection"],
        agreement=AgreementRef.model_validate_json(row["agreement"]) if row["agreement"] is not None else None,
        leg=Leg.model_validate_json(row["leg"]) if row["leg"] is not None else None,
        expires=row["expires_at"],
        session_id=row["session_id"],
    )
