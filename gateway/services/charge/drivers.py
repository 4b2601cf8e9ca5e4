"""Whether two identifications are of one driver."""

from gateway.services.authorisation.admitting import uid_key
from mappings.canonical.tokens import Identification


def same_driver(one: Identification, other: Identification) -> bool | None:
    """Compares by uid and by contract.

    Returns:
        True where either is the same; False where what both tell differs; None where they tell nothing in common.
    """
    told = [
        first == second
        for first, second in zip(keys_of(one), keys_of(other), strict=True)
        if first is not None and second is not None
    ]
    return any(told) if told else None


def completed(given: Identification, known: Identification) -> Identification:
    """Adds what is known of the same driver and was not given."""
    missing = {
        name: value
        for name in ("uid", "contract_id", "party", "rfid_kind", "printed_number", "expires")
        if getattr(given, name) is None and (value := getattr(known, name)) is not None
    }
    # Validated values of the same type.
    return given.model_copy(update=missing) if missing else given


def keys_of(identification: Identification) -> tuple[str | None, str | None]:
    """Gives the normal forms of uid and contract."""
    uid, contract = identification.uid, identification.contract_id
    return uid_key(uid) if uid is not None else None, contract.normal if contract is not None else None
