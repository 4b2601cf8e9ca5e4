"""Commands that we send to partners' stations for our drivers."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, NamedTuple, Protocol, Self

from pydantic import Field, JsonValue, StringConstraints, model_validator

from adapters.core.connection import ConnectionName
from gateway.services.ports.common import Page, Parties
from mappings.canonical.base import Instant, Model
from mappings.canonical.commands import CommandAnswer, CommandResult, Id
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.tokens import Identification, TokenType, TokenUid


class SentKind(StrEnum):
    """What a station shall do."""

    START_SESSION = "START_SESSION"
    STOP_SESSION = "STOP_SESSION"
    RESERVE_NOW = "RESERVE_NOW"
    CANCEL_RESERVATION = "CANCEL_RESERVATION"
    UNLOCK_CONNECTOR = "UNLOCK_CONNECTOR"


class EvseNamed(Model):
    """An EVSE of the catalogue: by its public id, or as a connection tells it.

    Attributes:
        cpo: Whose location it is, where a connection has several of one id.
    """

    evse_id: EvseId | None = None
    cpo: PartyId | None = None
    location_id: Id | None = None
    evse_uid: Id | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        by_key = self.location_id is not None and self.evse_uid is not None
        if (self.evse_id is None) != by_key or (self.location_id is None) != (self.evse_uid is None):
            raise ValueError("name either evse_id, or location_id and evse_uid")
        return self


class TokenNamed(Model):
    """A driver token, by its key."""

    type: TokenType
    uid: TokenUid


class Wish(Model):
    """What a driver of ours wants to be done at a partner's station.

    Attributes:
        request_id: The caller's own id of the request; the same again is the same command.
        party: The EMSP.
        evse: Where; of a stop or a cancellation it is known.
        connection: Over which it goes; left out for the way that the catalogue prefers. It is needed where the EVSE is
            named by location_id and evse_uid.
        token: The driver, by their token; or else
        identification: by what they identify with. Either has to be a driver token of the party's.
        permit: Of a stop or a cancellation: our id of the permit that the session or reservation began under.
        session: Of a stop: the number of the received session.
        expires: Of a reservation: when it ends if nobody comes.
        wait: Seconds that the caller waits for the result; left out for as long as there may be one.
    """

    request_id: Annotated[str, StringConstraints(min_length=1, max_length=100)] | None = None
    party: PartyId
    kind: SentKind
    evse: EvseNamed | None = None
    connector_id: Id | None = None
    connection: ConnectionName | None = None
    token: TokenNamed | None = None
    identification: Identification | None = None
    permit: Id | None = None
    session: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = None
    expires: Instant | None = None
    wait: Annotated[float, Field(ge=0, le=300)] | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        begins = self.kind in {SentKind.START_SESSION, SentKind.RESERVE_NOW}
        ends = self.kind in {SentKind.STOP_SESSION, SentKind.CANCEL_RESERVATION}
        if (self.evse is None) != ends:
            raise ValueError("evse is needed, but of a stop or cancellation, where it is known")
        if self.evse is not None and self.evse.evse_id is None and self.connection is None:
            raise ValueError("connection is needed where the EVSE is named by location_id and evse_uid")
        if begins != (self.token is not None) + (self.identification is not None):
            raise ValueError("a driver begins something: name either token or identification, and with nothing else")
        if ends != (self.permit is not None) + (self.session is not None):
            raise ValueError("a stop or cancellation names what it ends, and nothing else does: permit or session")
        if self.kind is SentKind.CANCEL_RESERVATION and self.permit is None:
            raise ValueError("a cancellation names the permit of the reservation")
        if (self.kind is SentKind.RESERVE_NOW) != (self.expires is not None):
            raise ValueError("a reservation, and nothing else, names when it expires")
        return self


@dataclass(frozen=True, slots=True)
class SentCommandView:
    """A command that we sent.

    Attributes:
        connection: Over which; None where it was removed.
        cpo: Whose station.
        evse: The EVSE's key in the catalogue; left out where nobody knows it.
        command: What was sent.
        permit: Our id of the permit that it began, or ended.
        deadline: Until when its result counts.
        result: What came of it; left out as long as nobody said.
        session_id: The CPO's session, where it was told.
        late: What was told after it had been answered for.
    """

    id: str
    kind: SentKind
    party: PartyId
    cpo: PartyId
    command: JsonValue
    at: datetime
    deadline: datetime
    request_id: str | None = None
    connection: str | None = None
    evse: str | None = None
    permit: str | None = None
    result: CommandResult | None = None
    text: str | None = None
    session_id: str | None = None
    answered_at: datetime | None = None
    late: CommandAnswer | None = None


class SentFilter(NamedTuple):
    """Which commands are meant; what is None is not asked about.

    Attributes:
        open: Whether only those without result, or only those with one.
        since, until: When they were sent; `until` is excluded.
    """

    parties: Parties = None
    cpo: PartyId | None = None
    connection: str | None = None
    kind: SentKind | None = None
    open: bool | None = None
    since: datetime | None = None
    until: datetime | None = None


class SentCommandDesk(Protocol):
    """Commands that we send."""

    async def send(self, wish: Wish) -> SentCommandView:
        """Sends a command, and waits for its result as long as is wished; what comes later is told by an event.

        Raises:
            NotFound: There is no such connection, permit or session.
            Invalid: The EVSE is not known, nobody carries such a command there, or the driver may not charge.
            Conflict: The request_id was another command's, the session is over, or the connection is not live.
        """

    async def get(self, parties: Parties, id_: str) -> SentCommandView:
        """Gives one. Raises `NotFound`."""

    async def list(self, wanted: SentFilter, after: str | None, limit: int) -> Page[SentCommandView]:
        """Gives commands, the newest first."""
