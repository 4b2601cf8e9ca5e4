"""Sessions, as the backend tells them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple, Protocol

from gateway.services.ports.common import Page, Parties
from mappings.canonical.ids import PartyId
from mappings.canonical.sessions import Session, SessionStatus
from mappings.report import Issue


class SessionResult(NamedTuple):
    """What came of a session.

    Attributes:
        outcome: `stale` where a later report of it is stored: it changed nothing.
        authorisation: Ours, by which it roams.
        connection: Over which it roams; None for a session of the CPO's own driver.
        review: Why it waits for a person; nobody is told till then.
    """

    party: PartyId
    id: str
    outcome: Literal["created", "updated", "unchanged", "stale"]
    issues: Sequence[Issue]
    authorisation: str | None = None
    connection: str | None = None
    review: str | None = None


@dataclass(frozen=True, slots=True)
class SessionRef:
    """An id of a charge.

    Attributes:
        connection: Where it is called so.
        kind: Whose id it is: `own`, `hub`, `emsp`, or `reference`.
    """

    connection: str
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class SessionTold:
    """How far a connection was told of a session.

    Attributes:
        told: By kind of message, the session's own moment of the latest one.
        pending, delivered, refused: Messages by what came of them.
        error: What the latest refusal, or try in vain, came to.
    """

    connection: str
    told: Mapping[str, datetime]
    pending: int
    delivered: int
    refused: int
    error: str | None


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as stored.

    Attributes:
        review: Why it waits for a person.
        authorisation, connection: By which, and over which it roams.
        ended: When it was over.
        cdr: The id of the CDR in effect.
        waived: Why there will be no CDR.
        updated: When it last changed here.
        refs, told: Told of one session, not in lists.
    """

    session: Session
    review: str | None
    authorisation: str | None
    connection: str | None
    ended: datetime | None
    cdr: str | None
    waived: str | None
    updated: datetime
    refs: Sequence[SessionRef] = ()
    told: Sequence[SessionTold] = ()


@dataclass(frozen=True, slots=True)
class SessionFilter:
    """Which sessions are meant.

    Attributes:
        review: Only those that wait for a person; False for only the others.
        without_cdr: Only those that ended longer ago than this, and have no CDR, which nobody waived.
        location, evse: Only those at this location, or EVSE by its uid.
        reference: Only those that carry it, or roam by the authorisation that it leads to.
    """

    parties: Parties
    status: SessionStatus | None = None
    review: bool | None = None
    connection: str | None = None
    without_cdr: timedelta | None = None
    location: str | None = None
    evse: str | None = None
    reference: str | None = None


class Sessions(Protocol):
    """Sessions of the CPOs that the gateway speaks for."""

    async def put(self, session: Session, who: str, *, if_updated: datetime | None = None) -> SessionResult:
        """Writes a session as it is now, and has every hub told whom it concerns.

        Args:
            if_updated: Only over what last changed here at this moment.

        Raises:
            Conflict: It changed meanwhile; nothing was written.
            Invalid: It contradicts the network, itself, or what was told of it before; the field is named.
        """

    async def get(self, party: PartyId, session_id: str) -> SessionView | None:
        """Gives one session, with every id of its legs, and what was told of it."""

    async def list(self, wanted: SessionFilter, after: str | None, limit: int) -> Page[SessionView]:
        """Gives sessions, the newest first."""

    async def assign(self, party: PartyId, session_id: str, authorisation: str | None, who: str) -> SessionResult:
        """Says what a session that waits for review belongs to; what waited for that is told.

        Args:
            authorisation: Our id; None where it does not roam.

        Raises:
            NotFound: There is no such session.
            Invalid: There is no such authorisation, or it is for another place.
            Conflict: The session does not wait for review, or the authorisation serves another session.
        """

    async def waive_cdr(self, party: PartyId, session_id: str, why: str, who: str) -> None:
        """Says that a session will have no CDR.

        Raises:
            NotFound: There is no such session.
            Conflict: It is not over, or has a CDR.
        """
