"""The EMSP's side against the sandbox IOP with CPOs behind it: what they push, ask and bring home, in order and not."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from adapters.core.outcomes import Delivered
from adapters.gireve.adapter import GireveAdapter
from adapters.gireve.home import home_of
from adapters.gireve.sandbox import SandboxSettings
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import EvseStatus, Location
from mappings.canonical.sessions import SessionStatus
from mappings.canonical.tokens import Token
from tests.adapters.doubles import Measured, Network
from tests.adapters.doubles_roaming import Homecoming, OwnDrivers, Sent, Stations
from tests.adapters.gireve.emsp import evse, location
from tests.adapters.gireve.network import TOKEN_A, Pair, pair
from tests.adapters.gireve.ours import EMSP_PARTY, MP1, UID, card
from tests.adapters.gireve.test_contract_roaming import load, started, until
from tests.adapters.gireve.test_plan_tokens import item

TNM = PartyId("NL*TNM")
ASKED = {"party": "NL*TNM", "uid": UID, "location_id": "LOC1", "evse_uid": "1"}


@dataclass
class Abroad:
    """An EMSP at an IOP with one played CPO."""

    both: Pair
    adapter: GireveAdapter
    stations: Stations
    drivers: OwnDrivers
    received: Homecoming
    sent: Sent

    async def tell(self, token: Token) -> None:
        """Pushes a token."""
        self.drivers.held = [token]
        (call,) = self.adapter.plan("tokens", [item(token)]).calls
        assert await self.adapter.send(call) == Delivered()

    async def drive(self, path: str, body: Any) -> Any:
        status, told = await self.both.drive(path, body)
        assert status == 200, told
        return told

    async def settled(self) -> None:
        await self.drive("settle", {"seconds": 60})

    def place(self) -> Location:
        return self.stations.places[TNM, "LOC1"]


@pytest.fixture
async def abroad() -> AsyncIterator[Abroad]:
    settings = SandboxSettings(token=TOKEN_A, retry_seconds=0.01)
    async with pair(settings, Network([EMSP_PARTY]), roles=["EMSP"]) as both:
        await load(both, "network", location("LOC1", evse("1"), evse("2")))
        await both.register()
        connection, gateway = both.registry.connection, both.gateway
        adapter = GireveAdapter(connection, Measured(), home=home_of(connection, gateway))
        assert isinstance(gateway.catalogue, Stations)
        assert isinstance(gateway.drivers, OwnDrivers)
        assert isinstance(gateway.received, Homecoming)
        assert isinstance(gateway.sent_commands, Sent)
        yield Abroad(both, adapter, gateway.catalogue, gateway.drivers, gateway.received, gateway.sent_commands)
        await adapter.close()


# Stations


async def test_a_location_that_changes_is_told_whole_and_then_by_its_parts(abroad: Abroad) -> None:
    await abroad.drive("locations", {"locations": [location("LOC1", evse("1"), evse("2"), evse("3"))]})
    await abroad.settled()
    assert [each.uid for each in abroad.place().evses] == ["1", "2", "3"]
    change = {"party": "NL*TNM", "location_id": "LOC1", "evse_uid": "2", "status": "CHARGING"}
    await abroad.drive("statuses", change)
    await abroad.settled()
    assert [each.status for each in abroad.place().evses][1] is EvseStatus.CHARGING
    assert [each.status for each in abroad.stations.reports][-1] is EvseStatus.CHARGING


async def test_a_status_of_an_evse_that_was_never_told_holds_nothing_up(abroad: Abroad) -> None:
    change = {"party": "NL*TNM", "location_id": "LOC1", "evse_uid": "1", "status": "CHARGING"}
    await abroad.drive("statuses", change)
    await abroad.settled()
    assert [each.status for each in abroad.both.measured.answers if each.operation == "partner_locations"] == [404]
    await abroad.drive("locations", {"locations": [location("LOC1", evse("1"))]})
    await abroad.settled()
    assert len(abroad.place().evses) == 1


# Drivers


async def test_a_driver_at_a_partners_station_is_answered_for(abroad: Abroad) -> None:
    await abroad.tell(card())
    told = await abroad.drive("authorize", ASKED)
    assert (told["status"], told["code"], told["allowed"]) == (200, 1000, "ALLOWED")
    (asked,) = abroad.drivers.asked
    assert (asked.cpo, asked.leg.emsp) == (TNM, MP1)


async def test_a_blocked_driver_is_turned_away(abroad: Abroad) -> None:
    await abroad.tell(card(valid=False))
    told = await abroad.drive("authorize", ASKED)
    assert (told["code"], told["allowed"]) == (1000, "BLOCKED")


async def test_a_token_that_was_forgotten_here_is_not_known(abroad: Abroad) -> None:
    await abroad.tell(card())
    abroad.drivers.held = []
    told = await abroad.drive("authorize", ASKED)
    assert told["code"] == 2004


# Sessions and CDRs


async def permit(abroad: Abroad) -> str:
    await abroad.tell(card())
    return str((await abroad.drive("authorize", ASKED))["authorization_reference"])


async def test_a_session_comes_home_under_gireves_ids_and_its_cdr_under_the_cpos(abroad: Abroad) -> None:
    reference = await permit(abroad)
    told = {"reference": reference, "id": "S1", "kwh": 1.5}
    for status in ("ACTIVE", "COMPLETED"):
        await abroad.drive("sessions", told | {"party": "NL*TNM", "status": status})
    await abroad.drive("cdrs", {"reference": reference, "session": "S1", "id": "C1", "kwh": 12.5})
    await abroad.settled()
    (session,) = abroad.received.sessions.values()
    ((cdr, _),) = abroad.received.cdrs.values()
    assert session.status is SessionStatus.COMPLETED
    assert session.id != "S1"
    assert (cdr.id, cdr.session_id, float(cdr.energy)) == ("C1", session.id, 12.5)
    assert session.reference == cdr.reference
    assert session.identification.uid == UID


async def test_a_cdr_that_is_told_twice_is_taken_once(abroad: Abroad) -> None:
    reference = await permit(abroad)
    await abroad.drive("cdrs", {"reference": reference, "id": "C1", "kwh": 12.5, "times": 3})
    await abroad.settled()
    assert len(abroad.received.cdrs) == 1
    assert not abroad.received.conflicts


async def test_a_cdr_that_contradicts_an_earlier_one_is_kept_beside_it_and_not_sent_again(abroad: Abroad) -> None:
    reference = await permit(abroad)
    for kwh in (12.5, 99.0):
        await abroad.drive("cdrs", {"reference": reference, "id": "C1", "kwh": kwh})
        await abroad.settled()
    assert [each.energy for each in abroad.received.conflicts] == [99]
    assert len(abroad.received.legs) == 2


async def test_a_cdr_of_a_session_that_nobody_knows_comes_home_all_the_same(abroad: Abroad) -> None:
    token = {
        "country_code": "DE",
        "party_id": "MP1",
        "uid": UID,
        "type": "RFID",
        "contract_id": "DE-MP1-C00000001",
    }
    stray = {"party": "NL*TNM", "location_id": "LOC1", "evse_uid": "1", "token": token, "id": "C7", "kwh": 3}
    await abroad.drive("cdrs", stray)
    await abroad.settled()
    ((cdr, _),) = abroad.received.cdrs.values()
    assert cdr.id == "C7"


@pytest.mark.parametrize(
    ("billing", "hub", "cost"), [("cpo", False, 6.25), ("gireve", True, 6.25), ("none", False, None)]
)
async def test_who_priced_a_cdr_is_told(abroad: Abroad, billing: str, hub: bool, cost: float | None) -> None:
    reference = await permit(abroad)
    await abroad.drive("cdrs", {"reference": reference, "id": "C1", "kwh": 12.5, "billing": billing})
    await abroad.settled()
    ((cdr, _),) = abroad.received.cdrs.values()
    assert cdr.priced_by_hub is hub
    assert (None if cdr.total_cost is None else float(cdr.total_cost.net)) == cost


async def test_what_could_not_be_stored_comes_again(abroad: Abroad) -> None:
    reference = await permit(abroad)
    abroad.received.failing = RuntimeError("the database is down")
    await abroad.drive("cdrs", {"reference": reference, "id": "C1", "kwh": 12.5})
    await until(lambda: any(each.status == 500 for each in abroad.both.measured.answers))
    abroad.received.failing = None
    await abroad.settled()
    assert len(abroad.received.cdrs) == 1


# Commands


@pytest.mark.parametrize("result", ["EVSE_OCCUPIED", "TIMEOUT", "ACCEPTED"])
async def test_a_result_is_told_once_however_often_it_comes(abroad: Abroad, result: str) -> None:
    abroad.sent.open = {"command-1"}
    await abroad.drive("cpos", {"result": result, "results": 3, "charges": False})
    told = await abroad.adapter.command("command-1", started(), TNM)
    assert told.answer is None
    await until(lambda: len(abroad.sent.results) == 3)
    assert {answer.result.value for _, answer in abroad.sent.results} == {result}


async def test_a_result_for_a_command_that_nobody_waits_for_any_more_is_not_sent_again_for_ever(
    abroad: Abroad,
) -> None:
    await abroad.drive("cpos", {"charges": False})
    await abroad.adapter.command("forgotten", started(), TNM)
    await until(lambda: any(each.operation == "command_results" for each in abroad.both.measured.answers))
    assert {each.status for each in abroad.both.measured.answers if each.operation == "command_results"} == {404}


async def test_a_start_from_the_app_brings_its_session_home(abroad: Abroad) -> None:
    abroad.sent.open = {"command-1"}
    await abroad.tell(card())
    await abroad.adapter.command("command-1", started(), TNM)
    await until(lambda: abroad.received.sessions)
    (session,) = abroad.received.sessions.values()
    assert session.identification.uid == UID
    assert (session.location_id, session.evse_uid) == ("LOC1", "1")
