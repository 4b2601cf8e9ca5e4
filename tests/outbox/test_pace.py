"""Operations of which a hub takes few requests a minute."""

from datetime import timedelta

from tests.harness import Rig, evse, location, rig, tariff

PRICING = {"price": "0.6", "currency": "EUR", "power": "22", "per_minute": 12}


def pushes(gateway: Rig) -> int:
    return gateway.hubject.requests["pricing_products", "ok"]


async def test_what_comes_until_the_next_request_goes_with_it(database_url: str) -> None:
    async with rig(database_url, "hubject", hubject_settings={"pricing": PRICING}) as gateway:
        await gateway.put_tariffs(tariff())
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1", tariffs=["T1"])))
        await gateway.settled()
        store = gateway.app.store
        # However long it takes to write these.
        await store.execute("UPDATE pace SET next_at = now() + interval '1 hour' WHERE operation = 'pricing_products'")
        for number in range(5):
            await gateway.put_tariffs(tariff(price=f"1.{number}"), tariff(f"N{number}"))
        assert pushes(gateway) == 1
        await store.execute("UPDATE pace SET next_at = now() WHERE operation = 'pricing_products'")
        await gateway.settled()
        assert pushes(gateway) == 3  # one, an update and an insert


async def test_whoever_ends_while_it_waits_takes_no_ones_turn(database_url: str) -> None:
    async with rig(database_url, "hubject", hubject_settings={"pricing": PRICING}) as gateway:
        outbox, store = gateway.app.outbox, gateway.app.store
        link = gateway.app.links.by_name("hubject")
        assert link is not None
        interval = link.adapter.profile.operations["pricing_products"].interval
        assert interval == timedelta(seconds=5)
        interval = timedelta(hours=1)  # which is not over before all have asked
        place = (link.connection.id, "pricing_products")
        assert await outbox.turn_in(*place) == 0
        assert await outbox.turn(*place, interval) == 0
        waits = [await outbox.turn(*place, interval) for _ in range(10)]
        assert all(0 < seconds <= 3600 for seconds in waits)
        assert waits == sorted(waits, reverse=True)
        await store.execute("UPDATE pace SET next_at = now() WHERE operation = 'pricing_products'")
        assert await outbox.turn(*place, interval) == 0
