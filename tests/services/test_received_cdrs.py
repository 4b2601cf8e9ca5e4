"""CDRs of our drivers that come home: taken once, held against what is known."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import pytest

from adapters.core.charging import Denial
from adapters.core.inbound import CdrTaken
from gateway.services.drivers.permits import deny_permit
from gateway.services.ports import Conflict, NotFound
from gateway.services.ports.received import CdrStanding, PriceSource, ReceivedFilter, Review, Verdict
from gateway.store.pool import Store
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import AuthMethod, SessionStatus
from mappings.canonical.tokens import Identification, TokenType
from tests.harness import later
from tests.services.homecoming import (
    CARD,
    CPO,
    END,
    NOW,
    OTHER_CPO,
    START,
    UID,
    Home,
    cdr,
    digest,
    home,
    news,
    session,
    token,
)

STRANGER = Identification(type=TokenType.RFID, uid="04FFFFFFFFFFFF")
NEW, SAME, CONFLICT = CdrTaken.NEW, CdrTaken.SAME, CdrTaken.CONFLICT
FREE = {"start": later(3 * 3600), "end": later(4 * 3600), "last_updated": later(4 * 3600)}
"""Another time than that of the permits and sessions here."""


@pytest.fixture
async def at(store: Store) -> AsyncIterator[Home]:
    """The services, and a permit under which a session ended."""
    async with home(store) as made:
        await made.permit("p-1")
        await made.tell(session(status="COMPLETED", reference="p-1"))
        yield made


@pytest.fixture
async def alone(store: Store) -> AsyncIterator[Home]:
    """The services, and no permit or session."""
    async with home(store) as made:
        yield made


def stored(**changes: object) -> dict[str, object]:
    """The parts of a CDR's place that change."""
    return {"location": {"id": "L1", "evse_uid": "U1", "connector_id": "1", "evse_id": "NL*CPO*E1"} | changes}


async def test_a_cdr_that_fits_is_accepted_and_bills_its_session(at: Home) -> None:
    assert await at.bill(cdr(reference="p-1")) == [NEW]
    [view] = await at.cdrs()
    told = await at.told("s-1")
    assert (view.standing, view.review, view.permit, view.session) == (CdrStanding.ACCEPTED, [], "p-1", told.id)
    assert (told.cdr, view.price_source) == (view.id, PriceSource.CPO)
    assert (await at.events())[-1] == (
        "received_cdr.accepted",
        {
            "id": view.id,
            "cdr_id": "c-1",
            "version": 1,
            "cpo": "NL*CPO",
            "party": "FR*EMS",
            "connection": "hub",
            "session": told.id,
            "permit": "p-1",
            "evse": "NLCPOE1",
            "energy": 10,
            "price_source": "cpo",
        },
    )
    assert at.counted.cdrs == [("hub", "accepted", Decimal(10))]
    assert await at.alarms.look() == 0


async def test_the_same_cdr_again_is_the_same(at: Home) -> None:
    assert await at.bill(cdr(), cdr()) == [NEW, SAME]
    assert len(await at.cdrs()) == 1
    assert at.counted.cdrs[-1][1] == "same"


async def test_the_same_cdr_in_another_spelling_is_the_same(at: Home) -> None:
    again = cdr("C-1", "S-1", **stored(evse_id="NLCPOE1"), last_updated=END + timedelta(minutes=1))
    assert digest(again) != digest(cdr())
    assert await at.bill(cdr(), again) == [NEW, SAME]


async def test_another_content_under_a_known_id_is_kept_beside_the_first(at: Home) -> None:
    dearer = cdr(total_cost={"net": 5})
    assert await at.bill(cdr(), dearer, dearer, cdr()) == [NEW, CONFLICT, SAME, SAME]
    first, second = await at.cdrs()
    assert (first.standing, first.version) == (CdrStanding.ACCEPTED, 1)
    assert (second.standing, second.version, second.review) == (CdrStanding.REVIEW, 2, [Review.OTHER_CONTENT])
    kept = await at.received.get_cdr(at.connection(), CPO, "C-1")
    assert kept == first.cdr
    assert (await at.told("s-1")).cdr == first.id


