"""A price of one EMSP's own stands at a hub as long as the CPO has an agreement with that EMSP there."""

from typing import Any

import pytest

from mappings.canonical.ids import PartyId
from tests.agreed import agree
from tests.e2e.test_prices_pushed import EMP, PRICING, offered
from tests.harness import PARTY, Rig, eventually, evse, location, rig, tariff

STRANGER = PartyId("DE*OTH")
SETTINGS: dict[str, Any] = {"hubject": {"hubject_settings": {"pricing": PRICING}}, "gireve": {}}
MEMORY = {"hubject": "pricing_products", "gireve": "tariffs"}


def targets(gateway: Rig, hub: str) -> set[str]:
    """For whom a hub has prices, `-` for all."""
    return {key.rsplit("/", 1)[1].replace("-", "*") for key in gateway.memory(MEMORY[hub])}


@pytest.mark.parametrize("hub", ["hubject", "gireve"])
async def test_a_price_of_ones_own_comes_and_goes_with_the_agreement(database_url: str, hub: str) -> None:
    async with rig(database_url, hub, **SETTINGS[hub]) as gateway:
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1", tariffs=["T1"])))
        await gateway.put_tariffs(tariff(), tariff("T1", "0.4", target=EMP))
        await gateway.settled()
        own = {"*", EMP.normal}
        assert targets(gateway, hub) == own, "nobody restricts the network"
        await agree(gateway.app.links, hub, cpo=PARTY, emsp=STRANGER)
        await eventually(lambda: targets(gateway, hub) == {"*"}, "the price is withdrawn")
        await agree(gateway.app.links, hub, cpo=PARTY, emsp=EMP)
        await eventually(lambda: targets(gateway, hub) == own, "the price is told anew")
        await gateway.settled()


async def test_evses_offer_an_emsp_its_own_price_as_long(database_url: str) -> None:
    async with rig(database_url, "hubject", **SETTINGS["hubject"]) as gateway:
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1", tariffs=["T1"])))
        await gateway.put_tariffs(tariff(), tariff("T1", "0.4", target=EMP))
        await eventually(lambda: list(offered(gateway).values()) == [{"*": ["T1"], "NL-EMS": ["T1"]}], "both prices")
        await agree(gateway.app.links, "hubject", cpo=PARTY, emsp=STRANGER)
        await eventually(lambda: list(offered(gateway).values()) == [{"*": ["T1"]}], "the price for all")
        await agree(gateway.app.links, "hubject", cpo=PARTY, emsp=EMP)
        await eventually(lambda: list(offered(gateway).values()) == [{"*": ["T1"], "NL-EMS": ["T1"]}], "both again")
        await gateway.settled()
