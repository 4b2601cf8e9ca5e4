"""Partners' stations in memory, as the HTTP face asks for them."""

import json
from collections.abc import Sequence
from decimal import Decimal

from gateway.services.ports import BadCursor, Invalid, NotFound, Page, Parties
from gateway.services.ports.catalogue import (
    Change,
    ChangePage,
    Entry,
    EntryFilter,
    Forgotten,
    RankedConnection,
    Way,
    Ways,
)
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.locations import EvseStatus, Location
from mappings.canonical.tariffs import (
    ClockSpan,
    PriceComponent,
    Tariff,
    TariffDimension,
    TariffElement,
    TariffHours,
)
from tests.harness import AT, location, tariff

STORED = location("L1", party=PartyId("NL*ABC"))


def entry() -> Entry:
    """The one EVSE that there is, which two hubs offer."""
    body = json.loads(STORED.model_dump_json(exclude_defaults=True))
    [evse] = body.pop("evses")
    ways = [
        Way("gireve", STORED.party, "L1", "U1", True, EvseStatus.CHARGING, AT, None),
        Way("hubject", STORED.party, "NL*ABC*EL1", "NL*ABC*EL1", False, EvseStatus.UNKNOWN, None, ["T1"]),
    ]
    return Entry("NLABCEL1", EvseStatus.CHARGING, AT, 22_000, None, evse | {"status": "CHARGING"}, body, ways)


def beyond_ocpi() -> Tariff:
    """A tariff of a hub that adds to OCPI."""
    fee = PriceComponent(type=TariffDimension.SESSION_TIME, price=Decimal(3), step_size=60)
    nights = TariffHours(spans=(ClockSpan(start="22:00", end="06:00"),))
    return tariff("T2", elements=(TariffElement(price_components=(fee,)),), hours=nights)


class FakeCatalogue:
    """One entry, one location and one tariff; cursors are `more`, and `old` where they are of changes."""

    def __init__(self) -> None:
        self.asked: list[EntryFilter] = []
        self.ordered: list[tuple[Sequence[str], str]] = []
        self.unsaid = False
        self.emsps: Parties = None

    async def search(self, wanted: EntryFilter, after: str | None, limit: int, emsps: Parties = None) -> Page[Entry]:
        self.emsps = emsps
        self.asked.append(wanted)
        if after not in {None, "more"}:
            raise BadCursor
        return Page([entry()][:limit] if after is None else [], "more" if after is None else None)

    async def entry(self, evse_key: str, emsps: Parties = None) -> Entry:
        self.emsps = emsps
        if EvseId(evse_key).normal != "NLABCEL1":
            raise NotFound(f"There is no EVSE {evse_key} in the catalogue")
        return entry()

    async def locations(
        self, connection: str | None, party: PartyId | None, after: str | None, limit: int, emsps: Parties = None
    ) -> Page[Location]:
        self.emsps = emsps
        if self.unsaid:
            return Page([STORED.model_copy(update={"party": PartyId("+49*810")})])
        return Page([STORED] if after is None else [])

    async def tariffs(
        self, connection: str | None, party: PartyId | None, after: str | None, limit: int, emsps: Parties = None
    ) -> Page[Tariff]:
        self.emsps = emsps
        return Page([tariff(), beyond_ocpi()] if self.unsaid else [tariff()])

    async def changes(self, after: str | None, limit: int, wait: float, emsps: Parties = None) -> ChangePage:
        self.emsps = emsps
        if after == "old":
            raise Forgotten("Changes after this cursor are no longer kept")
        if after is None:
            return ChangePage([], "now")
        return ChangePage([Change("NLABCEL1", False, entry()), Change("NLABCEGONE", True)], "later")

    async def ways(self) -> Ways:
        return Ways([RankedConnection("gireve", 1)], electing=False)

    async def order(self, connections: Sequence[str], who: str) -> Ways:
        if "nowhere" in connections:
            raise Invalid(("connections[0]", "does not exist"))
        self.ordered.append((connections, who))
        return await self.ways()

    def end(self) -> None:
        """Nobody waits here."""
