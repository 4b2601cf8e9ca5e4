"""API keys in the database itself."""

from gateway.services.keys import KeyRole, Keys
from mappings.canonical.ids import PartyId
from tests.http.fakes import Ticks


async def test_a_key_is_made_recognised_listed_and_revoked(store):
    keys, ticks = Keys(store, None, Ticks()), Ticks()
    elsewhere = Keys(store, None, ticks)
    key, view = await keys.create("backend", [PartyId("frabc"), PartyId("+49*810")], [KeyRole.PUBLISH], "a person")
    identity = await elsewhere.identify(key)
    assert identity.name == f"key {view.id} (backend)"
    assert identity.parties == {PartyId("FR*ABC"), PartyId("+49*810")}
    assert identity.roles == {KeyRole.PUBLISH, KeyRole.READ}
    assert [each.name for each in await keys.list()] == ["backend"]
    assert await keys.revoke(view.id, "a person")
    assert not await keys.revoke(view.id, "a person")
    assert await keys.identify(key) is None
    ticks.now += 10
    assert await elsewhere.identify(key) is None
    assert (await keys.list())[0].revoked_at is not None


async def test_a_key_without_parties_speaks_for_all(store):
    keys = Keys(store, None, Ticks())
    key, _ = await keys.create("operations", [], [KeyRole.ADMIN], "a person")
    identity = await keys.identify(key)
    assert identity.parties is None
    assert identity.speaks_for(PartyId("FR*ABC"))


async def test_making_and_revoking_are_audited_without_the_key(store):
    keys = Keys(store, None, Ticks())
    key, view = await keys.create("backend", [PartyId("FR*ABC")], [KeyRole.READ], "alice")
    await keys.revoke(view.id, "bob")
    await keys.revoke(view.id, "carol")
    rows = await store.fetch("SELECT who, action, subject, detail::text AS detail FROM audit ORDER BY id")
    assert [(row["who"], row["action"], row["subject"]) for row in rows] == [
        ("alice", "create", f"key {view.id}"),
        ("bob", "revoke", f"key {view.id}"),
    ]
    assert "FR*ABC" in rows[0]["detail"]
    assert key not in str([dict(row) for row in rows])
