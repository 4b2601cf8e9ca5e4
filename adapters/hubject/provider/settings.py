"""Settings of an EMP's connection to Hubject, and how its platform HBS serves it."""

from datetime import timedelta
from typing import Annotated, Final, Self

from pydantic import Field, model_validator

from adapters.core.charging import ChargingProfile
from adapters.core.profile import OperationProfile, Profile
from adapters.core.roaming import FeedKind, FeedProfile, RoamingProfile
from adapters.hubject.settings import DEADLINE, HubjectSettings
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import Currency
from mappings.oicp.v2_3.pages import LARGEST
from mappings.oicp.v2_3.process import provider_id

TOKENS = "authentication_data"
EVSE_DATA, EVSE_STATUS = "evse_data", "evse_status"
PRODUCTS, PRICES = "pricing_products", "evse_pricing"
CDRS = "charge_detail_records"
CONTRACTS, CONTRACT_EVSES = "contracts", "contract_evses"
REMOTE: Final = {
    "START_SESSION": "remote_start",
    "STOP_SESSION": "remote_stop",
    "RESERVE_NOW": "reservation_start",
    "CANCEL_RESERVATION": "reservation_stop",
}
"""By kind of command, the operation's name in the metrics; OICP has no word for unlocking a connector."""

COMMAND_TIMEOUT: Final = DEADLINE + timedelta(seconds=1.5)
"""What a command may take: Hubject gives up on the CPO after its ten seconds, and what it says then is still heard."""

_MARGIN: Final = timedelta(seconds=0.5)
_EVER: Final = timedelta(days=36500)


