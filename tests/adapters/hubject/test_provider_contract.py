"""The suites that every hub passes, for Hubject as an EMP sees it, over mutual TLS."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from adapters.core.tls import client_context
from adapters.hubject import HUB
from adapters.hubject.provider.adapter import ProviderAdapter
from adapters.hubject.sandbox import HubjectSandbox, Provider, Running, run
from mappings.canonical.commands import CancelReservation, CommandAnswer, EvseRef, ReserveNow, StopSession
from mappings.canonical.ids import ContractId, EvseId, PartyId
from mappings.canonical.tokens import TokenType
from tests.adapters.contract import Contract, HubUnderTest
from tests.adapters.contract_roaming import Carried, Fed, Key, RoamingContract, RoamingUnderTest
from tests.adapters.doubles import Measured, Network, Tokens, connection, gateway
from tests.adapters.hubject.charging import Hub
from tests.adapters.hubject.emps import EMS, Wall, record
from tests.adapters.hubject.provider import driver, provider_settings, start

PLA = PartyId("NL*PLA")
RIVAL = PartyId("DE-EMP")
EVSES = [f"NL*PLA*E{number}" for number in range(1, 6)]


CAR = driver("car-1", type=TokenType.PLUG_AND_CHARGE)
"""Of a card Hubject knows the number alone, so that nothing of its record ever changes."""


class TokensUnderTest(HubUnderTest):
    async def memory(self, operation: str) -> dict[str, Any]:
        """What the hub holds, by our key: it knows a car by its contract."""
        held = await super().memory(operation)
        assert len(held) < 2
        return {key.key: record for key in self.adapter.keys(CAR) for record in held.values()}


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[tuple[Running, Wall]]:
    wall = Wall()
    sandbox = HubjectSandbox([], providers=[Provider(EMS), Provider(RIVAL)], wall=wall, limits=False)
    async with run(sandbox, tmp_path) as made:
        yield made, wall


@pytest.fixture
async def trusting(running: tuple[Running, Wall]) -> AsyncIterator[Hub]:
    """For the sandbox's control requests."""
    certificates = running[0].certificates
    assert certificates is not None
    connector = aiohttp.TCPConnector(ssl=client_context(certificates.authority, None, None))
    async with aiohttp.ClientSession(running[0].url, connector=connector) as session:
        yield Hub(running[0], session)


Connected = Callable[..., ProviderAdapter]


@pytest.fixture
async def connected(running: tuple[Running, Wall]) -> AsyncIterator[Connected]:
    """Makes an adapter with the certificate of its EMP, or with another's."""
    sandbox, wall = running
    assert sandbox.certificates is not None
    authority, shown = sandbox.certificates.authority, sandbox.certificates.providers
    made: list[ProviderAdapter] = []

    def connect(measured: Measured, certificate: PartyId = EMS, **changes: Any) -> ProviderAdapter:
        pair = shown[certificate.normal]
        paths = {"ca_file": authority, "client_certificate": pair.certificate, "client_key": pair.key}
        settings = provider_settings(base_url=sandbox.url, **paths, **changes)
        made.append(ProviderAdapter("hubject-emp", settings, measured, wall))
        return made[-1]

    yield connect
    for each in made:
        await each.close()


class TestHubjectTokens(Contract):
    operations = ("authentication_data",)

    @pytest.fixture
    async def hub(self, running: tuple[Running, Wall], connected: Connected, trusting: Hub) -> HubUnderTest:
        measured = Measured()
        return TokensUnderTest(
            adapter=connected(measured),
            stranger=connected(Measured(), RIVAL),
            impatient=connected(Measured(), timeout_seconds=0.2),
            server=running[0].server,
            subjects={"authentication_data": CAR},
            changed={"authentication_data": CAR.model_copy(update={"contract_id": ContractId("NL-EMS-C87654321")})},
            kinds={"authentication_data": "authentication_data"},
            measured=measured,
            session=trusting.session,
        )


