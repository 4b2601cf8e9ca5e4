"""A connection: one registered relation with a hub, and what of the network it may see."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.locations import Location


class Mode(StrEnum):
    """How far a connection goes."""

    OFF = "off"
    """Nothing is rendered or sent."""
    SHADOW = "shadow"
    """Everything is rendered and validated, and shown; nothing is sent."""
    LIVE = "live"
    """Everything is sent."""


class State(StrEnum):
    """Whether a connection can work."""

    UNREGISTERED = "unregistered"
    """No credentials yet, or they were withdrawn; what is wanted waits."""
    READY = "ready"
    """Credentials are in place."""
    PAUSED = "paused"
    """Stopped by a person, or by the gateway when credentials or a certificate failed; nothing is tried or lost."""


class Scope(BaseModel):
    """What part of the network a connection carries; an empty list means all.

    Attributes:
        parties: CPOs whose objects, and EMSPs whose driver tokens are carried.
        locations: `FR*ABC/location-id`, the only locations carried.
        evses: EVSE ids, the only EVSEs carried (with their locations).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    parties: frozenset[PartyId] = frozenset()
    locations: frozenset[str] = frozenset()
    evses: frozenset[EvseId] = frozenset()

    def has_party(self, party: PartyId) -> bool:
        """Tells whether the party's objects are carried."""
        return not self.parties or party in self.parties

    def narrow(self, location: Location) -> Location | None:
        """Gives the location without the EVSEs out of scope; None if the connection sees none of it."""
        if not self.has_party(location.party):
            return None
        if self.locations and f"{location.party}/{location.id}" not in self.locations:
            return None
        if not self.evses:
            return location
        seen = tuple(evse for evse in location.evses if evse.evse_id in self.evses)
        return location.model_copy(update={"evses": seen}) if seen else None


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a connection and its hub show each other; decrypted, so never logged (`repr` hides it).

    Attributes:
        ours: What we present to the hub (OCPI: the hub's token for us, not yet encoded).
        endpoints: What the hub told us: versions URL, endpoint URL by `module/role`, the hub's parties.
    """

    ours: str | None = None
    endpoints: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return "Secrets(…)"


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection, as stored.

    Attributes:
        id: Number in the store.
        name: Unique name chosen by the operator, `gireve-pp`.
        hub: Which adapter serves it: `gireve`, `hubject`.
        settings: The adapter's own settings, validated by the hub's settings model.
        why: Why it is paused or unregistered, for a person.
        version: Of its row in the store; another one after each change of it.
    """

    id: int
    name: str
    hub: str
    mode: Mode
    state: State
    scope: Scope
    settings: Mapping[str, Any]
    secrets: Secrets
    why: str | None = None
    version: int = 0


ConnectionName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
