"""Gireve's adapter keeps the contract that all hubs keep, against its sandbox over loopback."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from adapters.core.connection import Secrets
from adapters.gireve.adapter import GireveAdapter
from mappings.canonical.locations import EvseStatus
from tests.adapters.contract import Contract, HubUnderTest
from tests.adapters.gireve.network import location, pair, tariff, with_status


class TestGireve(Contract):
    operations = ("tariffs", "locations")

    @pytest.fixture
    async def hub(self) -> AsyncIterator[HubUnderTest]:
        async with pair() as both:
            await both.register()
            ready = both.registry.connection
            wrong = replace(ready, secrets=Secrets("not-the-token", ready.secrets.endpoints))
            hasty = replace(ready, settings={**ready.settings, "timeout_seconds": 0.2})
            adapter = GireveAdapter(ready, both.measured)
            stranger = GireveAdapter(wrong, both.measured)
            impatient = GireveAdapter(hasty, both.measured)
            yield HubUnderTest(
                adapter=adapter,
                stranger=stranger,
                impatient=impatient,
                server=both.iop,
                subjects={"tariffs": tariff(), "locations": location()},
                changed={
                    "tariffs": tariff(price="0.45"),
                    "locations": with_status(location(name="Gare du Nord"), "1", EvseStatus.OUTOFORDER),
                },
                kinds={"tariffs": "tariffs", "locations": "locations"},
                measured=both.measured,
                session=both.session,
            )
            for each in (adapter, stranger, impatient):
                await each.close()