class ProviderSettings(HubjectSettings):
    """Settings of an EMP's connection to Hubject; also what `HubjectSettings` has.

    Attributes:
        provider_id: The party that the certificate is bound to; it stands in every path and body.
        sub_providers: Providers that it bundles, whose tokens are pushed in its name (OICP 2.3, Hub Provider).
        currency: Of the CDRs that come home: OICP's carry no price, and no currency.
        authentication: Whether driver tokens are pushed, so that Hubject admits drivers by itself; else it asks.
        authentication_batch: Most records of a push. Hubject names no limit.
        authentication_per_minute: Most pushes a minute. One may need a second request, so that the default is under
            half of the 50 that the Acceptable Use Policy allows.
        full_load_max: Most tokens of a fullLoad; more are synchronised by updates.
        full_sync_hours: How often all tokens are sent anew; None for only on demand.
        page_size: Records of a page of EVSE data and of CDRs, 2000 at most.
        data_per_minute: Pages of EVSE data a minute. The Acceptable Use Policy allows 100, its support page says 25.
        data_minutes: How often changed EVSE data are pulled.
        data_full_hours: How often all of them are.
        overlap_seconds: By how much a pull of changes reaches back behind the one before, since clocks differ.
        status_minutes: How often all statuses are pulled.
        status_operators: The operators whose statuses are pulled; empty for everybody's in one answer.
        status_per_minute: Of those requests; None for what the Acceptable Use Policy allows: 6 of everybody's, 75 by
            operator.
        pricing_operators: Whose prices are pulled, under a contract with them; none for nobody's.
        pricing_minutes: How often changed prices are pulled; all of them once a day.
        contracts_of: The operators of whose offers with prices it reads what it subscribed to (NGP); none for nobody's.
        contracts_minutes: How often; and then which EVSEs are in their groups.
        contract_page_size: EVSEs of a page; Hubject names no most, and gives 20 where it is not asked for more.
        cdr_minutes: How often missed CDRs are looked for.
        cdr_days: How far the first look reaches back.
    """

    provider_id: PartyId
    sub_providers: frozenset[PartyId] = frozenset()
    currency: Currency = "EUR"
    authentication: bool = True
    authentication_batch: Annotated[int, Field(ge=1, le=10_000)] = 1000
    authentication_per_minute: Annotated[int, Field(ge=1)] = 24
    full_load_max: Annotated[int, Field(ge=0)] = 20_000
    full_sync_hours: Annotated[int, Field(ge=1)] | None = 24
    page_size: Annotated[int, Field(ge=1, le=LARGEST)] = LARGEST
    data_per_minute: Annotated[int, Field(ge=1)] = 25
    data_minutes: Annotated[int, Field(ge=1)] = 30
    data_full_hours: Annotated[int, Field(ge=1)] = 24
    overlap_seconds: Annotated[float, Field(ge=0, le=86_400)] = 300
    status_minutes: Annotated[float, Field(gt=0)] = 5
    status_operators: frozenset[PartyId] = frozenset()
    status_per_minute: Annotated[int, Field(ge=1)] | None = None
    pricing_operators: frozenset[PartyId] = frozenset()
    pricing_minutes: Annotated[int, Field(ge=1)] = 60
    contracts_of: frozenset[PartyId] = frozenset()
    contracts_minutes: Annotated[float, Field(gt=0, le=1440)] = 15
    contract_page_size: Annotated[int, Field(ge=1, le=10_000)] = 1000
    cdr_minutes: Annotated[int, Field(ge=1)] = 60
    cdr_days: Annotated[int, Field(ge=1, le=365)] = 31

    @model_validator(mode="after")
    def _names_an_emp(self) -> Self:
        provider_id(self.provider_id)  # `Refused` is a ValueError
        return self

    @property
    def providers(self) -> frozenset[PartyId]:
        """Whose drivers it speaks for."""
        return self.sub_providers | {self.provider_id}

    def whose(self, leg: Leg) -> Leg:
        """Says in a leg whose driver it is: Hubject does not, and only who bundles others has to find out."""
        if self.sub_providers or leg.emsp is not None:
            return leg
        return leg.model_copy(update={"emsp": self.provider_id})

    def path(self, area: str, version: str, tail: str) -> str:
        """Gives the path of an operation of an EMP's."""
        return f"/api/oicp/{area}/{version}/providers/{provider_id(self.provider_id)}/{tail}"

    def profile(self) -> Profile:
        """How HBS wants to be told of tokens: never in parallel, and a batch with one wrong record is refused whole."""
        tokens = OperationProfile(
            name=TOKENS,
            max_items=self.authentication_batch,
            lanes_in_flight=1,
            per_minute=self.authentication_per_minute,
            atomic=True,
            full_load=True,
        )
        return Profile(
            hub="hubject",
            protocol="OICP 2.3",
            operations={TOKENS: tokens} if self.authentication else {},
            request_timeout=timedelta(seconds=self.timeout_seconds),
            full_sync_every=None if self.full_sync_hours is None else timedelta(hours=self.full_sync_hours),
            full_load_max=self.full_load_max,
        )

    def charging(self) -> ChargingProfile:
        """How HBS asks of our drivers. It is told nothing of charges by an EMP, and commands it to nothing."""
        return ChargingProfile(
            messages={},
            answer_within=timedelta(seconds=self.answer_seconds),
            command_within=timedelta(seconds=self.command_seconds),
        )

    def roaming(self) -> RoamingProfile:
        """What HBS has for an EMP."""
        data = FeedProfile(
            EVSE_DATA,
            FeedKind.LOCATIONS,
            every=timedelta(minutes=self.data_minutes),
            full_every=timedelta(hours=self.data_full_hours),
            overlap=timedelta(seconds=self.overlap_seconds),
            per_minute=self.data_per_minute,
            prunes=True,
            tells_gone=True,
        )
        status = FeedProfile(
            EVSE_STATUS,
            FeedKind.STATUSES,
            every=timedelta(minutes=self.status_minutes),
            per_minute=self.status_per_minute or (75 if self.status_operators else 6),
            after=EVSE_DATA,
        )
        cdrs = FeedProfile(
            CDRS,
            FeedKind.CDRS,
            every=timedelta(minutes=self.cdr_minutes),
            full_every=_EVER,
            overlap=timedelta(hours=1),
            per_minute=190,  # the Acceptable Use Policy allows 200
        )
        feeds = [data, status, cdrs]
        if self.pricing_operators:
            feeds += [self._prices(PRODUCTS, FeedKind.TARIFFS, None), self._prices(PRICES, FeedKind.PRICES, EVSE_DATA)]
        if self.contracts_of:
            feeds += [
                self._contracts(CONTRACTS, FeedKind.OFFERS),
                self._contracts(CONTRACT_EVSES, FeedKind.GROUP_EVSES),
            ]
        return RoamingProfile(
            feeds={feed.name: feed for feed in feeds},
            commands=frozenset(REMOTE),
            command_within=COMMAND_TIMEOUT + _MARGIN,
        )

    def _prices(self, name: str, kind: FeedKind, after: str | None) -> FeedProfile:
        return FeedProfile(
            name,
            kind,
            every=timedelta(minutes=self.pricing_minutes),
            full_every=timedelta(days=1),
            per_minute=270,  # the Acceptable Use Policy allows 280 and 300
            prunes=True,
            after=after,
        )

    def _contracts(self, name: str, kind: FeedKind) -> FeedProfile:
        # The API's documents allow 50 of contracts and 60 of EVSEs a minute, and both feeds ask for contracts.
        return FeedProfile(
            name,
            kind,
            every=timedelta(minutes=self.contracts_minutes),
            per_minute=24,
            prunes=True,
            after=None if kind is FeedKind.OFFERS else CONTRACTS,
        )
