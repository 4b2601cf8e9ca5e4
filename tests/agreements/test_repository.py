"""Agreements kept in memory: read when something changed, and asked without a way to the database."""

from datetime import timedelta

import asyncpg
import pytest

from gateway.agreements.policy import Reason, Request
from gateway.agreements.repository import Agreements
from mappings.canonical.agreements import OfferState, Service
from mappings.canonical.ids import PartyId
from tests.agreed import agree
from tests.harness import OTHER, PARTY, later
from tests.services.charging import EMSP, Stations, stations

REQUEST = Request(Service.AUTHORISE, PARTY, EMSP, "NLABCE1")
STRANGER = PartyId("DE-DCB")


async def decided(s: Stations):
    return await s.agreements.decide(s.connection("a").id, REQUEST)


async def test_an_agreement_counts_at_once_and_at_other_replicas_once_they_look_for_changes(database_url):
    async with stations(database_url, "a") as s:
        assert (await decided(s)).reason is Reason.UNRESTRICTED
        await agree(s.links, "a", emsp=STRANGER)
        assert (await decided(s)).reason is Reason.NO_AGREEMENT
        mine = await agree(s.links, "a", emsp=EMSP)
        ref = (await decided(s)).ref
        assert ref is not None
        assert (ref.offer, ref.version, ref.subscription) == (mine, 1, None)


async def test_asking_costs_no_way_to_the_database(database_url):
    async with stations(database_url, "a") as s:
        await agree(s.links, "a", emsp=EMSP)
        before = await decided(s)
        await s.store.close()
        try:
            assert await decided(s) == before
            assert len(await s.agreements.candidates([s.connection("a")], REQUEST)) == 1
        finally:
            await s.store.open()


async def test_a_change_of_connections_alone_reads_no_agreement_anew(database_url):
    async with stations(database_url, "a") as s:
        offer = await agree(s.links, "a")
        assert (await decided(s)).allowed
        await s.store.execute("UPDATE offer SET ends_at = $1, state = 'CANCELLED' WHERE id = $2", later(-1), offer)
        async with s.links.changing(alone=True):
            pass
        assert (await decided(s)).allowed  # nobody said that something changed
        async with s.links.changing():
            pass
        assert (await decided(s)).reason is Reason.ENDED


async def test_whoever_waits_at_a_station_is_not_kept_waiting_by_a_change_that_is_being_read(database_url):
    async with stations(database_url, "a") as s:
        number = s.connection("a").id
        hasty = Agreements(s.store, s.links, lambda: later(0), timedelta(milliseconds=1))
        assert (await hasty.decide(number, REQUEST)).reason is Reason.UNRESTRICTED
        await agree(s.links, "a", emsp=STRANGER)
        async with s.store.transaction() as tx:
            await tx.execute("LOCK TABLE offer")  # so that nothing can be read
            assert (await hasty.decide(number, REQUEST)).reason is Reason.UNRESTRICTED
        await hasty.book()
        assert (await hasty.decide(number, REQUEST)).reason is Reason.NO_AGREEMENT


async def test_what_cannot_be_read_is_said_to_who_asks_and_read_by_the_next(database_url):
    async with stations(database_url, "a") as s:
        await agree(s.links, "a", emsp=STRANGER)
        await s.store.execute("ALTER TABLE offer RENAME TO away")
        with pytest.raises(asyncpg.UndefinedTableError):
            await decided(s)
        await s.store.execute("ALTER TABLE away RENAME TO offer")
        assert (await decided(s)).reason is Reason.NO_AGREEMENT


async def test_a_draft_restricts_nobody_and_an_ended_offer_everybody(database_url):
    async with stations(database_url, "a") as s:
        await agree(s.links, "a", state=OfferState.DRAFT)
        assert (await decided(s)).reason is Reason.UNRESTRICTED
        await agree(s.links, "a", state=OfferState.ENDED, ends=later(-1))
        assert (await decided(s)).reason is Reason.ENDED
        other = Request(Service.AUTHORISE, OTHER, EMSP)
        assert (await s.agreements.decide(s.connection("a").id, other)).reason is Reason.UNRESTRICTED


async def test_an_offer_restricts_from_its_first_moment(database_url):
    async with stations(database_url, "a") as s:
        await agree(s.links, "a", emsp=STRANGER, starts=later(60))
        assert (await decided(s)).reason is Reason.UNRESTRICTED
        afterwards = Agreements(s.store, s.links, lambda: later(60))
        assert (await afterwards.decide(s.connection("a").id, REQUEST)).reason is Reason.NO_AGREEMENT


@pytest.mark.parametrize("listed", [True, False])
async def test_of_evse_groups_only_those_are_read_whose_members_changed(database_url, listed):
    async with stations(database_url, "a") as s:
        await s.store.execute("INSERT INTO evse_group (id, party, name) VALUES ('fast', 'NLABC', 'Fast')")
        member = "INSERT INTO evse_group_member (group_id, evse_key, evse_id) VALUES ('fast', $1, $1)"
        await s.store.execute(member, "NLABCE1" if listed else "NLABCE2")
        await agree(s.links, "a", evse_groups=("fast",))
        assert (await decided(s)).reason is (Reason.AGREED if listed else Reason.OTHER_EVSES)
        await s.store.execute(member, "NLABCE2" if listed else "NLABCE1")
        await agree(s.links, "a", evse_groups=("fast",))
        assert (await decided(s)).allowed is listed  # the group says that nothing changed
        await s.store.execute("UPDATE evse_group SET revision = 2")
        await agree(s.links, "a", evse_groups=("fast",))
        assert (await decided(s)).allowed
