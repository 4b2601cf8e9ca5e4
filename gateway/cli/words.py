"""How drivers, places and prices are shown in a line."""

from mappings.canonical.cdrs import Cdr
from mappings.canonical.tokens import Identification


def driver_of(identification: Identification) -> str:
    """Names a driver by the contract, else by the end of the card's number: the whole one stays out of terminals."""
    if identification.contract_id is not None:
        return str(identification.contract_id)
    if identification.uid is None:
        return identification.type.value
    end = identification.uid[len(identification.uid) // 2 :][-4:]
    return f"{identification.type} …{end}"


def place_of(location_id: str, evse_uid: str, connector_id: str | None) -> str:
    """Names where somebody charges."""
    return "/".join(part for part in (location_id, evse_uid, connector_id) if part is not None)


def cost_of(cdr: Cdr) -> str | None:
    """Names what a CDR costs, before tax; None where it tells no price."""
    return None if cdr.total_cost is None else f"{cdr.total_cost.net} {cdr.currency}"
