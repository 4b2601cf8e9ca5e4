"""Several platforms register to the sandbox, each with its roles and parties; over loopback."""

from collections.abc import AsyncIterator

import pytest

from adapters.gireve.sandbox import SandboxSettings
from adapters.gireve.sandbox.platforms import Provision
from mappings.canonical.ids import PartyId
from tests.adapters.gireve.emsp import CPO, TOKEN_A, UID, Emsp, location, platform, token


@pytest.fixture
async def emsp() -> AsyncIterator[Emsp]:
    async with platform() as made:
        yield made


async def test_a_platforms_parties_are_those_that_it_presents_speaks_for_or_was_given(emsp: Emsp) -> None:
    (shown,) = (await emsp.drive("platforms", method="GET"))[1]
    assert (shown["name"], shown["registered"], shown["roles"]) == ("gateway", True, ["CPO", "EMSP"])
    assert (shown["cpos"], shown["emsps"]) == ([], ["DE*MP1"])
    assert "locations/RECEIVER" in shown["endpoints"]
    await emsp.ask("PUT", "locations/RECEIVER", "/NL/TNM/LOC1", location(), sender=CPO)
    other = PartyId("DE*MP2")
    await emsp.ask("PUT", "tokens/RECEIVER", f"/DE/MP2/{UID}", token(party_id="MP2"), sender=other)
    (shown,) = (await emsp.drive("platforms", method="GET"))[1]
    assert (shown["cpos"], shown["emsps"]) == (["NL*TNM"], ["DE*MP1", "DE*MP2"])


async def test_a_platform_is_added_and_registers_with_its_own_token(emsp: Emsp) -> None:
    first = emsp.token
    added = {"name": "second", "token": "b", "roles": ["EMSP"], "parties": ["FR*EM2"]}
    status, told = await emsp.drive("platforms", added)
    assert status == 200
    assert [(each["name"], each["registered"]) for each in told] == [("gateway", True), ("second", False)]
    assert (await emsp.drive("platforms", added))[0] == 400
    await emsp.register("b")
    assert emsp.token != first
    assert "locations/RECEIVER" not in emsp.endpoints
    emsp.token = first
    assert (await emsp.ask("GET", "locations/SENDER"))[0] == 200


async def test_iop_registers_with_a_platform_that_is_named_and_unregisters_it() -> None:
    settings = SandboxSettings(token=TOKEN_A, platforms=(Provision(name="second", token="b"),))
    async with platform(settings, registered=False) as emsp:
        theirs = {"token": "given", "url": f"{emsp.url}/versions", "roles": list(emsp.roles)}
        emsp.answers["POST credentials"] = (200, 1000, theirs)
        asked = {"versions_url": f"{emsp.url}/versions", "token": "t", "platform": "second"}
        assert await emsp.drive("register", asked) == (200, {"registered": True})
        assert [each["registered"] for each in (await emsp.drive("platforms", method="GET"))[1]] == [False, True]
        presented = emsp.heard[0].body["token"]
        emsp.token, emsp.endpoints = presented, {"locations/SENDER": f"{emsp.iop.url}/ocpi/sender/2.2.1/locations"}
        assert (await emsp.ask("GET", "locations/SENDER"))[0] == 200
        assert (await emsp.drive("register", asked | {"platform": "third"}))[0] == 400
        assert (await emsp.drive("unregister", {"platform": "second"}))[0] == 200
        assert emsp.heard[-1].method == "DELETE"
        assert (await emsp.ask("GET", "locations/SENDER"))[0] == 401
        assert (await emsp.drive("unregister", {"platform": "second"}))[0] == 409


async def test_what_waits_outlives_a_registration() -> None:
    async with platform() as emsp:
        await emsp.load(location())
        emsp.answers["PATCH"] = (503, 3000, None)
        change = {"party": "NL*TNM", "location_id": "LOC1", "evse_uid": "1", "status": "CHARGING"}
        await emsp.drive("statuses", change)
        await emsp.wait_for(1)
        credentials = emsp.endpoints["credentials/SENDER"]
        assert (await emsp.ask("DELETE", credentials))[0] == 200
        emsp.answers.clear()
        emsp.heard.clear()
        await emsp.register()
        (told,) = await emsp.wait_for(1)
        assert (told.method, told.body["status"]) == ("PATCH", "CHARGING")