async def test_one_id_at_two_cpos_is_two_cdrs(at: Home) -> None:
    await at.station("L1", "U1", "NL*ZZZ*E1", OTHER_CPO)
    await at.permit("p-2", cpo=OTHER_CPO, evse_key="NLZZZE1", at=later(3 * 3600))
    other = cdr(session_id=None, party=OTHER_CPO, reference="p-2", **stored(evse_id="NL*ZZZ*E1"), **FREE)
    assert await at.bill(cdr(), other) == [NEW, NEW]
    assert [view.review for view in await at.cdrs()] == [[], []]


async def test_a_second_cdr_of_a_session_waits(at: Home) -> None:
    assert await at.reviews(cdr(), cdr("c-2")) == [Review.SECOND_CDR]
    assert (await at.told("s-1")).cdr == (await at.cdrs())[0].id


async def test_a_second_cdr_of_a_permit_without_session_waits(alone: Home) -> None:
    await alone.permit("p-1")
    assert await alone.reviews(cdr(session_id=None, reference="p-1")) == []
    assert await alone.reviews(cdr("c-2", "s-2", reference="p-1")) == [Review.SECOND_CDR]


async def test_the_same_charge_over_two_hubs_waits(alone: Home) -> None:
    await alone.connect("other")
    await alone.station(over="other")
    await alone.permit("p-1")
    await alone.permit("p-2", over="other")
    assert await alone.reviews(cdr(reference="p-1")) == []
    assert await alone.reviews(cdr("c-9", "s-9", reference="p-2"), over="other") == [Review.DUPLICATE]


async def test_a_cdr_that_is_not_like_any_other_but_overlaps_nothing_is_no_duplicate(alone: Home) -> None:
    await alone.permit("p-1")
    await alone.permit("p-2", at=later(3 * 3600))
    assert await alone.reviews(cdr(reference="p-1")) == []
    assert await alone.reviews(cdr("c-2", "s-2", reference="p-2", **FREE)) == []


async def test_a_cdr_may_come_before_its_session(alone: Home) -> None:
    await alone.permit("p-1")
    assert await alone.reviews(cdr(reference="p-1")) == []
    view = await alone.tell(session("S-1", status="COMPLETED", reference="p-1"))
    [bill] = await alone.cdrs()
    assert (view.cdr, bill.session, view.review) == (bill.id, view.id, [])


async def test_a_session_that_contradicts_its_earlier_cdr_waits(alone: Home) -> None:
    await alone.permit("p-1")
    await alone.bill(cdr(reference="p-1"))
    await alone.tell(session(status="ACTIVE", reference="p-1"))
    view = await alone.tell(session(status="COMPLETED", energy=3, reference="p-1"))
    assert view.review == [Review.CONTRADICTS]


async def test_a_cdr_may_come_without_any_session(alone: Home) -> None:
    await alone.permit("p-1")
    assert await alone.reviews(cdr(session_id=None, reference="p-1")) == []
    [view] = await alone.cdrs()
    assert (view.session, view.permit) == (None, "p-1")


async def test_a_cdr_without_names_is_found_by_driver_evse_and_time(alone: Home) -> None:
    await alone.permit("p-1")
    assert await alone.reviews(cdr(session_id=None)) == []
    assert (await alone.cdrs())[0].permit == "p-1"


async def test_a_cdr_without_names_finds_the_session_that_ran_then(at: Home) -> None:
    assert await at.reviews(cdr(session_id=None)) == []
    assert (await at.cdrs())[0].session == (await at.told("s-1")).id


async def test_a_cdr_by_the_hubs_leg_finds_the_session_that_was_told_piece_by_piece(alone: Home) -> None:
    await alone.permit("p-1", hub_session="H-1")
    await alone.hear(news(START, status="ACTIVE", start=START))
    leg = Leg(hub_session="h-1", identification=CARD)
    assert await alone.reviews(cdr(session_id="of-the-cpo"), leg=leg) == []
    assert (await alone.cdrs())[0].session == (await alone.told("H-1")).id
    assert (await alone.told("H-1")).ended == END  # nobody else told


async def test_a_cdr_for_an_unknown_session_of_our_driver_waits(alone: Home) -> None:
    assert await alone.bill(cdr()) == [NEW]
    [view] = await alone.cdrs()
    assert (view.review, view.party) == ([Review.UNKNOWN_PERMIT], CARD.party)
    assert [type_ for type_, _ in await alone.events()] == ["received_cdr.review"]


