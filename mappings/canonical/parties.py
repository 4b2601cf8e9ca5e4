"""Parties: the CPOs and EMSPs that the gateway serves."""

from enum import StrEnum

from mappings.canonical.base import Model
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
