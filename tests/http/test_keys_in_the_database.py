"""API keys in the database itself."""

from gateway.services.keys import KeyRole, Keys
from mappings.canonical.ids import PartyId
from tests.http.fakes import Ticks


async def test_a_key_is_made_recognised_listed_and_revoked(store):
    keys, ticks = Keys(store, None, Ticks()), Ticks()
    elsewhere = Keys(store, None, ticks)
    key, view = await keys.create("backend", [PartyId("frabc"), PartyId("+49*810")], [KeyRole.PUBLISH])
    identity = await elsewhere.identify(key)
    assert identity.name == f"key {view.id} (backend)"
    assert identity.parties == {PartyId("FR*ABC"), PartyId("+49*810")}
    assert identity.roles == {KeyRole.PUBLISH, KeyRole.READ}
    assert [each.name for each in await keys.list()] == ["backend"]
    assert await keys.revoke(view.id)
    assert not await keys.revoke(view.id)
    assert await keys.identify(key) is None
    ticks.now += 10
    assert await elsewhere.identify(key) is None
    assert (await keys.list())[0].revoked_at is not None


async def test_a_key_without_parties_speaks_for_all(store):
    keys = Keys(store, None, Ticks())
    key, _ = await keys.create("operations", [], [KeyRole.ADMIN])
    identity = await keys.identify(key)
    assert identity.parties is None
    assert identity.speaks_for(PartyId("FR*ABC"))