async def test_a_cdr_of_nobodys_driver_waits_and_is_not_lost(alone: Home) -> None:
    assert await alone.bill(cdr(identification=STRANGER)) == [NEW]
    [view] = await alone.cdrs()
    assert (view.review, view.party) == ([Review.UNKNOWN_DRIVER], None)
    assert await alone.cdrs(parties=frozenset({CARD.party})) == []


async def test_a_cdr_under_a_denied_permit_waits(alone: Home) -> None:
    await deny_permit(alone.store, await alone.permit("p-1"), Denial.NOT_ALLOWED)
    assert await alone.reviews(cdr(reference="p-1")) == [Review.DENIED]


async def test_a_cdr_of_another_cpo_for_a_session_waits(at: Home) -> None:
    await at.station("L1", "U1", "NL*ZZZ*E1", OTHER_CPO)
    bill = cdr(party=OTHER_CPO, reference="p-1", **stored(evse_id="NL*ZZZ*E1"))
    assert Review.OTHER_PARTY in await at.reviews(bill)
    assert (await at.told("s-1")).cdr is None
    assert await at.reviews(cdr()) == []  # the CPO's own one is no second


async def test_an_evse_of_another_party_waits(at: Home) -> None:
    await at.station("L2", "U2", "NL*ZZZ*E2", OTHER_CPO)
    elsewhere = stored(id="L9", evse_uid="U9", evse_id="NL*ZZZ*E2")
    assert Review.OTHER_PARTY in await at.reviews(cdr(**elsewhere))
    assert Review.OTHER_PARTY in await at.reviews(cdr("c-2", **stored(id="L9", evse_uid="U9", evse_id="NL*QQQ*E5")))


async def test_an_evse_that_the_catalogue_does_not_have_waits(at: Home) -> None:
    unknown = stored(id="L9", evse_uid="U9", evse_id="NL*CPO*E99")
    assert await at.reviews(cdr(**unknown)) == [Review.CONTRADICTS, Review.UNKNOWN_EVSE]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"end": START - timedelta(seconds=1), "energy": 0, "time": 0}, Review.IMPLAUSIBLE_TIME),
        ({"end": START, "time": 0}, Review.IMPLAUSIBLE_TIME),
        ({"end": NOW + timedelta(minutes=6)}, Review.IMPLAUSIBLE_TIME),
        ({"time": 5}, Review.IMPLAUSIBLE_TIME),
        ({"energy": -1}, Review.IMPLAUSIBLE_ENERGY),
        ({"energy": 1001}, Review.IMPLAUSIBLE_ENERGY),
        ({"energy": 26}, Review.IMPLAUSIBLE_ENERGY),  # at 22 kW, in an hour
        ({"energy": 12}, Review.CONTRADICTS),  # the session's is 10 kWh
        ({"end": END + timedelta(hours=2)}, Review.CONTRADICTS),
        ({"total_cost": {"net": -4}}, Review.CONTRADICTS),
    ],
)
async def test_what_cannot_be_waits(at: Home, changes: dict[str, object], reason: Review) -> None:
    assert reason in await at.reviews(cdr(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"energy": 25},  # meters and clocks are not exact
        {"end": NOW + timedelta(minutes=4)},
        {"energy": 0},
    ],
)
async def test_what_is_just_possible_does_not_wait(alone: Home, changes: dict[str, object]) -> None:
    await alone.permit("p-1")
    assert await alone.reviews(cdr(reference="p-1", **changes)) == []


async def test_a_driver_that_only_the_contract_names_is_the_sessions(at: Home) -> None:
    contract = Identification(type=TokenType.APP_USER, contract_id="fremsc12345678")
    assert await at.reviews(cdr(identification=contract)) == []


async def test_another_driver_than_the_sessions_waits(at: Home) -> None:
    await at.put(token("04111111111111", contract_id="FR-EMS-C99999999"))
    other = Identification(type=TokenType.RFID, uid="04111111111111")
    assert await at.reviews(cdr(identification=other)) == [Review.CONTRADICTS]


async def test_whose_price_it_is_is_shown(at: Home) -> None:
    await at.bill(cdr(priced_by_hub=True), cdr("c-2", total_cost=None))
    assert [view.price_source for view in await at.cdrs()] == [PriceSource.HUB, PriceSource.NONE]


