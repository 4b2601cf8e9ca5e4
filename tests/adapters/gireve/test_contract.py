"""Gireve's adapter keeps the contract that all hubs keep, against its sandbox over loopback."""

from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from adapters.core.connection import Secrets
from adapters.gireve.adapter import GireveAdapter
from mappings.canonical.locations import EvseStatus
from tests.adapters.contract import Contract, HubUnderTest
from tests.adapters.contract_charging import ChargingContract, ChargingUnderTest
from tests.adapters.doubles import Measured
from tests.adapters.gireve.network import ABC, location, pair, tariff, with_status
from tests.adapters.gireve.peer import LEG, cdr, peer, place, question, result, session


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


class TestGireveCharging(ChargingContract):
    operations = ("sessions", "cdrs", "command_results")

    @pytest.fixture
    async def hub(self) -> AsyncIterator[ChargingUnderTest]:
        async with peer() as iop, aiohttp.ClientSession() as session_:
            measured = Measured()
            adapter = GireveAdapter(iop.connection(), measured)
            stranger = GireveAdapter(iop.connection("not-the-token"), measured)
            impatient = GireveAdapter(iop.connection(timeout_seconds=0.2), measured)
            (told,) = adapter.of_session(session(), place(), LEG, {})
            (billed,) = adapter.of_cdr(cdr(), LEG)
            (answered,) = adapter.of_result(result(f"{iop.server.url}/results/1?a=b"), ABC)
            yield ChargingUnderTest(
                adapter=adapter,
                stranger=stranger,
                impatient=impatient,
                server=iop.server,
                messages={"sessions": told, "cdrs": billed, "command_results": answered},
                question=question(),
                stranger_asked=question(uid="00000000"),
                leg=LEG,
                kinds={"sessions": "sessions", "cdrs": "cdrs", "command_results": "results"},
                asking="authorise",
                measured=measured,
                session=session_,
            )
            for each in (adapter, stranger, impatient):
                await each.close()
