"""What was there before settlements is settled as if it came since."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from importlib.resources import files

import pytest

from gateway.services.ports.received import Verdict
from gateway.store.pool import Store
from tests.harness import PARTY, WHO, later
from tests.services.homecoming import token
from tests.services.pricing import Desk, bill, desk
from tests.services.roaming import Roaming, agreed, cdr, ended, leg, session

_MIGRATION = (files("gateway.store") / "migrations" / "0008_settlement.before.sql").read_text()
_ENTRIES = (
    "SELECT subject, sign, ended_at, cpo, connection, country, agreed::text AS agreed FROM settlement_entry ORDER BY no"
)


async def entries(store: Store) -> list[tuple[object, ...]]:
    """What is settled, in order for each CDR."""
    rows = [tuple(row) for row in await store.fetch(_ENTRIES)]
    return sorted(rows, key=lambda row: abs(int(str(row[0]))))


async def filled(store: Store) -> list[tuple[object, ...]]:
    """What the migration makes of what is there."""
    [fill] = re.findall(r"-- What is there already\.\n(.*?)CREATE TRIGGER", _MIGRATION, re.DOTALL)
    await store.execute("DELETE FROM settlement_entry")
    await store.execute("DELETE FROM billing_party_version")
    async with store.transaction() as tx:
        await tx.execute(fill)
    return await entries(store)


async def charge(hubs: Roaming, number: int, takes_credit: bool) -> None:
    """A charge with its CDR, at a hub of its own."""
    await hubs.connect(f"hub-{number}")
    hub = hubs.hubs[f"hub-{number}"]
    hub.charging = replace(hub.charging, takes_credit=takes_credit)
    at = later(300 + number)
    await hubs.admit(f"a-{number}", f"hub-{number}", leg=leg(f"r-{number}", hub_session=f"h-{number}"), at=at)
    reference = f"a-{number}"
    await hubs.put(session(f"s-{number}", reference=reference))
    await hubs.put(ended(f"s-{number}", reference=reference))
    await hubs.accept(cdr(f"c-{number}", f"s-{number}", reference=reference))


async def test_own_cdrs_of_before_are_settled_with_what_became_of_them(hubs: Roaming, store: Store) -> None:
    for number, takes_credit in ((1, True), (2, True), (3, False), (4, False)):
        await charge(hubs, number, takes_credit)
    await hubs.cdrs.correct(PARTY, "c-2", agreed(energy=10), WHO)  # credited
    await hubs.cdrs.correct(PARTY, "c-3", agreed(energy=10), WHO)  # agreed on, twice
    await hubs.cdrs.correct(PARTY, "c-3", agreed(energy=9), WHO)
    await hubs.settle("refused")
    await hubs.cdrs.correct(PARTY, "c-4", agreed(energy=10), WHO)  # replaced
    before = await entries(store)
    assert [row[:2] for row in before] == [
        *((1, 1), (2, 1), (2, -1)),
        *((3, 1), (3, -1), (3, 1), (3, -1), (3, 1)),
        *((4, 1), (4, -1), (6, 1), (7, 1)),
    ]
    assert await filled(store) == before


@pytest.fixture
async def at(store: Store) -> AsyncIterator[Desk]:
    async with desk(store) as made:
        await made.home.station()
        await made.home.put(token())
        await made.home.permit()
        yield made


async def test_received_cdrs_of_before_are_settled_as_far_as_they_stand(at: Desk, store: Store) -> None:
    await at.home.bill(bill("c-1", reference="p-1"))
    await at.home.bill(bill("c-2", reference="nobody's", start=later(9000), end=later(9600)))
    await at.home.bill(bill("c-3", reference="nobody's", start=later(19000), end=later(19600)))
    second, third = (await at.home.cdrs())[1:]
    assert second.review
    await at.home.desk.decide(None, second.id, Verdict.ACCEPTED, "it is ours", WHO)
    await at.home.desk.decide(None, third.id, Verdict.REJECTED, "it is not", WHO)
    before = await entries(store)
    assert [row[:2] for row in before] == [(-1, 1), (-2, 1)]
    assert await filled(store) == before
