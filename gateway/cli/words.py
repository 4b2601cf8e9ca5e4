"""How drivers and places are shown in a line."""

from mappings.canonical.tokens import Identification


def driver_of(identification: Identification) -> str:
    """Names a driver by the contract, else by the end of the card's number: the whole one stays out of terminals."""
    if identification.contract_id is not None:
        return str(identification.contract_id)
    return f"{identification.type} …{identification.uid[-4:]}" if identification.uid else identification.type.value


def place_of(location_id: str, evse_uid: str, connector_id: str | None) -> str:
    """Names where somebody charges."""
    return "/".join(part for part in (location_id, evse_uid, connector_id) if part is not None)
