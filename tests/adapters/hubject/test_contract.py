"""The suite that every hub passes, for Hubject, over mutual TLS."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from adapters.core.charging import Allowed, Question
from adapters.core.outcomes import Delivered
from adapters.core.tls import client_context
from adapters.hubject import HUB
from adapters.hubject.sandbox import Running
from mappings.canonical.cdrs import CdrLocation
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.locations import EvseStatus
from mappings.canonical.tokens import Identification, TokenType
from tests.adapters.contract import Contract, HubUnderTest
from tests.adapters.contract_charging import ChargingContract, ChargingUnderTest
from tests.adapters.doubles import Measured, Network, Tokens, connection, gateway
from tests.adapters.hubject.network import HUB_CPO, PRICING, SUB_ONE, adapter, evse, location, settings, tariff
from tests.mappings.oicp.charges import ENDED, cdr, session

PLACE = CdrLocation(
    id="L1", evse_uid="a", connector_id="1", evse_id=EvseId("FR*HUB*E1"), time_zone="Europe/Paris", country="FRA"
)


class TestHubject(Contract):
    operations = ("evse_data", "evse_status", "pricing_products", "evse_pricing")

    @pytest.fixture
    async def hub(self, secured: Running) -> AsyncIterator[HubUnderTest]:
        authority = secured.certificates.authority
        measured = Measured()

        def connected(operator: PartyId = HUB_CPO, **changes):
            shown = secured.certificates.clients[operator.normal]
            made = connection(
                "hubject",
                settings(
                    base_url=secured.url,
                    ca_file=authority,
                    client_certificate=shown.certificate,
                    client_key=shown.key,
                    pricing=PRICING,
                    **changes,
                ).model_dump(mode="json"),
            )
            return HUB.adapter(made, gateway(Network([]), Tokens(made), measured, "https://gateway.test"))

        before = location(evse("a", "FR*HUB*E1", tariffs=["T1"]), evse("b", "FR*ONE*E2", tariffs=["T1"]))
        after = location(
            evse("a", "FR*HUB*E1", EvseStatus.CHARGING, ["T2", "T1"]),
            evse("b", "FR*ONE*E2", EvseStatus.RESERVED, ["T2"]),
            name="Gare",
        )
        subjects = dict.fromkeys(self.operations, before) | {"pricing_products": tariff()}
        changed = dict.fromkeys(self.operations, after) | {"pricing_products": tariff(price="0.4")}
        adapters = [connected(), connected(PartyId("FR*OTH")), connected(timeout_seconds=0.2)]
        trusting = aiohttp.TCPConnector(ssl=client_context(authority, None, None))
        async with aiohttp.ClientSession(connector=trusting) as session:
            hub = HubUnderTest(
                *adapters,
                server=secured.server,
                subjects=subjects,
                changed=changed,
                kinds={name: name for name in self.operations},
                measured=measured,
                session=session,
                known={"evse_pricing": frozenset({"FR*HUB/T1/-", "FR*HUB/T2/-"})},
            )
            # The other product, that an EVSE is to have after its change.
            outcome, _ = await hub.deliver(
                hub.adapter.plan("pricing_products", hub.items("pricing_products", tariff("T2")))
            )
            assert isinstance(outcome, Delivered), outcome
            measured.requests.clear()
            yield hub
        for made in adapters:
            await made.close()

    def test_a_sub_operators_evse_is_among_the_subjects(self, hub: HubUnderTest) -> None:
        assert {evse.evse_id.party for evse in hub.subjects["evse_data"].evses} == {HUB_CPO, SUB_ONE}


class TestHubjectCharging(ChargingContract):
    operations = ("charging_notifications", "cdrs")
    cdrs_wait_for_sessions = False
    repeated = ("charging_notifications",)

    @pytest.fixture
    async def hub(self, secured: Running) -> AsyncIterator[ChargingUnderTest]:
        authority = secured.certificates.authority

        def connected(shown_by: PartyId = HUB_CPO, **changes):
            shown = secured.certificates.clients[shown_by.normal]
            return adapter(
                measured,
                base_url=secured.url,
                ca_file=authority,
                client_certificate=shown.certificate,
                client_key=shown.key,
                **changes,
            )

        def question(uid: str) -> Question:
            card = Identification(type=TokenType.RFID, uid=uid)
            return Question(id=f"auth-{uid}", party=HUB_CPO, place=PLACE, identification=card)

        measured = Measured()
        adapters = [connected(), connected(PartyId("FR*OTH")), connected(timeout_seconds=0.2)]
        trusting = aiohttp.TCPConnector(ssl=client_context(authority, None, None))
        async with aiohttp.ClientSession(connector=trusting) as control:
            drivers = [{"provider": "DE-EMP", "uid": "04E8A1B2C3D480"}]
            async with control.post(f"{secured.url}/_sandbox/drivers", json=drivers) as answer:
                assert answer.status == 200, await answer.text()
            # The charge that everything is told of, authorised as any other.
            yes = await adapters[0].authorise(question("04E8A1B2C3D480"))
            assert isinstance(yes, Allowed), yes
            over = session(party=HUB_CPO, charging_end=ENDED, end=ENDED, last_updated=ENDED)
            (*_, told) = adapters[0].of_session(over, PLACE, yes.leg, {})
            (billed,) = adapters[0].of_cdr(cdr(party=HUB_CPO, location=PLACE), yes.leg)
            measured.requests.clear()
            yield ChargingUnderTest(
                *adapters,
                server=secured.server,
                messages={"charging_notifications": told, "cdrs": billed},
                question=question("04E8A1B2C3D480"),
                stranger_asked=question("00000000"),
                leg=yes.leg,
                kinds={"charging_notifications": "notifications", "cdrs": "cdrs"},
                asking="authorise_start",
                measured=measured,
                session=control,
            )
        for made in adapters:
            await made.close()
