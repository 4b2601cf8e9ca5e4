"""Drivers tap at a running gateway, whose hubs are the sandboxes."""

import asyncio

import aiohttp
import pytest

from adapters.core.charging import Denial
from gateway.services.ports.authorising import AuthorisationFilter, Tap
from mappings.canonical.ids import ContractId, PartyId
from mappings.canonical.tokens import Identification, TokenType
from tests.harness import PARTY, Rig, eventually, location, rig

UID = "04A2B3C4D5E680"
CARD = Identification(type=TokenType.RFID, uid=UID)
EMSP = PartyId("FR*XYZ")
CONTRACT = "FR-XYZ-C12345678"


async def invite(r: Rig, hub: str, **driver) -> None:
    """Makes a driver known to an EMSP behind a hub."""
    known = (
        {"uid": UID, "party": EMSP.normal, "contract_id": CONTRACT}
        if hub == "gireve"
        else {"provider": EMSP.normal, "uid": UID, "contract": CONTRACT}
    )
    url = f"{r.servers[hub].url}/_sandbox/drivers"
    async with aiohttp.ClientSession() as client, client.post(url, json=[{**known, **driver}]) as answer:
        assert answer.status == 200, await answer.text()


async def tap(r: Rig, identification: Identification = CARD, **changes):
    wish = Tap(PARTY, identification, "L1", "U1", **changes)
    return await r.app.services.authorisation.authorise(wish)


def asked(view):
    return [(one.connection, one.answer) for one in view.detail.asked]


async def open_for_business(r: Rig) -> None:
    await r.put(location())
    await r.quiet()


@pytest.mark.parametrize("hub", ["gireve", "hubject"])
async def test_a_driver_of_either_hub_charges_under_the_hub_s_own_names(database_url, hub):
    async with rig(database_url) as r:
        await open_for_business(r)
        await invite(r, hub)
        view = await tap(r)
        assert (view.allowed, view.connection) == (True, hub), view
        assert view.leg is not None
        assert view.leg.emsp == EMSP
        assert (view.leg.reference if hub == "gireve" else view.leg.hub_session) is not None


async def test_a_card_that_nobody_knows_is_shown_to_both_and_denied(database_url):
    async with rig(database_url, ask_next_after=10) as r:
        await open_for_business(r)
        view = await tap(r)
        assert (view.allowed, view.reason in {Denial.UNKNOWN_TOKEN, Denial.NOT_ALLOWED}) == (False, True)
        assert asked(view) == [("gireve", "denied"), ("hubject", "denied")]


async def test_an_emsp_that_answered_once_is_asked_first_where_its_contract_is_shown(database_url):
    async with rig(database_url, ask_next_after=10) as r:
        await open_for_business(r)
        await invite(r, "hubject")
        assert asked(await tap(r)) == [("gireve", "denied"), ("hubject", "allowed")]
        known = Identification(type=TokenType.RFID, uid=UID, contract_id=ContractId(CONTRACT))
        assert asked(await tap(r, known)) == [("hubject", "allowed")]


@pytest.mark.parametrize("kind", ["error", "close", "drop", "truncate", "down", "throttle", "refuse"])
async def test_however_one_hub_fails_the_other_answers(database_url, kind):
    async with rig(database_url) as r:
        await open_for_business(r)
        await invite(r, "hubject")
        r.fail("gireve", kind, **({"seconds": 60} if kind == "down" else {}))
        view = await tap(r)
        assert (view.allowed, view.connection) == (True, "hubject")


async def test_whoever_hangs_up_finds_the_answer_later_by_the_same_request(database_url):
    async with rig(database_url, "gireve") as r:
        await open_for_business(r)
        await invite(r, "gireve", seconds=2)
        key, _ = await r.app.services.keys.create("a backend", [], ["publish"], "test")
        wish = {
            "party": PARTY.normal,
            "location_id": "L1",
            "evse_uid": "U1",
            "identification": CARD.model_dump(mode="json", exclude_none=True),
            "request_id": "tap-1",
        }
        headers = {"Authorization": f"Bearer {key}"}
        url = f"{r.public_url}/v1/authorisations"
        async with aiohttp.ClientSession(headers=headers) as client:
            first = asyncio.create_task(client.post(url, json=wish))
            await eventually(lambda: bool(r.app.services.authorisation._running), "a driver who waits")
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first

            async def written() -> bool:
                return bool((await r.app.services.authorisation.list(AuthorisationFilter(None), None, 9)).items)

            await eventually(written)
            async with client.post(url, json=wish) as answer:
                told = await answer.json()
            assert (answer.status, told["allowed"]) == (200, True)
            taps = await asyncio.gather(*(client.post(url, json=wish) for _ in range(5)))
            assert {(await one.json())["id"] for one in taps} == {told["id"]}
        assert len(r.gireve.memory["authorisations"]) == 1