class TestHubjectRoaming(RoamingContract):
    feeds = ("evse_data", "evse_status", "charge_detail_records", "pricing_products", "evse_pricing")
    commands = ("START_SESSION", "STOP_SESSION", "RESERVE_NOW", "CANCEL_RESERVATION")
    unpaged = ("evse_status", "pricing_products", "evse_pricing")
    whole = ("evse_status",)

    @pytest.fixture
    async def hub(self, running: tuple[Running, Wall], connected: Connected, trusting: Hub) -> RoamingUnderTest:
        world, wall = running

        async def do(what: str, body: Any) -> Any:
            status, answer = await trusting.post(f"/_sandbox/{what}", body)
            assert status == 200, answer
            return answer

        def products(price: float, *names: str) -> list[dict[str, Any]]:
            return [priced(name, price) for name in names]

        await do("network?name=Played", [record(evse_id) for evse_id in EVSES])
        await do("statuses", [{"EvseID": evse_id, "EvseStatus": "Available"} for evse_id in EVSES])
        await do("pricing-products", products(0.4, "NL*PLA"))
        await do("evse-pricing", [evse_pricing("NL*PLA", EVSES[0], "A")])
        billed = [
            (await do("cdrs", {"evse": EVSES[0], "provider": "NL-EMS", "forward": False}))[0]["sent"]["SessionID"]
            for _ in range(3)
        ]
        wall.pass_by()
        before = wall()
        wall.pass_by()

        async def another_name() -> Key:
            await do("network?name=Played", [record(EVSES[2], HotlinePhoneNumber="+31207654321")])
            return "NL*PLA", "NLPLAE3"

        async def another_status() -> Key:
            await do("statuses", [{"EvseID": EVSES[2], "EvseStatus": "Occupied"}])
            return "NL*PLA", "NLPLAE3"

        async def another_cdr() -> Key:
            (sent,) = await do("cdrs", {"evse": EVSES[0], "provider": "NL-EMS", "forward": False})
            return "NL*PLA", sent["sent"]["SessionID"]

        async def another_price() -> Key:
            await do("pricing-products", products(0.5, "NL*PLA"))
            return "NL*PLA", "A", ""

        async def another_product() -> Key:
            await do("evse-pricing", [evse_pricing("NL*PLA", EVSES[0], "A", "B")])
            return "NL*PLA", "NLPLAE1"

        evses = frozenset(("NL*PLA", EvseId(evse_id).normal) for evse_id in EVSES)
        measured = Measured()
        options = {"page_size": 2, "pricing_operators": ["NL*PLA"]}
        adapter = connected(measured, **options)
        started = await adapter.command("before", start(EvseId(EVSES[0])), PLA)
        assert started.leg is not None
        session = started.leg.hub_session
        assert session is not None
        at = EvseRef(evse_id=EvseId(EVSES[0]))
        leg = start().leg
        reserving = ReserveNow(at=at, leg=leg, reservation="mine", expires=wall() + timedelta(minutes=15))

        async def never(id_: str) -> CommandAnswer:
            raise AssertionError(f"{id_}: Hubject answers at once")

        return RoamingUnderTest(
            adapter=adapter,
            stranger=connected(Measured(), RIVAL, **options),
            impatient=connected(Measured(), timeout_seconds=0.2, **options),
            server=world.server,
            fed={
                "evse_data": Fed(evses, before, another_name),
                "evse_status": Fed(evses, before, another_status),
                "charge_detail_records": Fed(frozenset(("NL*PLA", each) for each in billed), before, another_cdr),
                "pricing_products": Fed(frozenset({("NL*PLA", "A", "")}), before, another_price),
                "evse_pricing": Fed(frozenset({("NL*PLA", "NLPLAE1")}), before, another_product),
            },
            carried={
                "START_SESSION": Carried(start(EvseId(EVSES[1])), PLA),
                "STOP_SESSION": Carried(StopSession(session=session, at=at), PLA),
                "RESERVE_NOW": Carried(reserving, PLA),
                "CANCEL_RESERVATION": Carried(CancelReservation(reservation=session, at=at), PLA),
            },
            refused=Carried(start(EvseId("NL*PLA*E404")), PLA),
            told=never,
            measured=measured,
            session=trusting.session,
        )


def priced(operator: str, price: float) -> dict[str, Any]:
    product = {
        "ProductID": "A",
        "ReferenceUnit": "KILOWATT_HOUR",
        "ProductPriceCurrency": "EUR",
        "PricePerReferenceUnit": price,
        "MaximumProductChargingPower": 22,
        "IsValid24hours": True,
        "ProductAvailabilityTimes": [],
    }
    return {
        "OperatorID": operator,
        "OperatorName": "Played",
        "ProviderID": "*",
        "PricingDefaultPrice": 0,
        "PricingDefaultPriceCurrency": "EUR",
        "PricingDefaultReferenceUnit": "KILOWATT_HOUR",
        "PricingProductDataRecords": [product],
    }


def evse_pricing(operator: str, evse_id: str, *names: str) -> dict[str, Any]:
    record = {"EvseID": evse_id, "ProviderID": "*", "EvseIDProductList": list(names)}
    return {"OperatorID": operator, "OperatorName": "Played", "EVSEPricing": [record]}


async def test_a_connection_with_a_provider_id_is_an_emps() -> None:
    made = connection("hubject", provider_settings().model_dump(mode="json"))
    adapter = HUB.adapter(made, gateway(Network([]), Tokens(made), Measured(), "https://gateway.test"))
    assert isinstance(adapter, ProviderAdapter)
    await adapter.close()
