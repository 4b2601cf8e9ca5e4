"""The sandbox takes the tokens that EMSPs push, as Gireve's platform does; over loopback."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from mappings.canonical.ids import PartyId
from tests.adapters.gireve.emsp import STAMP, UID, Emsp, platform, token

MODULE = "tokens/RECEIVER"
TAIL = f"/DE/MP1/{UID}"


@pytest.fixture
async def emsp() -> AsyncIterator[Emsp]:
    async with platform() as made:
        yield made


async def test_a_token_is_put_changed_and_given_back(emsp: Emsp) -> None:
    assert (await emsp.ask("PUT", MODULE, TAIL, token()))[:2] == (201, 1000)
    blocked = token(valid=False, last_updated="2026-06-08T00:00:00Z")
    assert (await emsp.ask("PUT", MODULE, TAIL, blocked))[:2] == (200, 1000)
    assert (await emsp.ask("GET", MODULE, TAIL))[2] == blocked
    record = emsp.sandbox.memory["tokens"][f"DE*MP1/RFID/{UID.lower()}"]
    assert record == {"platform": "gateway", "token": blocked}
    assert emsp.sandbox.receipts[-1].value == "not valid"
    assert (await emsp.ask("PUT", MODULE, TAIL, token(last_updated="2026-06-01T00:00:00Z")))[0] == 200
    assert emsp.sandbox.requests["tokens", "out of order"] == 1


async def test_a_type_is_that_of_the_url(emsp: Emsp) -> None:
    app = token("app-user-1", type="APP_USER")
    assert (await emsp.ask("PUT", MODULE, "/DE/MP1/app-user-1", app))[:2] == (400, 2001)
    assert (await emsp.ask("PUT", MODULE, "/DE/MP1/app-user-1?type=APP_USER", app))[0] == 201
    assert (await emsp.ask("GET", MODULE, "/DE/MP1/app-user-1"))[:2] == (404, 2004)
    assert (await emsp.ask("GET", MODULE, "/DE/MP1/app-user-1?type=APP_USER"))[0] == 200


async def test_patch_is_not_implemented(emsp: Emsp) -> None:
    await emsp.ask("PUT", MODULE, TAIL, token())
    patch = {"valid": False, "last_updated": STAMP}
    assert (await emsp.ask("PATCH", MODULE, TAIL, patch))[:2] == (405, 2000)


@pytest.mark.parametrize(
    "changes",
    [
        {"uid": "04E8A1"},
        {"uid": "not-hexadecimal"},
        {"uid": "04E8A1B2"},  # not that of the URL
        {"party_id": "MP2"},
        {"whitelist": "SOMETIMES"},
        {"valid": "yes"},
        {"issuer": None},
        {"last_updated": "yesterday"},
        {"contract_id": "x" * 37},
    ],
)
async def test_what_is_no_token_is_refused(emsp: Emsp, changes: dict[str, Any]) -> None:
    assert (await emsp.ask("PUT", MODULE, TAIL, token(**changes)))[:2] == (400, 2001)
    assert not emsp.sandbox.memory["tokens"]


async def test_nobody_puts_anothers_token(emsp: Emsp) -> None:
    assert (await emsp.ask("PUT", MODULE, TAIL, token(), sender=PartyId("DE*MP2")))[:2] == (400, 2001)
