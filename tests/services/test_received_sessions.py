"""Sessions of our drivers at partners' stations, told whole."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from adapters.core.charging import Denial
from gateway.services.drivers.permits import deny_permit
from gateway.services.ports.received import Review
from gateway.store.pool import Store
from mappings.canonical.legs import Leg
from mappings.canonical.tokens import Identification, TokenType
from tests.harness import later
from tests.services.homecoming import CARD, END, NOW, OTHER_CPO, START, UID, Home, home, session, token


@pytest.fixture
async def at(store: Store) -> AsyncIterator[Home]:
    """The services."""
    async with home(store) as made:
        yield made


async def test_a_session_finds_its_permit_by_our_reference(at: Home) -> None:
    await at.permit("p-1")
    view = await at.tell(session(reference="p-1"))
    assert (view.permit, view.party, view.review) == ("p-1", CARD.party, [])
    assert (await at.permits())["p-1"]["received_session_no"] == view.id


@pytest.mark.parametrize("spelled", ["h-77", "H-77"])
async def test_a_session_finds_its_permit_by_the_hubs_id_in_any_case(at: Home, spelled: str) -> None:
    await at.permit("p-1", hub_session="H-77" if spelled.islower() else "h-77")
    assert (await at.tell(session(spelled))).permit == "p-1"


async def test_a_session_whose_ids_a_hub_replaced_is_found_by_driver_evse_and_time(at: Home) -> None:
    await at.permit("p-1")
    view = await at.tell(session(reference="of-the-hub"))
    assert (view.permit, view.review) == ("p-1", [])


async def test_the_id_of_a_session_leads_to_its_permit_from_then_on(at: Home) -> None:
    await at.permit("p-1")
    await at.tell(session("S-9"))
    leg = Leg.model_validate_json((await at.permits())["p-1"]["leg"])
    assert leg.hub_session == "S-9"


async def test_of_two_permits_that_fit_none_is_taken(at: Home) -> None:
    await at.permit("p-1")
    await at.permit("p-2", evse_key=None)
    view = await at.tell(session())
    assert (view.permit, view.review) == (None, [Review.AMBIGUOUS])


async def test_of_two_taps_at_one_evse_the_last_before_the_charge_is_meant(at: Home) -> None:
    for minutes in (20, 2, 10):
        await at.permit(f"p-{minutes}", at=START - timedelta(minutes=minutes))
    await at.permit("p-after", at=START + timedelta(minutes=20))
    one, other = session("s-1", last_updated=later(6000)), session("s-2", last_updated=later(6000))
    assert [(await at.tell(each)).permit for each in (one, other)] == ["p-2", "p-10"]
    assert [(await at.tell(session(f"s-{number}", last_updated=later(6000)))).permit for number in (3, 4)] == [
        "p-20",
        "p-after",
    ]


async def test_a_session_of_nobodys_driver_is_kept_in_review(at: Home) -> None:
    stranger = Identification(type=TokenType.RFID, uid="04FFFFFFFFFFFF")
    view = await at.tell(session(identification=stranger))
    assert (view.party, view.review) == (None, [Review.UNKNOWN_DRIVER])
    assert await at.events() == []  # there is nobody to tell


async def test_a_uid_in_reverse_byte_order_is_not_our_driver(at: Home) -> None:
    turned = bytes.fromhex(UID)[::-1].hex().upper()
    view = await at.tell(session(identification=Identification(type=TokenType.RFID, uid=turned)))
    assert view.review == [Review.UNKNOWN_DRIVER]


async def test_a_driver_of_whom_nobody_asked_waits_for_a_person(at: Home) -> None:
    assert (await at.tell(session())).review == [Review.UNKNOWN_PERMIT]
    assert (await at.tell(session("s-2", auth_method="WHITELIST"))).review == [Review.UNKNOWN_PERMIT]


async def test_a_token_that_may_be_taken_without_asking_needs_no_permit(at: Home) -> None:
    await at.put(token(whitelist="ALLOWED"))
    assert (await at.tell(session(auth_method="WHITELIST"))).review == []
    assert (await at.tell(session("s-2", auth_method="COMMAND"))).review == [Review.UNKNOWN_PERMIT]


async def test_a_blocked_token_is_not_taken_without_asking(at: Home) -> None:
    await at.put(token(whitelist="ALWAYS", valid=False))
    assert (await at.tell(session(auth_method="WHITELIST"))).review == [Review.UNKNOWN_PERMIT]


async def test_a_session_under_a_permit_that_was_denied_waits(at: Home) -> None:
    await deny_permit(at.store, await at.permit("p-1"), Denial.NOT_ALLOWED)
    view = await at.tell(session(reference="p-1"))
    assert (view.permit, view.review) == ("p-1", [Review.DENIED])
    assert (await at.tell(session(reference="p-1", energy=2, last_updated=END))).review == [Review.DENIED]


async def test_a_second_session_under_one_permit_waits(at: Home) -> None:
    await at.permit("p-1")
    first = await at.tell(session(reference="p-1"))
    second = await at.tell(session("s-2", reference="p-1"))
    assert (first.review, second.review) == ([], [Review.DUPLICATE])
    assert (await at.permits())["p-1"]["received_session_no"] == first.id


async def test_another_cpo_cannot_take_a_permit(at: Home) -> None:
    await at.permit("p-1")
    await at.station("L1", "U1", "NL*ZZZ*E1", OTHER_CPO)
    view = await at.tell(session(party=OTHER_CPO, reference="p-1"))
    assert (view.permit, view.review) == (None, [Review.OTHER_PARTY])
    assert (await at.tell(session("s-2", reference="p-1"))).permit == "p-1"


async def test_one_id_at_two_cpos_is_two_sessions(at: Home) -> None:
    await at.permit("p-1")
    await at.tell(session(reference="p-1"))
    await at.station("L1", "U1", "NL*ZZZ*E1", OTHER_CPO)
    assert await at.received.session(at.connection(), session(party=OTHER_CPO))
    kept = await at.received.get_session(at.connection(), OTHER_CPO, "s-1")
    assert kept is not None
    assert kept.party == OTHER_CPO


async def test_another_driver_than_the_permits_waits(at: Home) -> None:
    await at.put(token("04111111111111", contract_id="FR-EMS-C99999999"))
    await at.permit("p-1")
    other = Identification(type=TokenType.RFID, uid="04111111111111")
    assert (await at.tell(session(reference="p-1", identification=other))).review == [Review.CONTRADICTS]


async def test_an_evse_that_the_catalogue_does_not_have_waits(at: Home) -> None:
    await at.permit("p-1")
    assert (await at.tell(session(reference="p-1", evse_uid="U9"))).review == [Review.UNKNOWN_EVSE]


async def test_a_session_is_known_again_in_any_case_of_its_id(at: Home) -> None:
    await at.permit("p-1")
    assert await at.received.session(at.connection(), session("Abc", reference="p-1"))
    assert not await at.received.session(at.connection(), session("ABC", energy=2, last_updated=END))
    kept = await at.received.get_session(at.connection(), session().party, "abc")
    assert kept is not None
    assert kept.energy == 2


async def test_an_older_report_changes_nothing(at: Home) -> None:
    await at.permit("p-1")
    await at.tell(session(energy=5, reference="p-1", last_updated=END))
    view = await at.tell(session(energy=2, reference="p-1", last_updated=START))
    assert view.energy == 5


async def test_a_report_from_a_clock_that_is_ahead_does_not_stop_later_ones(at: Home) -> None:
    await at.permit("p-1")
    view = await at.tell(session(reference="p-1", last_updated=NOW + timedelta(days=3)))
    assert view.review == [Review.IMPLAUSIBLE_TIME]
    at.now = NOW + timedelta(hours=1)
    assert (await at.tell(session(reference="p-1", energy=3, last_updated=at.now))).energy == 3


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": "COMPLETED", "end": START - timedelta(minutes=1), "energy": 0}, Review.IMPLAUSIBLE_TIME),
        ({"start": NOW + timedelta(hours=1), "last_updated": NOW}, Review.IMPLAUSIBLE_TIME),
        ({"status": "COMPLETED", "energy": 1001}, Review.IMPLAUSIBLE_ENERGY),
        ({"status": "COMPLETED", "energy": 30}, Review.IMPLAUSIBLE_ENERGY),  # at 22 kW, in an hour
    ],
)
async def test_what_cannot_be_waits(at: Home, changes: dict[str, object], reason: Review) -> None:
    await at.permit("p-1", at=NOW if "start" in changes else START)
    assert reason in (await at.tell(session(**({"reference": "p-1"} | changes)))).review


async def test_a_session_that_runs_again_after_its_end_contradicts_itself(at: Home) -> None:
    await at.permit("p-1")
    await at.tell(session(status="COMPLETED", reference="p-1"))
    view = await at.tell(session(reference="p-1", energy=11, last_updated=END + timedelta(minutes=1)))
    assert Review.CONTRADICTS in view.review


async def test_a_session_without_end_is_over_when_it_says_that_it_is_completed(at: Home) -> None:
    await at.permit("p-1")
    view = await at.tell(session(status="COMPLETED", reference="p-1", end=None))
    assert (view.ended, view.review) == (END, [])


async def test_the_backend_hears_of_a_session_when_its_status_changes(at: Home) -> None:
    await at.permit("p-1")
    await at.tell(session(reference="p-1"))
    await at.tell(session(reference="p-1", energy=2, last_updated=START + timedelta(minutes=20)))
    view = await at.tell(session(status="COMPLETED", reference="p-1"))
    told = await at.events()
    assert [(type_, data["status"]) for type_, data in told] == [
        ("received_session.changed", "ACTIVE"),
        ("received_session.changed", "COMPLETED"),
    ]
    assert told[-1][1] == {
        "id": view.id,
        "session_id": "s-1",
        "cpo": "NL*CPO",
        "party": "FR*EMS",
        "connection": "hub",
        "status": "COMPLETED",
        "permit": "p-1",
        "evse": "NLCPOE1",
        "energy": 10,
    }


async def test_the_backend_hears_once_of_a_review(at: Home) -> None:
    await at.tell(session())
    await at.tell(session(energy=2, last_updated=END))
    assert [data["review"] for _, data in await at.events("received_session.review")] == [["UNKNOWN_PERMIT"]]


async def test_a_permit_that_comes_after_its_session_ends_the_review(at: Home) -> None:
    assert (await at.tell(session())).review == [Review.UNKNOWN_PERMIT]
    await at.permit("p-1")
    view = await at.tell(session(energy=2, last_updated=END))
    assert (view.permit, view.review) == ("p-1", [])


async def test_a_person_takes_a_session_as_it_is(at: Home) -> None:
    view = await at.tell(session())
    decided = await at.desk.accept_session(None, view.id, None, "the driver called", "somebody")
    assert (decided.review, decided.decided and decided.decided.why) == ([], "the driver called")
    assert (await at.tell(session(energy=2, last_updated=END))).review == []
    audit = await at.store.fetch("SELECT who, action, subject FROM audit WHERE subject LIKE 'received%'")
    assert [tuple(row) for row in audit] == [("somebody", "accepted", f"received-session/{view.id}")]


async def test_a_person_says_which_permit_a_session_is_under(at: Home) -> None:
    await at.permit("p-1")
    await at.permit("p-2", evse_key=None)
    view = await at.tell(session())
    decided = await at.desk.accept_session(None, view.id, "p-2", "asked the CPO", "somebody")
    assert (decided.permit, (await at.permits())["p-2"]["received_session_no"]) == ("p-2", view.id)


async def test_a_session_without_cdr_is_told_of_once(at: Home) -> None:
    await at.permit("p-1")
    view = await at.tell(session(status="COMPLETED", reference="p-1"))
    assert await at.alarms.look() == 1
    assert await at.alarms.look() == 0
    [(_, data)] = await at.events("received_session.without_cdr")
    assert (data["id"], data["cpo"]) == (view.id, "NL*CPO")


async def test_a_cdr_that_was_waived_is_not_missed(at: Home) -> None:
    await at.permit("p-1")
    view = await at.tell(session(status="COMPLETED", reference="p-1"))
    waived = await at.desk.waive_cdr(None, view.id, "free of charge", "somebody")
    assert waived.waived == "free of charge"
    assert await at.alarms.look() == 0


async def test_what_came_home_outlives_its_connection(at: Home) -> None:
    await at.permit("p-1")
    view = await at.tell(session(reference="p-1"))
    async with at.links.changing() as tx:
        await tx.execute("DELETE FROM connection WHERE name = 'hub'")
    kept = await at.desk.session(None, view.id)
    assert (kept.connection, kept.permit) == (None, "p-1")
