"""Gireve's adapter keeps the contract that all hubs keep for EMSPs, against its sandbox over loopback."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.core.connection import Secrets
from adapters.gireve.adapter import GireveAdapter
from adapters.gireve.home import home_of
from adapters.gireve.sandbox import SandboxSettings
from mappings.canonical.commands import CommandAnswer, EvseRef, StartSession, StopSession
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from tests.adapters.contract import Contract, HubUnderTest
from tests.adapters.contract_roaming import Carried, Fed, Key, RoamingContract, RoamingUnderTest
from tests.adapters.doubles import Measured, Network
from tests.adapters.doubles_roaming import Homecoming, Sent
from tests.adapters.gireve.emsp import evse, location
from tests.adapters.gireve.network import TOKEN_A, Pair, pair
from tests.adapters.gireve.ours import EMSP_PARTY, MP1, card

TNM = PartyId("NL*TNM")
STAMP = "2026-06-07T18:40:07Z"


def priced(key: str, **changes: Any) -> dict[str, Any]:
    """A tariff of the played CPO."""
    component = {"type": "ENERGY", "price": 0.4, "step_size": 1}
    return {
        "country_code": "NL",
        "party_id": "TNM",
        "id": key,
        "currency": "EUR",
        "type": "REGULAR",
        "elements": [{"price_components": [component]}],
        "last_updated": STAMP,
    } | changes


def lines(*objects: Mapping[str, Any]) -> bytes:
    return b"\n".join(json.dumps(each).encode() for each in objects)


async def load(both: Pair, path: str, *objects: Mapping[str, Any]) -> None:
    async with both.session.post(f"{both.iop.url}/_sandbox/{path}", data=lines(*objects)) as got:
        assert got.status == 200, await got.text()


async def until(happened: Callable[[], object]) -> None:
    """Waits until the sandbox has called."""
    async with asyncio.timeout(60):
        while not happened():  # noqa: ASYNC110  # the doubles are dumb on purpose
            await asyncio.sleep(0.01)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def started(uid: str = "1") -> StartSession:
    token = card()
    leg = Leg(reference="permit-1", emsp=MP1, identification=token.identification)
    return StartSession(at=EvseRef(party=TNM, location_id="LOC1", evse_uid=uid), emsp=MP1, leg=leg, token=token)


class TestGireveTokens(Contract):
    operations = ("tokens",)

    def removes(self, operation: str) -> bool:
        return False  # OCPI deletes no token: it is not valid any more

    @pytest.fixture
    async def hub(self) -> AsyncIterator[HubUnderTest]:
        async with pair(network=Network([EMSP_PARTY]), roles=["EMSP"]) as both:
            await both.register()
            ready = both.registry.connection
            wrong = replace(ready, secrets=Secrets("not-the-token", ready.secrets.endpoints))
            hasty = replace(ready, settings={**ready.settings, "timeout_seconds": 0.2})
            adapter, stranger, impatient = (
                GireveAdapter(each, both.measured, home=home_of(each, both.gateway)) for each in (ready, wrong, hasty)
            )
            yield HubUnderTest(
                adapter=adapter,
                stranger=stranger,
                impatient=impatient,
                server=both.iop,
                subjects={"tokens": card()},
                changed={"tokens": card(valid=False)},
                kinds={"tokens": "tokens"},
                measured=both.measured,
                session=both.session,
            )
            for each in (adapter, stranger, impatient):
                await each.close()


class TestGireveRoaming(RoamingContract):
    feeds = ("locations", "tariffs")
    commands = ("START_SESSION", "STOP_SESSION")

    @pytest.fixture
    async def hub(self) -> AsyncIterator[RoamingUnderTest]:
        settings = SandboxSettings(token=TOKEN_A, page_cap=2, retry_seconds=0.01)
        async with pair(settings, Network([EMSP_PARTY]), roles=["EMSP"]) as both:
            await load(both, "network", *(location(f"LOC{each}", evse("1"), evse("2")) for each in range(1, 6)))
            await load(both, "network-tariffs", *(priced(f"T{each}") for each in range(1, 4)))
            await both.register()
            ready, measured = both.registry.connection, Measured()
            wrong = replace(ready, secrets=Secrets("not-the-token", ready.secrets.endpoints))
            hasty = replace(ready, settings={**ready.settings, "timeout_seconds": 0.2})
            adapter, stranger, impatient = (
                GireveAdapter(each, measured, home=home_of(each, both.gateway)) for each in (ready, wrong, hasty)
            )
            sent, received = both.gateway.sent_commands, both.gateway.received
            assert isinstance(sent, Sent)
            assert isinstance(received, Homecoming)
            sent.open = {"command-1", "before"}

            async def told(id_: str) -> CommandAnswer:
                await until(lambda: id_ in dict(sent.results))
                return dict(sent.results)[id_]

            async def another_status() -> Key:
                change = {"party": "NL*TNM", "location_id": "LOC3", "evse_uid": "1", "status": "CHARGING"}
                assert (await both.drive("statuses", change))[1] == {"changed": 1, "unknown": 0}
                return "NL*TNM", "LOC3"

            async def another_price() -> Key:
                await load(both, "network-tariffs", priced("T2", currency="SEK", last_updated=now()))
                return "NL*TNM", "T2", ""

            await adapter.command("before", started("2"), TNM)
            await told("before")
            await until(lambda: received.sessions)
            (running,) = received.sessions.values()
            before = datetime.now(UTC) - timedelta(seconds=1)
            yield RoamingUnderTest(
                adapter=adapter,
                stranger=stranger,
                impatient=impatient,
                server=both.iop,
                fed={
                    "locations": Fed(
                        frozenset(("NL*TNM", f"LOC{each}") for each in range(1, 6)), before, another_status
                    ),
                    "tariffs": Fed(
                        frozenset(("NL*TNM", f"T{each}", "") for each in range(1, 4)), before, another_price
                    ),
                },
                carried={
                    "START_SESSION": Carried(started(), TNM),
                    "STOP_SESSION": Carried(StopSession(session=running.id, emsp=MP1), TNM),
                },
                refused=Carried(started("9"), TNM),
                told=told,
                measured=measured,
                session=both.session,
            )
            for each in (adapter, stranger, impatient):
                await each.close()
