"""Agreements in the store: added, ended, audited, and asked without a way to the database."""

import json
from datetime import timedelta

import pytest

from adapters.core.connection import Mode
from gateway.agreements.model import EVERY_SERVICE, Service
from gateway.agreements.policy import Reason, Request
from gateway.agreements.repository import Agreements
from gateway.services.ports import BadCursor, Conflict, Invalid, NotFound
from gateway.services.ports.agreements import NewAgreement
from mappings.canonical.ids import PartyId
from tests.harness import AT, PARTY, WHO, later
from tests.services.charging import EMSP, Stations, stations

REQUEST = Request(Service.AUTHORISE, PARTY, EMSP)
EVERYBODY = NewAgreement("a", EVERY_SERVICE, 100)


def for_emsp(emsp: PartyId, **changes) -> NewAgreement:
    return NewAgreement(**{"connection": "a", "services": EVERY_SERVICE, "rank": 100, "emsp": emsp, **changes})


async def decided(s: Stations):
    return await s.agreements.decide(s.connection("a").id, REQUEST)


async def test_an_agreement_counts_at_once_and_at_other_replicas_once_they_look_for_changes(database_url):
    async with stations(database_url, "a") as s:
        assert (await decided(s)).reason is Reason.UNRESTRICTED
        view = await s.agreements.create(for_emsp(PartyId("DE-DCB"), party=PARTY, valid_to=later(60)), WHO)
        assert (await decided(s)).reason is Reason.OTHER_EMSP
        assert (view.valid_from, view.valid_to, view.party) == (AT, later(60), PARTY)
        mine = await s.agreements.create(for_emsp(EMSP), WHO)
        assert (await decided(s)).agreement_id == mine.id


async def test_asking_costs_no_way_to_the_database(database_url):
    async with stations(database_url, "a") as s:
        await s.agreements.create(for_emsp(EMSP), WHO)
        before = await decided(s)
        await s.store.close()
        try:
            assert await decided(s) == before
            assert len(await s.agreements.candidates([s.connection("a")], REQUEST)) == 1
        finally:
            await s.store.open()


async def test_a_change_of_a_connection_reads_agreements_anew(database_url):
    async with stations(database_url, "a") as s:
        await decided(s)
        await s.store.execute(
            "INSERT INTO agreement (connection_id, services) VALUES ($1, '{cdr}')", s.connection("a").id
        )
        assert (await decided(s)).allowed  # nobody said that something changed
        await s.change("a", "mode", Mode.SHADOW.value)
        assert (await decided(s)).reason is Reason.OTHER_SERVICE


async def test_an_ended_agreement_keeps_restricting_its_connection(database_url):
    async with stations(database_url, "a") as s:
        view = await s.agreements.create(EVERYBODY, WHO)
        assert (await decided(s)).allowed
        ended = await s.agreements.end(view.id, None, WHO)
        assert ended.valid_to == AT
        assert (await decided(s)).reason is Reason.ENDED
        with pytest.raises(Conflict, match="ended already"):
            await s.agreements.end(view.id, None, WHO)


async def test_an_agreement_can_end_on_a_day_to_come(database_url):
    async with stations(database_url, "a") as s:
        view = await s.agreements.create(EVERYBODY, WHO)
        await s.agreements.end(view.id, later(3600), WHO)
        assert (await decided(s)).allowed
        sooner = await s.agreements.end(view.id, later(60), WHO)
        assert sooner.valid_to == later(60)


async def test_an_agreement_that_is_ended_before_it_began_never_holds(database_url):
    async with stations(database_url, "a") as s:
        view = await s.agreements.create(for_emsp(EMSP, valid_from=later(3600)), WHO)
        ended = await s.agreements.end(view.id, None, WHO)
        assert ended.valid_to == ended.valid_from
        after = Agreements(s.store, s.links, lambda: later(3600))
        assert not (await after.decide(s.connection("a").id, REQUEST)).allowed


@pytest.mark.parametrize(
    ("at", "field"), [(AT - timedelta(hours=1), "at"), (later(1800), "at")], ids=["past", "before its beginning"]
)
async def test_an_end_that_makes_no_sense_is_refused(database_url, at, field):
    async with stations(database_url, "a") as s:
        view = await s.agreements.create(for_emsp(EMSP, valid_from=later(3600)), WHO)
        with pytest.raises(Invalid) as refused:
            await s.agreements.end(view.id, at, WHO)
        assert refused.value.problems[0][0] == field


async def test_what_does_not_exist_cannot_be_agreed_with_nor_ended(database_url):
    async with stations(database_url, "a") as s:
        with pytest.raises(NotFound, match="connection"):
            await s.agreements.create(NewAgreement("b", EVERY_SERVICE, 1), WHO)
        with pytest.raises(NotFound, match="agreement"):
            await s.agreements.end(7, None, WHO)
        with pytest.raises(Invalid):
            await s.agreements.create(for_emsp(EMSP, valid_from=later(1), valid_to=later(1)), WHO)
        with pytest.raises(NotFound, match="connection"):
            await s.agreements.list("b", None, 10)


async def test_agreements_are_listed_page_by_page(database_url):
    async with stations(database_url, "a", "b") as s:
        for name in ("a", "b", "a"):
            await s.agreements.create(NewAgreement(name, frozenset({Service.CDR}), 7), WHO)
        page = await s.agreements.list(None, None, 2)
        rest = await s.agreements.list(None, page.next, 2)
        assert [(one.id, one.connection) for one in (*page.items, *rest.items)] == [(1, "a"), (2, "b"), (3, "a")]
        assert [one.id for one in (await s.agreements.list("a", None, 9)).items] == [1, 3]
        with pytest.raises(BadCursor):
            await s.agreements.list(None, "nonsense", 9)


async def test_every_change_is_audited_with_who_and_what(database_url):
    async with stations(database_url, "a") as s:
        view = await s.agreements.create(for_emsp(EMSP, rank=3), "ann")
        await s.agreements.end(view.id, later(60), "bob")
        rows = await s.store.fetch("SELECT who, action, subject, detail FROM audit ORDER BY id")
        assert [(row["who"], row["action"], row["subject"]) for row in rows] == [
            ("ann", "created", "agreement/1"),
            ("bob", "ended", "agreement/1"),
        ]
        assert json.loads(rows[0]["detail"])["emsp"] == EMSP.normal
        assert json.loads(rows[1]["detail"])["valid_to"] == later(60).isoformat()


async def test_a_removed_connection_takes_its_agreements_along(database_url):
    async with stations(database_url, "a") as s:
        await s.agreements.create(EVERYBODY, WHO)
        async with s.links.changing() as tx:
            await tx.execute("DELETE FROM connection")
        assert (await s.agreements.list(None, None, 9)).items == []