async def test_many_at_once_are_each_taken_once(alone: Home) -> None:
    bills = []
    for number in range(12):
        await alone.permit(f"p-{number}", at=later(3600 * number), evse_key=None)
        times = {"start": later(3600 * number), "end": later(3600 * number + 1800)}
        bills.append(cdr(f"c-{number}", f"s-{number}", reference=f"p-{number}", time=0.5, **times))
    alone.now = later(3600 * 20)
    taken = await asyncio.gather(*(alone.bill(one, one) for one in bills))
    assert taken == [[NEW, SAME]] * 12
    assert {view.standing for view in await alone.cdrs()} == {CdrStanding.ACCEPTED}


async def test_one_that_cannot_be_written_does_not_keep_the_others_back(at: Home) -> None:
    await at.permit("p-2", at=later(3 * 3600))
    good, bad = cdr(), cdr("c\0", reference="p-2", **FREE)
    results = await asyncio.gather(at.bill(good), at.bill(bad), return_exceptions=True)
    assert results[0] == [NEW]
    assert [view.cdr.id for view in await at.cdrs()] == ["c-1"]


async def test_a_person_accepts_a_cdr(alone: Home) -> None:
    await alone.bill(cdr())
    [view] = await alone.cdrs()
    decided = await alone.desk.decide(None, view.id, Verdict.ACCEPTED, "it is right", "somebody")
    assert (decided.standing, decided.review) == (CdrStanding.ACCEPTED, [Review.UNKNOWN_PERMIT])
    assert decided.decided is not None
    assert (decided.decided.why, decided.decided.who) == ("it is right", "somebody")
    [(_, data)] = await alone.events("received_cdr.decided")
    assert (data["decision"], data["id"]) == ("accepted", view.id)
    with pytest.raises(Conflict):
        await alone.desk.decide(None, view.id, Verdict.REJECTED, "no", "somebody else")
    audit = await alone.store.fetch("SELECT who, action, subject FROM audit WHERE subject LIKE 'received%'")
    assert [tuple(row) for row in audit] == [("somebody", "accepted", f"received-cdr/{view.id}")]


async def test_a_rejected_cdr_makes_room_for_the_next(at: Home) -> None:
    await at.bill(cdr(energy=20), cdr("c-2"))
    first, second = await at.cdrs()
    assert second.review == [Review.SECOND_CDR]
    await at.desk.decide(None, first.id, Verdict.REJECTED, "too much", "somebody")
    await at.desk.decide(None, second.id, Verdict.ACCEPTED, "the right one", "somebody")
    assert (await at.told("s-1")).cdr == second.id


async def test_what_needs_no_decision_gets_none(at: Home) -> None:
    await at.bill(cdr())
    [view] = await at.cdrs()
    with pytest.raises(Conflict):
        await at.desk.decide(None, view.id, Verdict.REJECTED, "no", "somebody")
    with pytest.raises(NotFound):
        await at.desk.decide(frozenset({PartyId("DE*XXX")}), view.id, Verdict.REJECTED, "no", "somebody")


async def test_a_credit_takes_its_cdr_back_and_the_next_is_no_second(at: Home) -> None:
    credit = cdr("c-1-credit", credit=True, credited_cdr="C-1", total_cost={"net": -4})
    assert await at.reviews(cdr(), credit, cdr("c-2", total_cost={"net": 3})) == []
    standings = [view.standing for view in await at.cdrs()]
    assert standings == [CdrStanding.CREDITED, CdrStanding.ACCEPTED, CdrStanding.ACCEPTED]
    assert (await at.told("s-1")).cdr == (await at.cdrs())[-1].id


async def test_a_credit_of_what_never_came_waits(at: Home) -> None:
    credit = cdr("c-1-credit", credit=True, credited_cdr="c-77", total_cost={"net": -4})
    assert await at.reviews(credit) == [Review.CONTRADICTS]


async def test_two_positive_cdrs_without_the_credit_between_wait(at: Home) -> None:
    # A hub that drops credits hands on the first CDR and the corrected one.
    assert await at.reviews(cdr(), cdr("c-2", total_cost={"net": 3})) == [Review.SECOND_CDR]


