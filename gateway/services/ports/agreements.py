"""Agreements: who is served by which connection for which service."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from gateway.agreements.model import Service
from gateway.services.ports.common import Page
from mappings.canonical.ids import PartyId


@dataclass(frozen=True, slots=True)
class AgreementView:
    """One line of who is served over a connection. The first one restricts the connection to what its agreements say.

    Attributes:
        party: The CPO; left out for all that the connection carries.
        emsp: Left out for all behind the connection.
        rank: Of several connections that may answer for a driver, the one with the lowest is asked first.
        valid_from: The first moment.
        valid_to: The first moment after it; left out without end.
    """

    id: int
    connection: str
    services: AbstractSet[Service]
    rank: int
    valid_from: datetime
    valid_to: datetime | None = None
    party: PartyId | None = None
    emsp: PartyId | None = None


@dataclass(frozen=True, slots=True)
class NewAgreement:
    """An agreement to add; as `AgreementView`. It begins now where nothing else is said."""

    connection: str
    services: AbstractSet[Service]
    rank: int
    party: PartyId | None = None
    emsp: PartyId | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None


class Agreements(Protocol):
    """Agreements. None is ever changed but for its end, so that what was granted can be explained."""

    async def list(self, connection: str | None, after: str | None, limit: int) -> Page[AgreementView]:
        """Gives agreements, ended ones too, the oldest first.

        Raises:
            NotFound: There is no such connection.
        """

    async def create(self, new: NewAgreement, who: str) -> AgreementView:
        """Adds one; it counts at once here, within seconds at every replica.

        Raises:
            NotFound: There is no such connection.
            Invalid: It would end before it begins.
        """

    async def end(self, agreement_id: int, at: datetime | None, who: str) -> AgreementView:
        """Ends one, now unless a moment is given. It keeps restricting its connection.

        Raises:
            NotFound: There is none.
            Conflict: It has ended already.
            Invalid: The moment is past, or before its beginning.
        """
