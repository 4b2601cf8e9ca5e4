"""The suite that every hub passes, for Hubject, over mutual TLS."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from adapters.core.tls import client_context
from adapters.hubject import HUB
from adapters.hubject.sandbox import Running
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import EvseStatus
from tests.adapters.contract import Contract, HubUnderTest
from tests.adapters.doubles import Measured, Network, Tokens, connection, gateway
from tests.adapters.hubject.network import HUB_CPO, SUB_ONE, evse, location, settings


class TestHubject(Contract):
    operations = ("evse_data", "evse_status")

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
                    **changes,
                ).model_dump(mode="json"),
            )
            return HUB.adapter(made, gateway(Network([]), Tokens(made), measured, "https://gateway.test"))

        before = location(evse("a", "FR*HUB*E1"), evse("b", "FR*ONE*E2"))
        after = location(
            evse("a", "FR*HUB*E1", EvseStatus.CHARGING), evse("b", "FR*ONE*E2", EvseStatus.RESERVED), name="Gare"
        )
        adapters = [connected(), connected(PartyId("FR*OTH")), connected(timeout_seconds=0.2)]
        trusting = aiohttp.TCPConnector(ssl=client_context(authority, None, None))
        async with aiohttp.ClientSession(connector=trusting) as session:
            yield HubUnderTest(
                *adapters,
                server=secured.server,
                subjects=dict.fromkeys(self.operations, before),
                changed=dict.fromkeys(self.operations, after),
                kinds={name: name for name in self.operations},
                measured=measured,
                session=session,
            )
        for made in adapters:
            await made.close()

    def test_a_sub_operators_evse_is_among_the_subjects(self, hub: HubUnderTest) -> None:
        assert {evse.evse_id.party for evse in hub.subjects["evse_data"].evses} == {HUB_CPO, SUB_ONE}