async def test_nothing_of_a_cdr_is_seen_by_another_emsp(at: Home) -> None:
    await at.bill(cdr())
    assert await at.cdrs(parties=frozenset({PartyId("DE*XXX")})) == []
    assert await at.cdrs(standing=CdrStanding.REVIEW) == []
    assert len(await at.cdrs(cpo=CPO, connection="hub", review=False, since=START, until=END)) == 1


async def test_what_came_home_is_found_by_permit_and_session(at: Home) -> None:
    await at.bill(cdr())
    told = await at.told("s-1")
    assert len(await at.cdrs(permit="p-1", session=told.id, standing=CdrStanding.ACCEPTED)) == 1
    assert await at.cdrs(permit="p-2") == []
    assert await at.cdrs(session=told.id + 1) == []
    wanted = ReceivedFilter(permit="p-1", status=SessionStatus.COMPLETED, without_cdr=False)
    assert [one.id for one in (await at.desk.sessions(wanted, None, 10)).items] == [told.id]
    assert (await at.desk.sessions(ReceivedFilter(permit="p-2"), None, 10)).items == []


async def test_no_uid_is_told_in_doubts(alone: Home) -> None:
    await alone.bill(cdr(**stored(evse_id=None, id="L9")), cdr("c-2", identification=STRANGER))
    said = str([(view.doubts, view.review) for view in await alone.cdrs()]) + str(await alone.events())
    assert UID not in said
    assert "04FFFFFFFFFFFF" not in said


def test_evse_ids_are_compared_without_case_or_separators() -> None:
    assert EvseId("nl*cpo*e1") == EvseId("NLCPOE1")


async def test_where_a_hub_admits_by_our_list_and_cannot_say_so_a_token_that_may_is_enough(alone: Home) -> None:
    leg = Leg(hub_session="h-9", identification=CARD)
    bill = cdr(session_id=None)
    assert await alone.reviews(bill.model_copy(update={"id": "c-2"}), leg=leg) == [Review.UNKNOWN_PERMIT]
    await alone.put(token(whitelist="ALLOWED"))
    earlier = {"start": bill.start - timedelta(days=1), "end": bill.end - timedelta(days=1)}
    assert await alone.reviews(bill.model_copy(update=earlier), leg=leg.model_copy(update={"hub_session": "h-8"})) == []
    remote = {"start": bill.start - timedelta(days=2), "end": bill.end - timedelta(days=2), "id": "c-3"}
    started = bill.model_copy(update=remote | {"auth_method": AuthMethod.COMMAND})
    assert await alone.reviews(started, leg=leg.model_copy(update={"hub_session": "h-7"})) == [Review.UNKNOWN_PERMIT]


async def test_a_session_and_its_cdr_that_come_at_once_find_each_other(alone: Home) -> None:
    await alone.put(token(whitelist="ALLOWED"))
    for number in range(8):
        times = {"start": later(3600 * number), "end": later(3600 * number + 1800)}
        told = session(f"s-{number}", "COMPLETED", auth_method="WHITELIST", last_updated=times["end"], **times)
        bill = cdr(f"c-{number}", f"s-{number}", auth_method="WHITELIST", time=0.5, **times)
        both = [alone.received.session(alone.connection(), told), alone.bill(bill)]
        await asyncio.gather(*(both if number % 2 else reversed(both)))
    bills = await alone.cdrs()
    sessions = [await alone.told(f"s-{number}") for number in range(8)]
    assert [one.session for one in bills] == [one.id for one in sessions]
    assert [one.cdr for one in sessions] == [one.id for one in bills]


async def test_of_the_versions_of_one_id_one_stands(at: Home) -> None:
    await at.bill(cdr(), cdr(total_cost={"net": 5}))
    first, second = await at.cdrs()
    await at.desk.decide(None, second.id, Verdict.ACCEPTED, "the CPO was wrong at first", "somebody")
    assert [one.standing for one in await at.cdrs()] == [CdrStanding.REJECTED, CdrStanding.ACCEPTED]
    assert (await at.told("s-1")).cdr == second.id
    told = [(data["id"], data["decision"]) for _, data in await at.events("received_cdr.decided")]
    assert told == [(first.id, "rejected"), (second.id, "accepted")]
