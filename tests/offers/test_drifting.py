"""Disagreements of hubs with the record: noted without anybody waiting, shown, put aside, settled by themselves."""

import json
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from adapters.core.profile import Profile
from gateway.services.hub_offers.drifting import Drifting, Found
from gateway.services.links import Links
from gateway.services.ports import NotFound
from gateway.services.ports.offers import DriftKind
from gateway.store.pool import Store
from gateway.store.secrets import Cipher
from mappings.canonical.ids import PartyId
from tests.harness import KEY, PARTY, WHO, eventually

EMSP = PartyId("DE-XYZ")


@dataclass
class Counted:
    """Implements `Measures`."""

    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def drift(self, hub: str, connection: str, kind: str) -> None:
        self.counts[hub, connection, kind] += 1


class Quiet:
    """An adapter that nobody asks anything."""

    def __init__(self, _connection: object) -> None:
        self.profile = Profile("scripted", "none", {}, None)  # type: ignore[arg-type]
        self.charging = SimpleNamespace(messages={})

    async def close(self) -> None:
        pass


@dataclass
class Noting:
    store: Store
    links: Links
    drifting: Drifting
    counted: Counted
    wakes: list[None]

    @property
    def connection(self):
        link = self.links.by_name("a")
        assert link is not None
        return link.connection

    async def shown(self, connection: str | None = None):
        return (await self.drifting.list(connection, None, 100)).items

    async def compared(self, subject: str, *found: Found) -> None:
        async with self.store.transaction() as tx:
            await self.drifting.compared(tx, self.connection, subject, found)

    async def events(self):
        rows = await self.store.fetch("SELECT type, party, subject, data FROM event ORDER BY no")
        return [(row["type"], row["party"], row["subject"], json.loads(row["data"])) for row in rows]


@asynccontextmanager
async def noting(store: Store):
    links = Links(store, Cipher(KEY), {"scripted": Quiet})  # type: ignore[dict-item]
    counted, wakes = Counted(), []
    made = Noting(store, links, Drifting(store, links, counted, lambda: wakes.append(None)), counted, wakes)
    async with links.changing() as tx:
        for name in ("a", "b"):
            await tx.execute(
                "INSERT INTO connection (name, hub, mode, state, scope, settings)"
                " VALUES ($1, 'scripted', 'live', 'ready', '{}', '{}')",
                name,
            )
        await tx.execute("INSERT INTO party (id, body) VALUES ($1, '{}')", PARTY.normal)
    try:
        yield made
    finally:
        await links.close()


@pytest.fixture
async def noted(store):
    async with noting(store) as made:
        yield made


async def test_what_is_said_a_hundred_times_is_written_once_with_its_count(noted):
    for _ in range(100):
        noted.drifting.said_yes(noted.connection, PARTY, EMSP, "no_agreement")
    assert await noted.shown() == []  # nobody who waits at a station waits for this
    await noted.drifting.flush()
    [drift] = await noted.shown()
    assert (drift.kind, drift.subject, drift.ours, drift.theirs, drift.times) == (
        DriftKind.HUB_SAID_YES,
        "NL*ABC/DE*XYZ",
        "no_agreement",
        "yes",
        100,
    )
    assert noted.counted.counts["scripted", "a", "HUB_SAID_YES"] == 100
    noted.drifting.said_yes(noted.connection, PARTY, EMSP, "ended")
    await noted.drifting.flush()
    [drift] = await noted.shown()
    assert (drift.times, drift.ours) == (101, "ended")


async def test_only_the_first_of_equal_ones_is_told_and_only_to_those_who_are_ours(noted):
    for _ in range(2):
        noted.drifting.said_no(noted.connection, PARTY, EMSP, "210 No valid contract")
        await noted.drifting.flush()
    [(type_, party, subject, data)] = await noted.events()
    assert (type_, party, subject) == ("offer.drift", PARTY.normal, "offer-drifts/NL*ABC/DE*XYZ")
    assert data["kind"] == "HUB_SAID_NO"
    assert data["theirs"] == "210 No valid contract"
    assert noted.wakes


