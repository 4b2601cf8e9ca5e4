"""Where a charge takes place: the picture of an EVSE in the party's own network."""

from gateway.services.ports import Invalid
from gateway.store.pool import Transaction
from mappings.canonical.cdrs import CdrLocation, cdr_location
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import Location


async def place_of(
    tx: Transaction,
    party: PartyId,
    location_id: str,
    evse_uid: str,
    connector_id: str,
    fields: tuple[str, str, str] = ("location_id", "evse_uid", "connector_id"),
) -> CdrLocation:
    """Takes the picture of a place as it is now; one that was withdrawn is found too.

    Args:
        fields: What location, EVSE and connector are called where they are given.

    Raises:
        Invalid: The party has no such location, EVSE or connector.
    """
    body = await tx.fetchval(
        "SELECT body FROM location WHERE party = $1 AND location_id = $2", party.normal, location_id
    )
    if body is None:
        raise Invalid((fields[0], f"{party} has no location {location_id}"))
    location = Location.model_validate_json(body)
    evse = next((one for one in location.evses if one.uid == evse_uid), None)
    if evse is None:
        raise Invalid((fields[1], f"the location {location_id} has no EVSE {evse_uid}"))
    connector = next((one for one in evse.connectors if one.id == connector_id), None)
    if connector is None:
        raise Invalid((fields[2], f"the EVSE {evse_uid} has no connector {connector_id}"))
    return cdr_location(location, evse, connector, connector_id)
