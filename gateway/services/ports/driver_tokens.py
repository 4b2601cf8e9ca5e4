"""The tokens of our own drivers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Protocol

from pydantic import StringConstraints

from gateway.services.ports.common import Page, Parties
from gateway.services.ports.publishing import PutResult
from gateway.services.ports.reading import HubIssue
from mappings.canonical.ids import ContractId, PartyId
from mappings.canonical.tokens import Token, TokenType
from mappings.report import Issue

DriverId = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class DriverToken(Token):
    """A token of one of our own drivers; its key is (party, type, uid), the uid in any case.

    Attributes:
        driver: Your own id of the driver, who may have any number of tokens; hubs are not told it.
    """

    driver: DriverId | None = None


@dataclass(frozen=True, slots=True)
class StoredDriverToken:
    """A driver token as stored.

    Attributes:
        withdrawn: It was withdrawn, and is not valid.
        revision: Rises with every change of it.
        updated: When it was last written.
    """

    token: DriverToken
    withdrawn: bool
    revision: int
    updated: datetime


@dataclass(frozen=True, slots=True)
class DriverTokenFilter:
    """Which tokens to list; what is None is not asked about.

    Attributes:
        parties: The EMSPs that the caller may see.
        uid: In any case.
    """

    parties: Parties = None
    driver: str | None = None
    contract: ContractId | None = None
    uid: str | None = None


@dataclass(frozen=True, slots=True)
class Whose:
    """All tokens of an EMSP's driver, or of a contract; one of the two is given."""

    party: PartyId
    driver: str | None = None
    contract: ContractId | None = None


@dataclass(frozen=True, slots=True)
class Switched:
    """What came of blocking or unblocking.

    Attributes:
        tokens: How many there are.
        changed: How many were not so already.
    """

    tokens: int
    changed: int


class DriverTokens(Protocol):
    """Writing and reading driver tokens. Each batch is one transaction; it is durable when the call returns."""

    async def put(
        self, batch: Sequence[tuple[DriverToken, Sequence[Issue]]], who: str, *, if_revision: int | None = None
    ) -> list[PutResult]:
        """Writes tokens whole, in the order given; of one named twice the last stands.

        Args:
            if_revision: For a batch of one: write only over this revision.

        Raises:
            Conflict: The stored revision is another; nothing was written.
        """

    async def withdraw(self, party: PartyId, type_: TokenType, uid: str, who: str) -> bool:
        """Takes a token out of use at every hub, and keeps it as one that is not valid. False if there is none."""

    async def switch(self, whose: Whose, who: str, *, valid: bool) -> Switched:
        """Makes every token of a driver or contract valid, or not, at once.

        From the commit on nobody is let charge by a token that is not.

        Raises:
            NotFound: There is none.
        """

    async def get(self, party: PartyId, type_: TokenType, uid: str) -> StoredDriverToken | None:
        """Gives one token, withdrawn or not."""

    async def issues(self, party: PartyId, type_: TokenType, uid: str) -> list[HubIssue]:
        """Gives what was noticed of one token on the way in, and lost at each connection."""

    async def list(self, wanted: DriverTokenFilter, after: str | None, limit: int) -> Page[StoredDriverToken]:
        """Gives tokens in the order of their keys, withdrawn ones too."""