async def test_an_emsp_that_nobody_knows_has_its_disagreement_too(noted):
    noted.drifting.said_yes(noted.connection, PARTY, None, "no_agreement")
    await noted.drifting.flush()
    assert [drift.subject for drift in await noted.shown()] == ["NL*ABC/?"]


async def test_what_is_noted_is_written_by_itself_and_at_the_end(noted):
    noted.drifting.start()
    noted.drifting.note(noted.connection.id, DriftKind.HUB_SAID_YES, "one")

    async def there():
        return len(await noted.shown()) == 1

    await eventually(there, "the first one")
    noted.drifting.note(noted.connection.id, DriftKind.HUB_SAID_YES, "two")
    await noted.drifting.stop()
    assert {drift.subject for drift in await noted.shown()} == {"one", "two"}


async def test_what_a_removed_connection_disagreed_in_spoils_nothing(noted):
    noted.drifting.note(4711, DriftKind.HUB_SAID_YES, "gone")
    noted.drifting.note(noted.connection.id, DriftKind.HUB_SAID_YES, "here")
    await noted.drifting.flush()
    assert [drift.subject for drift in await noted.shown()] == ["here"]


async def test_what_agrees_again_is_settled_by_itself_and_the_rest_stays(noted):
    ends = Found(DriftKind.FIELD, "offer/O1", "ends", "2027-01-01", None, (PARTY,))
    audience = Found(DriftKind.FIELD, "offer/O1", "audience", None, ["DE*XYZ"], (PARTY,))
    other = Found(DriftKind.FIELD, "offer/O2", "ends")
    await noted.compared("offer/O1", ends, audience)
    await noted.compared("offer/O2", other)
    noted.drifting.note(noted.connection.id, DriftKind.HUB_SAID_YES, "offer/O1")
    await noted.drifting.flush()
    await noted.compared("offer/O1", ends)
    assert {(drift.kind, drift.subject, drift.field) for drift in await noted.shown()} == {
        (DriftKind.FIELD, "offer/O1", "ends"),
        (DriftKind.FIELD, "offer/O2", "ends"),
        (DriftKind.HUB_SAID_YES, "offer/O1", ""),
    }
    assert noted.counted.counts["scripted", "a", "FIELD"] == 3  # each once, however often it is read
    await noted.compared("offer/O1", Found(DriftKind.ONLY_HERE, "offer/O1"))
    assert (DriftKind.FIELD, "offer/O1") not in {(drift.kind, drift.subject) for drift in await noted.shown()}


async def test_what_somebody_puts_aside_is_gone_until_it_is_seen_again(noted):
    found = Found(DriftKind.FIELD, "offer/O1", "ends", "2027-01-01", None)
    await noted.compared("offer/O1", found)
    await noted.drifting.settle("a", DriftKind.FIELD, "offer/O1", "ends", WHO)
    assert await noted.shown() == []
    with pytest.raises(NotFound):
        await noted.drifting.settle("a", DriftKind.FIELD, "offer/O1", "ends", WHO)
    audit = await noted.store.fetchrow("SELECT who, action, subject FROM audit WHERE action = 'settled'")
    assert tuple(audit) == (WHO, "settled", "offer-drift/offer/O1")
    await noted.compared("offer/O1", found)
    assert len(await noted.shown()) == 1


async def test_disagreements_are_shown_by_connection_and_page_the_newest_first(noted):
    for number in range(5):
        noted.drifting.note(noted.connection.id, DriftKind.HUB_SAID_YES, f"s{number}")
        await noted.drifting.flush()
    assert [drift.subject for drift in await noted.shown("a")] == ["s4", "s3", "s2", "s1", "s0"]
    assert await noted.shown("b") == []
    first = await noted.drifting.list("a", None, 2)
    second = await noted.drifting.list("a", first.next, 2)
    assert [drift.subject for drift in second.items] == ["s2", "s1"]
    with pytest.raises(NotFound):
        await noted.drifting.list("nobody", None, 2)
