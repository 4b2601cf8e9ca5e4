"""Parties: the CPOs and EMSPs that the gateway serves."""

from enum import StrEnum

from mappings.canonical.base import Instant, Model
from mappings.canonical.ids import PartyId
from mappings.canonical.texts import Business


class Role(StrEnum):
    """What a party does in roaming (OCPI 2.2.1, types, Role)."""

    CPO = "CPO"
    EMSP = "EMSP"
    HUB = "HUB"
    NAP = "NAP"
    NSP = "NSP"
    OTHER = "OTHER"
    SCSP = "SCSP"


class Party(Model):
    """A party with the roles it plays."""

    id: PartyId
    roles: frozenset[Role]
    business: Business


class ClientStatus(StrEnum):
    """Whether a party behind a hub can be reached (OCPI 2.2.1, ConnectionStatus)."""

    CONNECTED = "CONNECTED"
    OFFLINE = "OFFLINE"
    PLANNED = "PLANNED"
    SUSPENDED = "SUSPENDED"


class ClientInfo(Model):
    """What a hub says of a party that is connected to it (OCPI 2.2.1, mod_hub_client_info)."""

    party: PartyId
    role: Role
    status: ClientStatus
    last_updated: Instant
