"""Who is registered with the sandbox Hubject, and who has contracts."""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from mappings.canonical.ids import EvseId, PartyId


@dataclass(frozen=True, slots=True)
class Partner:
    """A CPO registered with the sandbox.

    Attributes:
        operator: Its OperatorID.
        sub_operators: Whose EVSEs it may push beside its own; None means anybody's.
        contract: Whether Hubject is the subscriber of its EVSE data and statuses.
        offers_prices: Whether it has an offer of flexible or dynamic prices.
        url: Where its commands go: its gateway's URL for the connection; the sandbox's `gateway` where it is None.
    """

    operator: PartyId
    sub_operators: frozenset[PartyId] | None = frozenset()
    contract: bool = True
    offers_prices: bool = True
    url: str | None = None

    def may_push(self, evse_id: EvseId) -> bool:
        """Tells whether an EvseID is its own or a sub-operator's."""
        party = evse_id.party
        return party is not None and (
            self.sub_operators is None or party == self.operator or party in self.sub_operators
        )


@dataclass(frozen=True, slots=True)
class Provider:
    """An EMP registered with the sandbox.

    Attributes:
        provider: Its ProviderID.
        url: Its gateway's URL for the connection, `https://emp.example/oicp/hubject-emp`, to which Hubject adds
            `/api/oicp/…`; None for an EMP that is offline: it pulls, and pushes its authentication data.
        sub_providers: Whose EvcoIDs it may name beside its own.
    """

    provider: PartyId
    url: str | None = None
    sub_providers: frozenset[PartyId] = frozenset()

    def has(self, party: PartyId | None) -> bool:
        """Tells whether an EvcoID's provider is itself or a sub-provider."""
        return party is not None and (party == self.provider or party in self.sub_providers)


class Service(StrEnum):
    """What there are contracts for."""

    AUTHORISATION = "authorisation"
    RESERVATION = "reservation"
    EVSE_DATA = "evse_data"
    EVSE_STATUS = "evse_status"
    AUTHENTICATION_DATA = "authentication_data"
    PRICING = "pricing"


class Contract(BaseModel):
    """Says that an EMP has a contract, or has none; what nothing is said of, is agreed.

    Attributes:
        provider: The EMP.
        operator: The CPO; every one, and Hubject itself, where it is None.
        service: What for; everything where it is None.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    provider: PartyId
    operator: PartyId | None = None
    service: Service | None = None
    agreed: bool = True
