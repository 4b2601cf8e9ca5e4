"""Where a hub's word on a contract is another one than the record here."""

from typing import Protocol

from adapters.core.connection import Connection
from mappings.canonical.ids import PartyId


class Witness(Protocol):
    """Notes disagreements: counts and shows them. Returns at once, and fails nobody who stands waiting."""

    def said_yes(self, connection: Connection, cpo: PartyId, emsp: PartyId | None, ours: str) -> None:
        """Notes that a hub let somebody charge for whom there is no agreement here; `ours`: the policy's reason."""

    def said_no(self, connection: Connection, cpo: PartyId, emsp: PartyId | None, theirs: str) -> None:
        """Notes that a hub found no contract where there is an agreement here; `theirs`: its own words."""
