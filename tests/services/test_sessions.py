"""Sessions on a real database, over hubs in this process."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.core.charging import Denial
from adapters.core.connection import Mode
from gateway.services.authorisation.admitting import Origin
from gateway.services.ports import Conflict, Invalid, NotFound, SessionFilter
from mappings.canonical.ids import PartyId
from mappings.canonical.sessions import AuthMethod, Metering, Session, SessionStatus
from mappings.canonical.tokens import Identification, TokenType
from mappings.report import IssueKind
from tests.harness import PARTY, WHO, eventually, later
from tests.services.roaming import CARD, CONTRACT, OTHER_CARD, Roaming, cdr, ended, leg, session


def names(error: pytest.ExceptionInfo[Invalid]) -> list[str]:
    return [field for field, _ in error.value.problems]


async def test_a_session_goes_to_the_hub_that_admitted_its_driver(hubs: Roaming) -> None:
    await hubs.connect("other")
    await hubs.admit()
    result = await hubs.put(session(reference="a-1"))
    assert (result.outcome, result.authorisation, result.connection, result.review) == ("created", "a-1", "hub", None)
    [message] = await hubs.messages()
    assert (message.operation, message.kind, message.leg) == ("sessions", "PUT", leg())
    assert message.place is not None
    assert message.place.city == "Utrecht"
    assert hubs.wakes == 1
    assert (await hubs.row("authorisation"))["session_no"] == (await hubs.row("session"))["no"]


async def test_what_was_told_before_decides_what_is_told_next(hubs: Roaming) -> None:
    await hubs.admit()
    await hubs.put()
    await hubs.put(session(energy=Decimal(2), last_updated=later(1000)))
    assert [message.kind for message in await hubs.messages()] == ["PUT", "PATCH"]
    view = await hubs.sessions.get(PARTY, "s-1")
    assert view is not None
    [told] = view.told
    assert told.told == {"PUT": later(900), "PATCH": later(1000)}
    assert (told.connection, told.pending, told.delivered) == ("hub", 2, 0)


async def test_the_same_session_again_tells_nobody(hubs: Roaming) -> None:
    await hubs.admit()
    await hubs.put()
    assert (await hubs.put()).outcome == "unchanged"
    assert len(await hubs.messages()) == 1


async def test_an_older_report_changes_nothing(hubs: Roaming) -> None:
    await hubs.admit()
    await hubs.put()
    result = await hubs.put(session(energy=Decimal(1), last_updated=later(800)))
    assert (result.outcome, result.authorisation) == ("stale", "a-1")
    view = await hubs.sessions.get(PARTY, "s-1")
    assert view is not None
    assert view.session.energy == Decimal("1.5")


async def test_a_session_is_found_by_the_reference_of_the_hub(hubs: Roaming) -> None:
    await hubs.admit()
    assert (await hubs.put(session(reference="hub-ref-1"))).authorisation == "a-1"


async def test_a_session_is_found_by_its_driver_where_it_has_no_reference(hubs: Roaming) -> None:
    await hubs.admit()
    await hubs.admit("a-2", identification=OTHER_CARD, leg=leg("hub-ref-2", identification=OTHER_CARD))
    assert (await hubs.put()).authorisation == "a-1"


async def test_a_session_is_found_by_the_contract_that_a_remote_start_names(hubs: Roaming) -> None:
    by_contract = Identification(type=TokenType.APP_USER, contract_id=CONTRACT)
    await hubs.admit(origin=Origin.START, identification=by_contract, leg=leg(identification=by_contract))
    given = session(identification=Identification(type=TokenType.APP_USER, uid="app-7", contract_id=CONTRACT))
    assert (await hubs.put(given)).authorisation == "a-1"


async def test_a_session_at_another_evse_than_its_driver_was_admitted_for_is_told_and_noted(hubs: Roaming) -> None:
    await hubs.admit()
    for outcome, given in (
        ("created", session(reference="a-1", evse_uid="U2")),
        ("updated", ended(reference="a-1", evse_uid="U2")),
    ):
        result = await hubs.put(given)
        assert (result.outcome, result.authorisation) == (outcome, "a-1")
        assert [(issue.kind, issue.field, issue.detail) for issue in result.issues] == [
            (IssueKind.SUSPECT, "evse_uid", "is another than U1, for which its driver was admitted")
        ]


async def test_a_review_says_that_the_reference_is_not_known(hubs: Roaming) -> None:
    result = await hubs.put(session(reference="nobodys"))
    expected = "its reference is not known, and its auth_method is AUTH_REQUEST, but no authorisation fits it"
    assert result.review == expected


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"location": "L1", "evse": "U1"}, ["s-1"]),
        ({"location": "L2"}, []),
        ({"evse": "U2"}, ["s-2"]),
        ({"reference": "a-1"}, ["s-1"]),
        ({"reference": "hub-ref-1"}, ["s-1"]),
        ({"reference": "nobodys"}, ["s-2"]),
    ],
)
async def test_sessions_are_listed_by_place_and_reference(
    hubs: Roaming, wanted: dict[str, str], found: list[str]
) -> None:
    await hubs.admit()
    await hubs.put()
    await hubs.put(session("s-2", evse_uid="U2", reference="nobodys"))
    page = await hubs.sessions.list(SessionFilter(None, **wanted), None, 10)
    assert [view.session.id for view in page.items] == found


async def test_several_authorisations_that_fit_are_held_for_review_and_told_to_nobody(hubs: Roaming) -> None:
    await hubs.admit()
    await hubs.admit("a-2", leg=leg("hub-ref-2"))
    result = await hubs.put()
    assert result.review == "2 authorisations fit its driver, EVSE and time"
    assert not await hubs.messages()
    assert await hubs.events() == ["session.changed", "session.review"]
    page = await hubs.sessions.list(SessionFilter(None, review=True), None, 10)
    assert [view.session.id for view in page.items] == ["s-1"]


async def test_a_person_ends_a_review_and_everything_that_waited_is_told(hubs: Roaming) -> None:
    await hubs.admit()
    await hubs.admit("a-2", leg=leg("hub-ref-2"))
    await hubs.put(ended())
    assert (await hubs.accept()).review == "its session waits for review"
    result = await hubs.sessions.assign(PARTY, "s-1", "a-2", WHO)
    assert (result.authorisation, result.review) == ("a-2", None)
    messages = await hubs.messages()
    assert [(one.operation, one.leg and one.leg.reference) for one in messages] == [
        ("sessions", "hub-ref-2"),
        ("cdrs", "hub-ref-2"),
    ]
    audit = await hubs.row("audit")
    assert (audit["who"], audit["action"]) == (WHO, "assigned")
    with pytest.raises(Conflict, match="does not wait"):
        await hubs.sessions.assign(PARTY, "s-1", "a-1", WHO)


async def test_a_session_that_was_said_not_to_roam_stays_so(hubs: Roaming) -> None:
    await hubs.put()
    assert (await hubs.sessions.assign(PARTY, "s-1", None, WHO)).review is None
    await hubs.admit()
    result = await hubs.put(session(energy=Decimal(2), reference="a-1"))
    assert (result.authorisation, result.review) == (None, None)
    assert not await hubs.messages()


async def test_a_review_ends_by_itself_once_the_session_names_its_authorisation(hubs: Roaming) -> None:
    await hubs.admit()
    await hubs.admit("a-2", leg=leg("hub-ref-2"))
    await hubs.put()
    result = await hubs.put(session(reference="a-2", energy=Decimal(2)))
    assert (result.authorisation, result.review) == ("a-2", None)
    assert [message.kind for message in await hubs.messages()] == ["PUT"]


@pytest.mark.parametrize("authorisation", ["a-9", "a-denied", "a-elsewhere"])
async def test_a_review_does_not_end_with_an_authorisation_that_cannot_be_meant(
    hubs: Roaming, authorisation: str
) -> None:
    await hubs.put()
    await hubs.admit("a-denied", None, allowed=False)
    await hubs.admit("a-elsewhere", location_id="L2", leg=leg("elsewhere"))
    with pytest.raises(Invalid):
        await hubs.sessions.assign(PARTY, "s-1", authorisation, WHO)
    with pytest.raises(NotFound):
        await hubs.sessions.assign(PARTY, "s-9", authorisation, WHO)


async def test_an_authorisation_serves_one_session(hubs: Roaming) -> None:
    await hubs.admit()
    await hubs.put(session(reference="a-1"))
    result = await hubs.put(session("s-2", reference="a-1"))
    assert result.review == "the authorisation that it refers to serves another session"
    with pytest.raises(Conflict, match="serves another"):
        await hubs.sessions.assign(PARTY, "s-2", "a-1", WHO)


async def test_an_authorisation_that_is_denied_while_its_session_is_written_is_not_used(hubs: Roaming) -> None:
    await hubs.admit()
    async with hubs.store.transaction() as tx:  # the backend says no to the start, and tells of its session
        await tx.execute("UPDATE authorisation SET allowed = false")
        putting = asyncio.create_task(hubs.put(session(reference="a-1")))
        await eventually(lambda: hubs.store.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"))
    assert (await putting).review == "the authorisation that it refers to was denied"
    assert not await hubs.messages()


@pytest.mark.parametrize("origin", [Origin.START, Origin.RESERVE])
@pytest.mark.parametrize("reference", ["a-1", "hub-ref-1"])
async def test_what_the_backend_began_by_a_command_that_timed_out_roams_where_it_names_it(
    hubs: Roaming, reference: str, origin: Origin
) -> None:
    await hubs.admit(origin=origin)
    await hubs.time_out()
    result = await hubs.put(session(reference=reference, auth_method=AuthMethod.COMMAND))
    assert (result.authorisation, result.connection, result.review) == ("a-1", "hub", None)
    assert [message.kind for message in await hubs.messages()] == ["PUT"]
    row = await hubs.row("authorisation")
    assert (row["allowed"], row["reason"]) == (True, None)
    again = await hubs.put(session("s-2", reference=reference))
    assert again.review == "the authorisation that it refers to serves another session"


async def test_a_start_that_timed_out_is_not_guessed_to_be_meant_but_a_person_may_say_so(hubs: Roaming) -> None:
    await hubs.admit(origin=Origin.START)
    await hubs.time_out()
    result = await hubs.put(session(auth_method=AuthMethod.COMMAND))
    assert result.review == "its auth_method is COMMAND, but no authorisation fits it"
    assigned = await hubs.sessions.assign(PARTY, "s-1", "a-1", WHO)
    assert (assigned.authorisation, assigned.connection, assigned.review) == ("a-1", "hub", None)
    assert (await hubs.row("authorisation"))["allowed"]


async def test_a_start_that_times_out_while_its_session_is_written_is_used(hubs: Roaming) -> None:
    await hubs.admit(origin=Origin.START)
    async with hubs.store.transaction() as tx:
        await tx.execute("UPDATE authorisation SET allowed = false, reason = 'NO_ANSWER'")
        putting = asyncio.create_task(hubs.put(session(reference="a-1")))
        await eventually(lambda: hubs.store.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"))
    assert (await putting).review is None
    assert (await hubs.row("authorisation"))["allowed"]


async def test_a_tap_that_no_hub_answered_admits_nobody(hubs: Roaming) -> None:
    await hubs.admit()
    await hubs.time_out()
    result = await hubs.put(session(reference="a-1"))
    assert result.review == "the authorisation that it refers to was denied"


@pytest.mark.parametrize("origin", [Origin.TAP, Origin.START])
async def test_a_charge_that_was_refused_for_want_of_an_agreement_is_billed_to_nobody(
    hubs: Roaming, origin: Origin
) -> None:
    await hubs.admit(origin=origin, allowed=False, reason=Denial.NO_CONTRACT, connection=None, auth_method=None)
    result = await hubs.put(session(reference="a-1"))
    assert (result.connection, result.review) == (None, "the authorisation that it refers to was denied")
    await hubs.put(ended(reference="a-1"))
    await hubs.accept()
    assert await hubs.messages() == []
    with pytest.raises(Invalid):
        await hubs.sessions.assign(PARTY, "s-1", "a-1", WHO)


async def test_a_session_of_the_operators_own_driver_is_told_only_where_it_is_wanted(hubs: Roaming) -> None:
    await hubs.connect("advenir", anonymous=True)
    result = await hubs.put(session(auth_method=AuthMethod.WHITELIST))
    assert (result.connection, result.review) == (None, None)
    [message] = await hubs.messages()
    assert message.leg is None
    assert await hubs.messages("advenir") == [message]


async def test_a_driver_whom_nobody_admitted_though_somebody_was_asked_is_reviewed(hubs: Roaming) -> None:
    assert (await hubs.put()).review == "its auth_method is AUTH_REQUEST, but no authorisation fits it"


async def test_a_foreign_drivers_session_that_nobody_admitted_is_never_taken_for_an_own_one(hubs: Roaming) -> None:
    await hubs.store.execute(
        "INSERT INTO token (connection_id, party, type, uid, uid_key, contract_key, listed, body, last_updated)"
        " SELECT id, 'FR*XYZ', 'RFID', $1, $1, $2, true, '{}', now() FROM connection",
        "04A2B3C4D5E680",
        CONTRACT.normal,
    )
    result = await hubs.put(session(auth_method=AuthMethod.WHITELIST))
    assert result.review == "its driver's token is an EMSP's, but no authorisation fits it"
    await hubs.admit(at=later(901))
    result = await hubs.put(session(auth_method=AuthMethod.WHITELIST, energy=Decimal(2)))
    assert (result.authorisation, result.review) == ("a-1", None)


async def test_a_session_of_a_driver_whom_the_operator_itself_admitted_does_not_roam(hubs: Roaming) -> None:
    await hubs.admit(connection=None)
    result = await hubs.put(session(reference="a-1"))
    assert (result.authorisation, result.connection, result.review) == ("a-1", None, None)
    assert not await hubs.messages()


async def test_a_connection_in_shadow_mode_is_shown_what_it_would_be_told(hubs: Roaming) -> None:
    await hubs.connect("shadow", Mode.SHADOW, anonymous=True)
    await hubs.connect("off", Mode.OFF, anonymous=True)
    await hubs.put(session(auth_method=AuthMethod.WHITELIST))
    [row] = await hubs.store.fetch("SELECT shadow FROM delivery")
    assert row["shadow"] is True


async def test_a_connection_hears_nothing_of_what_is_out_of_its_scope(hubs: Roaming) -> None:
    await hubs.connect("elsewhere", scope={"locations": [f"{PARTY}/L2"]}, anonymous=True)
    await hubs.connect("evse", scope={"evses": ["NL*ABC*E2"]}, anonymous=True)
    await hubs.connect("party", scope={"parties": ["NL*XYZ"]}, anonymous=True)
    await hubs.connect("here", scope={"evses": ["NL*ABC*E1"]}, anonymous=True)
    await hubs.put(session(auth_method=AuthMethod.WHITELIST))
    assert len(await hubs.messages()) == len(await hubs.messages("here")) == 1


async def test_a_session_carries_every_id_that_it_was_given(hubs: Roaming) -> None:
    await hubs.admit()
    await hubs.put()
    view = await hubs.sessions.get(PARTY, "s-1")
    assert view is not None
    assert {(ref.kind, ref.value) for ref in view.refs} == {
        ("own", "s-1"),
        ("hub", "hub-1"),
        ("reference", "hub-ref-1"),
    }


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"location_id": "L9"}, ["location_id"]),
        ({"evse_uid": "U9"}, ["evse_uid"]),
        ({"connector_id": "9"}, ["connector_id"]),
        ({"party": PartyId("NL*XYZ")}, ["location_id"]),
        ({"end": later(500)}, ["end"]),
        ({"status": SessionStatus.COMPLETED}, ["end"]),
        ({"charging_start": later(700), "charging_end": later(650)}, ["charging_end"]),
        ({"metering": Metering(start=Decimal(9), end=Decimal(8))}, ["metering"]),
    ],
)
async def test_a_session_that_makes_no_sense_is_refused_by_field(
    hubs: Roaming, changes: dict[str, Any], fields: list[str]
) -> None:
    with pytest.raises(Invalid) as error:
        await hubs.put(session(**changes))
    assert names(error) == fields
    assert not await hubs.store.fetch("SELECT FROM session")


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"status": SessionStatus.ACTIVE, "end": None, "last_updated": later(4000)}, ["status"]),
        ({"energy": Decimal(11)}, ["energy"]),
        ({"evse_uid": "U2"}, ["evse_uid"]),
        ({"identification": OTHER_CARD}, ["identification"]),
        ({"currency": "CHF"}, ["currency"]),
        ({"reference": "a-2"}, ["reference"]),
    ],
)
async def test_a_session_does_not_contradict_what_was_told_of_it(
    hubs: Roaming, changes: dict[str, Any], fields: list[str]
) -> None:
    await hubs.charged()
    await hubs.admit("a-2", leg=leg("hub-ref-2"))
    with pytest.raises(Invalid) as error:
        await hubs.put(ended(**changes))
    assert names(error) == fields


async def test_a_stamp_far_ahead_of_the_clock_is_replaced_by_the_time_of_arrival(hubs: Roaming) -> None:
    await hubs.admit()
    ahead = session(last_updated=hubs.now + timedelta(hours=2))
    result = await hubs.put(ahead)
    assert [issue.field for issue in result.issues] == ["last_updated"]
    view = await hubs.sessions.get(PARTY, "s-1")
    assert view is not None
    assert view.session.last_updated == hubs.now
    hubs.now += timedelta(minutes=1)
    assert (await hubs.put(ahead)).outcome == "unchanged"


def test_a_stamp_with_an_offset_is_the_same_moment_and_one_without_is_none() -> None:
    given = session().model_dump(mode="json") | {"start": "2026-01-01T01:10:00+01:00"}
    assert Session.model_validate(given).start == later(600)
    with pytest.raises(ValueError, match="timezone"):
        Session.model_validate(given | {"start": "2026-01-01T00:10:00"})


async def test_a_session_that_somebody_changed_meanwhile_is_not_written_over(hubs: Roaming) -> None:
    await hubs.admit()
    await hubs.put()
    before = await hubs.sessions.get(PARTY, "s-1")
    assert before is not None
    await hubs.put(session(energy=Decimal(2), last_updated=later(950)))
    with pytest.raises(Conflict):
        await hubs.sessions.put(session(energy=Decimal(3)), WHO, if_updated=before.updated)


async def test_a_session_without_cdr_is_told_of_once_and_listed_till_somebody_waives_it(hubs: Roaming) -> None:
    await hubs.charged()
    await hubs.store.execute("UPDATE session SET ended_at = now() - interval '25 hours'")
    assert (await hubs.alarms.look(), await hubs.alarms.look()) == (1, 0)
    assert (await hubs.events()).count("session.without_cdr") == 1
    wanted = SessionFilter(None, without_cdr=timedelta(hours=24))
    assert len((await hubs.sessions.list(wanted, None, 10)).items) == 1
    await hubs.sessions.waive_cdr(PARTY, "s-1", "no energy flowed", WHO)
    assert not (await hubs.sessions.list(wanted, None, 10)).items
    assert (await hubs.row("audit"))["action"] == "waived the CDR"


async def test_a_cdr_is_waived_only_where_it_is_missing(hubs: Roaming) -> None:
    await hubs.admit()
    await hubs.put()
    with pytest.raises(Conflict, match="not over"):
        await hubs.sessions.waive_cdr(PARTY, "s-1", "why", WHO)
    await hubs.put(ended())
    await hubs.accept(cdr())
    with pytest.raises(Conflict, match="has a CDR"):
        await hubs.sessions.waive_cdr(PARTY, "s-1", "why", WHO)
    with pytest.raises(NotFound):
        await hubs.sessions.waive_cdr(PARTY, "s-9", "why", WHO)


async def test_sessions_are_listed_page_by_page_the_newest_first(hubs: Roaming) -> None:
    for number in range(3):
        await hubs.put(session(f"s-{number}", auth_method=AuthMethod.WHITELIST, identification=CARD))
    first = await hubs.sessions.list(SessionFilter(frozenset({PARTY})), None, 2)
    rest = await hubs.sessions.list(SessionFilter(frozenset({PARTY})), first.next, 2)
    assert [view.session.id for view in (*first.items, *rest.items)] == ["s-2", "s-1", "s-0"]
    assert rest.next is None
    assert not (await hubs.sessions.list(SessionFilter(None, connection="hub"), None, 2)).items
