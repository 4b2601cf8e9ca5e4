"""What hubs should know of driver tokens: projected with the write, claimed as they are by then."""

import pytest

from adapters.core.connection import Scope
from gateway.outbox.repository import Outbox
from gateway.services.ports.driver_tokens import Whose
from mappings.canonical.tokens import TokenType
from tests.harness import AT, PARTY, WHO, idle, location
from tests.services.driving import EMSP, OTHER_EMSP, UID, Driving, driving, token

KEY = f"FR*EMS/RFID/{UID}"


@pytest.fixture
async def emsp(store):
    async with driving(store) as made:
        yield made


async def claimed(emsp: Driving):
    """What a worker would tell the hub now."""
    [lane] = await Outbox(emsp.store, "test").claim(
        emsp.connection().id, "tokens", emsp.connection().scope, max_items=100, max_lanes=1
    )
    return [one.item for one in lane.claimed]


async def test_a_token_is_claimed_as_it_is_by_then(emsp):
    await emsp.put(token(driver="d-1"))
    await emsp.tokens.switch(Whose(EMSP, driver="d-1"), WHO, valid=False)
    [item] = await claimed(emsp)
    assert (item.key, item.gone, item.evse_uid, item.status) == (KEY, False, None, None)
    assert (item.subject.uid, item.subject.valid) == (UID, False)
    assert not hasattr(item.subject, "driver")


async def test_a_withdrawn_token_is_claimed_as_gone_with_what_it_was_not_valid(emsp):
    await emsp.put(token())
    await emsp.tokens.withdraw(EMSP, TokenType.RFID, UID, WHO)
    [item] = await claimed(emsp)
    assert (item.gone, item.subject.valid, item.subject.uid) == (True, False, UID)


async def test_everything_is_claimed_for_a_full_synchronisation(emsp):
    await emsp.put(token(), token("04FF"), token("04AA", party=OTHER_EMSP))
    number = emsp.connection().id
    lane = await Outbox(emsp.store, "test").claim_everything(number, "tokens", Scope(), most=10)
    assert {one.item.subject.uid for one in lane.claimed} == {UID, "04FF", "04AA"}


async def test_tokens_and_locations_do_not_meet_in_one_connection(database_url):
    """A hub that knows us as a CPO has no tokens; tokens are no reason to tell it anything."""
    async with idle(database_url, "hubject") as gateway:
        await gateway.put(location())
        before = await gateway.app.store.fetchval("SELECT count(*) FROM projection")
        await gateway.app.services.driver_tokens.put([(token(party=PARTY), ())], WHO)
        assert await gateway.app.store.fetchval("SELECT count(*) FROM projection") == before > 0
        assert await gateway.app.store.fetchval("SELECT count(*) FROM projection WHERE driver_token_no > 0") == 0


PROVIDER = {"sandbox": True, "provider_id": "FR-EMS", "base_url": "http://127.0.0.1:9"}


async def keys_of(gateway, name):
    number = gateway.app.links.by_name(name).connection.id
    rows = await gateway.app.store.fetch(
        "SELECT key, gone, driver_token_no, location_no FROM projection WHERE connection_id = $1", number
    )
    assert all(row["driver_token_no"] is not None and row["location_no"] is None for row in rows)
    return {row["key"]: row["gone"] for row in rows}


async def test_a_new_connection_is_told_the_tokens_that_are_there_and_no_locations(database_url):
    async with idle(database_url) as gateway:
        await gateway.put(location())
        tokens = gateway.app.services.driver_tokens
        await tokens.put([(token(f"{number:014X}"), ()) for number in range(3)], WHO)
        await tokens.withdraw(EMSP, TokenType.RFID, f"{2:014X}", WHO)
        await gateway.connect("hubject-emp", PROVIDER)
        assert len(await keys_of(gateway, "hubject-emp")) == 2
        await gateway.put(location("L2"))
        assert len(await keys_of(gateway, "hubject-emp")) == 2


async def test_a_changed_scope_withdraws_and_brings_back_tokens(database_url):
    async with idle(database_url) as gateway:
        await gateway.app.services.driver_tokens.put([(token(), ())], WHO)
        await gateway.connect("hubject-emp", PROVIDER)
        connections = gateway.app.services.connections
        await connections.set_scope("hubject-emp", Scope(parties=frozenset({OTHER_EMSP})), WHO)
        assert list((await keys_of(gateway, "hubject-emp")).values()) == [True]
        await connections.set_scope("hubject-emp", Scope(parties=frozenset({EMSP})), WHO)
        assert list((await keys_of(gateway, "hubject-emp")).values()) == [False]


async def test_issues_of_a_hub_are_counted_for_the_token_s_emsp(emsp):
    await emsp.put(token(last_updated=AT))
    await emsp.store.execute(
        "INSERT INTO issue (connection_id, key, operation, issues) VALUES ($1, $2, 'tokens', $3)",
        emsp.connection().id,
        KEY,
        [["lost", "issuer", "has no place", None]],
    )
    [issue] = await emsp.tokens.issues(EMSP, TokenType.RFID, UID)
    assert (issue.connection, issue.operation, issue.key) == ("hub", "tokens", KEY)
