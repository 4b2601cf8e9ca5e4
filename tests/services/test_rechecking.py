"""What came home and waits for a person, judged anew by what is known by now."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from gateway.services.ports import Conflict, NotFound
from gateway.services.ports.received import CdrStanding, Review, Verdict
from gateway.store.pool import Store
from mappings.canonical.ids import PartyId
from tests.services.homecoming import EMSP, START, UID, Home, cdr, home, session, token

ELSEWHERE = {"id": "L2", "evse_uid": "U2", "connector_id": "1", "evse_id": "NL*CPO*E2"}
CARD_2 = {"type": "RFID", "uid": "04FFFFFFFFFF80"}


@pytest.fixture
async def at(store: Store) -> AsyncIterator[Home]:
    """The services, with a permit at any EVSE."""
    async with home(store) as made:
        await made.permit("p-1", evse_key=None)
        yield made


async def age(at: Home, hours: int = 1) -> None:
    """Has what came come some time ago."""
    for table, column in (("received_session", "created_at"), ("received_cdr", "received_at")):
        await at.store.execute(
            f"UPDATE {table} SET checked_at = checked_at - $1::interval, {column} = {column} - $1::interval",
            timedelta(hours=hours),
        )


async def test_a_cdr_whose_evse_comes_later_is_accepted_when_a_person_has_it_checked(at: Home) -> None:
    assert await at.reviews(cdr(session_id=None, reference="p-1", location=ELSEWHERE)) == [Review.UNKNOWN_EVSE]
    [bill] = await at.cdrs()
    assert (await at.desk.check_cdr(None, bill.id, "somebody")).review == [Review.UNKNOWN_EVSE]
    await at.station("L2", "U2", "NL*CPO*E2")
    view = await at.desk.check_cdr([EMSP], bill.id, "somebody")
    assert (view.review, view.doubts, view.standing, view.evse) == ([], [], CdrStanding.ACCEPTED, "NLCPOE2")
    told = [name for name, _ in await at.events()]
    assert told.count("received_cdr.review") == 1
    assert told.count("received_cdr.accepted") == 1
    assert [outcome for _, outcome, _ in at.counted.cdrs] == ["review", "accepted"]
    audited = await at.store.fetch("SELECT who, action, subject FROM audit WHERE action = 'checked'")
    assert [tuple(row) for row in audited] == [("somebody", "checked", f"received-cdr/{bill.id}")] * 2
    with pytest.raises(Conflict, match="does not wait"):
        await at.desk.check_cdr(None, bill.id, "somebody")


async def test_a_cdr_whose_drivers_token_comes_later_becomes_its_emsps(at: Home) -> None:
    lone = cdr(session_id=None, identification=CARD_2, auth_method="WHITELIST")
    assert await at.reviews(lone) == [Review.UNKNOWN_DRIVER]
    [bill] = await at.cdrs()
    assert bill.party is None
    await at.put(token(CARD_2["uid"], contract_id="FR-EMS-C00000002", whitelist="ALLOWED"))
    view = await at.desk.check_cdr(None, bill.id, "somebody")
    assert (view.party, view.review) == (EMSP, [])


async def test_a_session_is_judged_anew_and_takes_its_permit(at: Home) -> None:
    await at.store.execute("UPDATE permit SET allowed = false")
    view = await at.tell(session(location_id="L2", evse_uid="U2"))
    assert view.review == [Review.UNKNOWN_EVSE, Review.UNKNOWN_PERMIT]
    await at.permit("p-2", evse_key="NLCPOE2")
    await at.station("L2", "U2", "NL*CPO*E2")
    again = await at.desk.check_session([EMSP], view.id, "somebody")
    assert (again.review, again.permit, again.evse) == ([], "p-2", "NLCPOE2")
    assert [name for name, _ in await at.events()][-1] == "received_session.changed"
    with pytest.raises(Conflict, match="does not wait"):
        await at.desk.check_session(None, view.id, "somebody")


async def test_what_lacked_only_knowledge_is_judged_anew_by_itself(at: Home) -> None:
    await at.tell(session(status="COMPLETED", reference="p-1", location_id="L2", evse_uid="U2"))
    await at.bill(cdr(location=ELSEWHERE))
    assert await at.rechecks.sweep() == 0
    await age(at)
    await at.station("L2", "U2", "NL*CPO*E2")
    assert await at.rechecks.sweep() == 2
    assert (await at.told("s-1")).review == []
    [bill] = await at.cdrs()
    assert (bill.standing, (await at.told("s-1")).cdr) == (CdrStanding.ACCEPTED, bill.id)
    assert await at.rechecks.sweep() == 0


async def test_what_a_person_has_to_see_is_not_judged_by_itself_nor_what_is_old(at: Home) -> None:
    await at.bill(cdr("c-1", None, reference="p-1", location=ELSEWHERE, energy=2000))
    await age(at)
    assert await at.rechecks.sweep() == 0
    await at.bill(cdr("c-2", None, identification=CARD_2))
    await age(at, 25)
    assert await at.rechecks.sweep() == 0


async def test_a_cdr_that_came_first_is_no_second_one_however_often_it_is_judged(at: Home) -> None:
    await at.tell(session(status="COMPLETED", reference="p-1", location_id="L2", evse_uid="U2"))
    await at.bill(cdr("c-1", location=ELSEWHERE), cdr("c-2", location=ELSEWHERE))
    await at.station("L2", "U2", "NL*CPO*E2")
    first, second = await at.cdrs()
    assert (await at.desk.check_cdr(None, second.id, "somebody")).review == [Review.SECOND_CDR]
    assert (await at.desk.check_cdr(None, first.id, "somebody")).review == []


async def test_a_cdr_is_its_sessions_also_where_it_names_none(at: Home) -> None:
    view = await at.tell(session(status="COMPLETED", reference="p-1"))
    await at.bill(cdr(session_id=None, energy=14))
    [bill] = await at.cdrs()
    assert (bill.session, bill.review) == (view.id, [Review.CONTRADICTS])
    again = await at.desk.check_cdr(None, bill.id, "somebody")
    assert (again.session, again.review) == (view.id, [Review.CONTRADICTS])


async def test_another_emsps_person_has_nothing_checked(at: Home) -> None:
    view = await at.tell(session(reference="p-1", location_id="L2", evse_uid="U2"))
    await at.bill(cdr("c-1", None, start=START, location=ELSEWHERE))
    [bill] = await at.cdrs()
    other = [PartyId("FR*ZZZ")]
    with pytest.raises(NotFound):
        await at.desk.check_session(other, view.id, "somebody")
    with pytest.raises(NotFound):
        await at.desk.check_cdr(other, bill.id, "somebody")
    await at.desk.decide(None, bill.id, Verdict.REJECTED, "none of ours", "somebody")
    with pytest.raises(Conflict, match="does not wait"):
        await at.desk.check_cdr(None, bill.id, "somebody")


async def test_no_uid_reaches_what_is_told_of_a_check(at: Home) -> None:
    await at.bill(cdr(session_id=None, reference="p-1", location=ELSEWHERE))
    await at.desk.check_cdr(None, (await at.cdrs())[0].id, "somebody")
    rows = await at.store.fetch("SELECT detail::text AS said FROM audit UNION ALL SELECT data::text FROM event")
    assert not any(UID in (row["said"] or "") for row in rows)
