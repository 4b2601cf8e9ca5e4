"""An agreement: who is served by a connection, for which services, from when to when."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mappings.canonical.ids import PartyId


class Service(StrEnum):
    """What a connection's EMSPs may have of a CPO.

    What a connection shows is its scope, and a charge that was let begin is billed: `poi`, `status` and `cdr` are on
    record, and nothing is refused by them.
    """

    POI = "poi"
    """Its locations and tariffs."""
    STATUS = "status"
    """Its EVSEs' statuses."""
    AUTHORISE = "authorise"
    """Charging by a card, a code or a car that its station reads."""
    REMOTE = "remote"
    """Starting, stopping and unlocking from afar."""
    RESERVATION = "reservation"
    CDR = "cdr"
    """What is billed."""


EVERY_SERVICE = frozenset(Service)

DEFAULT_RANK = 100
"""Where a connection without a rank stands in the order of asking."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """One line of who is served.

    Attributes:
        id: Its number in the store.
        connection_id: The connection over which the EMSP comes.
        party: The CPO; None for all that the connection carries.
        emsp: None for all behind the connection.
        services: At least one.
        rank: Of several connections that may answer for a driver, the one with the lowest is asked first.
        valid_from: The first moment.
        valid_to: The first moment after it; None without end.
    """

    id: int
    connection_id: int
    party: PartyId | None
    emsp: PartyId | None
    services: frozenset[Service]
    rank: int
    valid_from: datetime
    valid_to: datetime | None = None

    def is_valid(self, now: datetime) -> bool:
        """Tells whether it holds at a moment."""
        return self.valid_from <= now and (self.valid_to is None or now < self.valid_to)
