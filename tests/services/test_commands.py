"""Commands from hubs: carried to the backend once, answered in time whatever it does, told to whom it was promised."""

import asyncio
import math
import time

import pytest

from gateway.events.callouts import LONGEST
from gateway.services.ports import Conflict, NotFound
from mappings.canonical.commands import (
    CancelReservation,
    CommandAnswer,
    CommandResult,
    EvseRef,
    StopSession,
    UnlockConnector,
)
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import AuthMethod
from mappings.canonical.tokens import Identification, TokenType
from tests.backend import says, signed_by
from tests.harness import OTHER, PARTY, WHO
from tests.services.commanding import (
    ACCEPTED,
    AT,
    DRIVER,
    EMSP,
    REJECTED,
    REPLY,
    TIMEOUT,
    replica,
    reserve,
    silent,
    start,
)
from tests.services.roaming import session as session_of


async def kill(desk):
    """Ends the process that carries commands, at once."""
    carrying = list(desk.commands._carrying)
    for task in carrying:
        task.cancel()
    await asyncio.gather(*carrying, return_exceptions=True)


async def test_a_start_is_carried_to_the_backend_with_all_that_it_needs(desk):
    answer = await desk.perform(start())
    [heard] = desk.listener.heard
    question = heard.json
    assert answer == CommandAnswer(result=ACCEPTED)
    assert signed_by(heard, desk.secret)
    assert heard.headers["roamgate-deadline"] == question["deadline"]
    assert heard.headers["webhook-id"] == question["id"]
    assert question["kind"] == "START_SESSION"
    assert question["place"] == {
        "location_id": "L1",
        "evse_uid": "U1",
        "evse_id": "NL*ABC*EL1",
        "connector_id": "1",
    }
    assert question["command"]["leg"]["hub_session"] == "h-1"
    row = await desk.app.store.fetchrow("SELECT * FROM authorisation")
    refs = await desk.app.store.fetch("SELECT kind, value FROM session_ref")
    assert (row["id"], row["origin"], row["allowed"], row["auth_method"]) == (
        question["reference"],
        "start",
        True,
        "COMMAND",
    )
    assert [tuple(ref) for ref in refs] == [("hub", "h-1")]


async def test_the_backend_hears_of_a_command_and_of_its_answer_as_events(desk):
    await desk.perform(start())
    [received, answered] = await desk.events()
    assert (received[0], answered[0]) == ("command.received", "command.answered")
    assert received[1]["reference"] == answered[1]["reference"] == desk.listener.heard[0].json["reference"]
    assert (answered[1]["result"], answered[1]["connection"]) == ("ACCEPTED", "hubject")


async def test_the_same_start_again_gives_the_first_answer_and_starts_nothing_twice(desk):
    desk.listener.script = [says({"result": "ACCEPTED", "text": "one"}), says({"result": "REJECTED"})]
    first = await asyncio.gather(*(desk.perform(start()) for _ in range(5)))
    again = await desk.perform(start())
    assert {answer.text for answer in [*first, again]} == {"one"}
    assert len(desk.listener.heard) == 1
    assert await desk.app.store.fetchval("SELECT count(*) FROM authorisation") == 1


async def test_a_stop_is_tried_anew_once_its_first_answer_is_old(desk):
    await desk.perform(start())
    desk.listener.always = says({"result": "FAILED"})
    stop = StopSession(session="h-1", emsp=EMSP)
    assert {(await desk.perform(stop)).result for _ in range(2)} == {CommandResult.FAILED}
    await desk.app.store.execute("UPDATE command SET answered_at = answered_at - interval '1 minute'")
    desk.listener.always = says({"result": "ACCEPTED"})
    assert (await desk.perform(stop)).result is ACCEPTED
    assert len(desk.listener.heard) == 3


@pytest.mark.parametrize(
    ("said", "about"),
    [
        (says("no JSON"), "makes no sense"),
        (says([]), "makes no sense"),
        (says({"result": "YES"}), "result"),
        (says({"result": "ACCEPTED", "text": "\0"}), "cannot be stored"),
        (says({"result": "ACCEPTED", "text": "x" * 70_000}), "more than"),
        (says(status=500), "HTTP 500"),
        (says({"result": "ACCEPTED"}, status=302, headers={"Location": "/hear"}), "HTTP 302"),
    ],
)
async def test_an_answer_without_sense_is_silence(desk, said, about):
    desk.listener.always = said
    answer = await desk.perform(start())
    assert answer.result is TIMEOUT
    assert about in answer.text
    assert len(desk.listener.heard) == 1


async def test_what_the_backend_adds_to_its_answer_does_no_harm(desk):
    desk.listener.always = says({"result": "ACCEPTED", "session_id": "s-9", "charger": "7"})
    assert await desk.perform(start()) == CommandAnswer(result=ACCEPTED, session_id="s-9")


async def test_a_backend_that_never_answers_is_a_timeout_in_time_and_what_it_says_later_changes_nothing(desk):
    await desk.hurry()
    async with silent(desk.listener):
        began = asyncio.get_running_loop().time()
        answer = await desk.perform(start())
        took = asyncio.get_running_loop().time() - began
    assert answer.result is TIMEOUT
    assert 0.9 < took < LONGEST.total_seconds() / 2  # which ends a call-out without a deadline
    row = await desk.app.store.fetchrow("SELECT allowed, reason FROM authorisation")
    assert tuple(row) == (False, "NO_ANSWER")
    [command] = (await desk.app.services.commands.list(None, None, False, None, 10)).items
    with pytest.raises(Conflict):
        await desk.app.services.commands.answer(None, command.id, CommandAnswer(result=ACCEPTED))
    assert (await desk.perform(start())).result is TIMEOUT


async def test_what_a_backend_began_whose_answer_came_too_late_is_told_to_the_hub(desk):
    await desk.hurry()
    async with silent(desk.listener):
        assert (await desk.perform(start())).result is TIMEOUT
    reference = await desk.app.store.fetchval("SELECT id FROM authorisation")
    told = session_of(reference=reference, identification=DRIVER, auth_method=AuthMethod.COMMAND)
    result = await desk.app.services.sessions.put(told, WHO)
    assert (result.authorisation, result.connection, result.review) == (reference, "hubject", None)


async def test_what_silence_counts_as_is_the_operators_to_say(desk):
    await desk.app.services.call_outs.create("stated", desk.listener.url, ["START_SESSION"], [PARTY], "REJECTED", WHO)
    desk.listener.always = says("nonsense")
    assert (await desk.perform(start())).result is REJECTED
    assert (await desk.perform(UnlockConnector(at=AT))).result is TIMEOUT


async def test_without_anybody_to_ask_a_command_is_rejected(desk):
    await desk.app.services.call_outs.remove("ears", WHO)
    answer = await desk.perform(start())
    assert (answer.result, "no call-out" in answer.text) == (REJECTED, True)


async def test_a_backend_that_is_not_there_is_silent_at_once(desk):
    await desk.app.services.call_outs.remove("ears", WHO)
    await desk.app.services.call_outs.create("gone", "http://127.0.0.1:9/", [], [], None, WHO)
    assert (await desk.perform(start())).result is TIMEOUT


@pytest.mark.parametrize(
    "pending", [says({"result": "PENDING"}, status=202), says({"result": "PENDING"}), says("", 202)]
)
async def test_a_pending_command_is_answered_by_the_api_at_any_replica(desk, database_url, pending):
    desk.listener.always = pending
    async with replica(database_url) as other:
        performing = asyncio.create_task(desk.perform(start()))
        await desk.listener.came.wait()
        id_ = desk.listener.heard[0].json["id"]
        answer = CommandAnswer(result=CommandResult.EVSE_OCCUPIED, text="a car")
        view = await other.services.commands.answer(frozenset({PARTY}), id_, answer)
        assert await performing == answer
        assert (view.result, view.text) == (CommandResult.EVSE_OCCUPIED, "a car")
        with pytest.raises(Conflict, match="before"):
            await desk.app.services.commands.answer(None, id_, CommandAnswer(result=ACCEPTED))
        with pytest.raises(NotFound):
            await desk.app.services.commands.answer(frozenset({OTHER}), id_, CommandAnswer(result=ACCEPTED))


async def test_a_result_that_comes_before_the_call_outs_own_answer_counts(desk):
    async def both(heard):
        rejected = CommandAnswer(result=REJECTED, text="first")
        await desk.app.services.commands.answer(None, heard.json["id"], rejected)
        return await says({"result": "ACCEPTED"})(heard)

    desk.listener.always = both
    assert (await desk.perform(start())).text == "first"


async def test_a_command_is_taken_at_once_and_its_result_told_later(desk):
    async with silent(desk.listener):
        began = time.monotonic()
        taken = await desk.take(start("h-9"))
        took = time.monotonic() - began
        assert await desk.results() == []
    await desk.carried()
    [result] = await desk.results()
    assert taken.result is ACCEPTED
    assert 13 - math.ceil(took) <= taken.timeout <= 13  # what is left of it
    assert (result["reply_to"], result["answer"]["result"]) == (REPLY, "ACCEPTED")


async def test_a_taken_command_that_nobody_answers_is_told_as_a_timeout_once(desk):
    await desk.hurry()
    async with silent(desk.listener):
        await desk.take(start())
        await desk.carried()
    assert [result["answer"]["result"] for result in await desk.results()] == ["TIMEOUT"]
    assert await desk.app.ears.answering.sweep() == 0


async def test_a_command_whose_process_was_killed_is_told_as_a_timeout_by_another(desk, database_url):
    async with replica(database_url) as other, silent(desk.listener):
        await desk.take(start())
        await desk.listener.came.wait()
        await kill(desk)
        assert await other.ears.answering.sweep() == 0  # it still has time
        await other.store.execute("UPDATE command SET deadline = now() - interval '10 seconds'")
        assert await other.ears.answering.sweep() == 1
        [command] = (await other.services.commands.list(None, None, None, None, 10)).items
        with pytest.raises(Conflict):
            await other.services.commands.answer(None, command.id, CommandAnswer(result=ACCEPTED))
    assert [result["answer"]["result"] for result in await desk.results()] == ["TIMEOUT"]


async def test_an_answer_after_the_deadline_is_too_late_even_if_nobody_said_so_yet(desk):
    desk.listener.always = says("", 202)
    taking = await desk.take(start())
    await desk.listener.came.wait()
    await kill(desk)  # nobody says so while this test looks
    await desk.app.store.execute("UPDATE command SET deadline = now() - interval '1 second'")
    with pytest.raises(Conflict, match="Nobody waits"):
        await desk.app.services.commands.answer(None, desk.listener.heard[0].json["id"], CommandAnswer(result=ACCEPTED))
    assert taking.result is ACCEPTED


async def test_a_taken_command_given_again_is_told_where_it_was_asked_for_last(desk):
    elsewhere = {"response_url": "http://127.0.0.1:9/result/2"}
    async with silent(desk.listener):
        await desk.take(start())
        again = await desk.take(start(), elsewhere)
    await desk.carried()
    third = await desk.take(start(), REPLY)
    assert again.result is third.result is ACCEPTED
    assert len(desk.listener.heard) == 1
    assert [result["reply_to"] for result in await desk.results()] == [elsewhere, REPLY]


async def test_the_same_request_once_more_is_not_told_twice(desk):
    for correlation in ("a", "b"):
        await desk.take(start(), REPLY | {"correlation_id": correlation})
        await desk.carried()
    assert len(await desk.results()) == 1


@pytest.mark.parametrize("name", ["h-1", "s-1"])
async def test_a_session_is_stopped_by_any_of_its_names(desk, name):
    await desk.perform(start())
    reference = desk.listener.heard[0].json["reference"]
    await desk.charge(reference)
    answer = await desk.perform(StopSession(session=name, emsp=EMSP))
    question = desk.listener.heard[-1].json
    assert answer.result is ACCEPTED
    assert (question["kind"], question["reference"], question["session_id"]) == ("STOP_SESSION", reference, "s-1")
    assert question["place"]["evse_uid"] == "U1"


async def test_a_session_that_has_not_been_told_of_yet_can_be_stopped(desk):
    await desk.perform(start())
    assert (await desk.perform(StopSession(session="h-1"))).result is ACCEPTED
    assert "session_id" not in desk.listener.heard[-1].json


async def test_what_is_unknown_finished_or_anothers_cannot_be_stopped(desk):
    await desk.perform(start())
    await desk.charge(desk.listener.heard[0].json["reference"], "COMPLETED", ended=True)
    await desk.perform(start("h-2"))
    heard = len(desk.listener.heard)
    for session, emsp in [("h-404", EMSP), ("h-1", EMSP), ("s-1", EMSP), ("h-2", PartyId("DE-ABC"))]:
        answer = await desk.perform(StopSession(session=session, emsp=emsp))
        assert answer.result is CommandResult.UNKNOWN_SESSION, session
    assert (await desk.take(StopSession(session="h-2", emsp=EMSP))).result is CommandResult.UNKNOWN_SESSION
    assert len(desk.listener.heard) == heard


async def test_a_session_of_another_cpo_than_the_one_addressed_is_unknown(desk):
    await desk.perform(start())
    await desk.charge(desk.listener.heard[0].json["reference"])
    for name in ("s-1", "h-1"):
        answer = await desk.perform(StopSession(session=name, emsp=EMSP, at=EvseRef(party=OTHER)))
        assert answer.result is CommandResult.UNKNOWN_SESSION
    assert (await desk.perform(StopSession(session="s-1", emsp=EMSP, at=EvseRef(party=PARTY)))).result is ACCEPTED


async def test_a_reservation_with_another_cpo_than_the_one_addressed_is_unknown(desk):
    await desk.perform(reserve())
    for party, result in ((OTHER, CommandResult.UNKNOWN_RESERVATION), (PARTY, ACCEPTED)):
        cancel = CancelReservation(reservation="h-r", emsp=EMSP, at=EvseRef(party=party))
        assert (await desk.perform(cancel)).result is result


async def test_a_start_that_was_refused_cannot_be_stopped(desk):
    desk.listener.always = says({"result": "REJECTED"})
    await desk.perform(start())
    assert (await desk.perform(StopSession(session="h-1"))).result is CommandResult.UNKNOWN_SESSION


async def test_a_reservation_is_given_up_once(desk):
    await desk.perform(reserve())
    reference = desk.listener.heard[0].json["reference"]
    cancel = CancelReservation(reservation="h-r", emsp=EMSP)
    assert (await desk.perform(StopSession(session="h-r", emsp=EMSP))).result is CommandResult.UNKNOWN_SESSION
    assert (await desk.perform(cancel)).result is ACCEPTED
    assert desk.listener.heard[-1].json["reference"] == reference
    await desk.app.store.execute("UPDATE command SET answered_at = answered_at - interval '1 minute'")
    assert (await desk.perform(cancel)).result is CommandResult.UNKNOWN_RESERVATION
    assert (await desk.perform(reserve("h-r2"))).result is ACCEPTED  # and another may be made


async def test_a_reservation_of_another_emsp_by_the_same_number_is_another(desk):
    other = PartyId("DE-ABC")
    leg = Leg(emsp=other, identification=Identification(type=TokenType.APP_USER, uid="other"))
    await desk.perform(reserve("1", leg=Leg(emsp=EMSP, identification=DRIVER)))
    await desk.perform(reserve("1", leg=leg, emsp=other))
    first, second = (heard.json["reference"] for heard in desk.listener.heard)
    for emsp, reference in ((EMSP, first), (other, second)):
        await desk.perform(CancelReservation(reservation="1", emsp=emsp))
        assert desk.listener.heard[-1].json["reference"] == reference


async def test_a_start_by_whoever_reserved_says_so_and_uses_the_reservation_up(desk):
    await desk.perform(reserve())
    await desk.perform(start())
    reserved, started = (heard.json for heard in desk.listener.heard)
    assert started["reservation"] == reserved["reference"]
    assert "reservation" not in reserved
    cancel = CancelReservation(reservation="h-r", emsp=EMSP)
    assert (await desk.perform(cancel)).result is CommandResult.UNKNOWN_RESERVATION


async def test_a_start_over_the_reservations_own_hub_session_is_a_charge_that_can_be_stopped(desk):
    await desk.perform(reserve("h-1"))
    await desk.perform(start("h-1"))
    assert (await desk.perform(StopSession(session="h-1", emsp=EMSP))).result is ACCEPTED
    assert desk.listener.heard[-1].json["reference"] == desk.listener.heard[1].json["reference"]


async def test_a_reservation_sent_again_replaces_the_earlier(desk):
    leg = Leg(reference="r-1", emsp=EMSP, identification=DRIVER)
    await desk.perform(reserve(minutes=30, leg=leg))
    await desk.perform(reserve(minutes=60, leg=leg))
    first, second = (heard.json for heard in desk.listener.heard)
    assert second["reservation"] == first["reference"]
    assert (await desk.perform(CancelReservation(reservation="h-r", emsp=EMSP))).result is ACCEPTED
    assert desk.listener.heard[-1].json["reference"] == second["reference"]


async def test_a_reservation_that_the_hub_names_is_made_once_though_its_minutes_count_from_each_arrival(desk):
    leg = Leg(hub_session="h-r", emsp=EMSP, identification=DRIVER)
    first, second = (reserve(minutes=minutes, leg=leg) for minutes in (30, 30.02))
    assert await desk.perform(first) == await desk.perform(second)
    assert len(desk.listener.heard) == 1


async def test_an_accepted_reservation_may_be_cancelled_by_the_operator_who_says_so(desk):
    await desk.take(reserve())
    await desk.carried()
    id_ = desk.listener.heard[0].json["id"]
    cancelled = CommandAnswer(result=CommandResult.CANCELED_RESERVATION)
    await desk.app.services.commands.answer(None, id_, cancelled)
    assert [result["answer"]["result"] for result in await desk.results()] == ["ACCEPTED", "CANCELED_RESERVATION"]
    with pytest.raises(Conflict):
        await desk.app.services.commands.answer(None, id_, cancelled)


async def test_a_connector_is_unlocked(desk):
    at = EvseRef(location_id="L1", evse_uid="U1", connector_id="1")
    await desk.take(UnlockConnector(at=at, emsp=EMSP))
    await desk.carried()
    assert desk.listener.heard[0].json["place"]["connector_id"] == "1"
    assert [result["answer"]["result"] for result in await desk.results()] == ["ACCEPTED"]


async def test_commands_are_counted_and_call_outs_measured(desk):
    await desk.perform(start())
    await desk.perform(start("h-2", EvseRef(location_id="L404")))
    registry = desk.app.services.metrics.registry
    labels = {"hub": "hubject", "connection": "hubject", "operation": "START_SESSION"}
    for outcome in ("ACCEPTED", "UNKNOWN_EVSE"):
        assert registry.get_sample_value("roamgate_commands_total", labels | {"outcome": outcome}) == 1
    answered = {"operation": "START_SESSION", "outcome": "answered"}
    assert registry.get_sample_value("roamgate_call_out_seconds_count", answered) == 1


async def test_commands_are_listed_page_by_page_for_their_own_party(desk):
    for number in range(3):
        await desk.perform(start(f"h-{number}"))
    listed = desk.app.services.commands
    first = await listed.list(frozenset({PARTY}), "hubject", None, None, 2)
    rest = await listed.list(frozenset({PARTY}), "hubject", None, first.next, 2)
    sessions = [view.command["leg"]["hub_session"] for view in [*first.items, *rest.items]]
    assert sessions == ["h-2", "h-1", "h-0"]
    assert (await listed.list(frozenset({OTHER}), None, None, None, 10)).items == []
    assert (await listed.list(None, None, True, None, 10)).items == []


async def test_a_hub_that_repeats_a_command_after_its_replica_was_killed_gets_the_answer_at_another(desk, database_url):
    desk.listener.always = says("", 202)
    async with replica(database_url) as other:
        first = asyncio.create_task(desk.perform(start()))
        await desk.listener.came.wait()
        await kill(desk)
        await asyncio.gather(first, return_exceptions=True)
        repeated = asyncio.create_task(other.ears.commands.perform(other.links.by_name("hubject").connection, start()))
        answer = CommandAnswer(result=ACCEPTED, text="plugged in")
        await other.services.commands.answer(None, desk.listener.heard[0].json["id"], answer)
        assert await repeated == answer
    assert len(desk.listener.heard) == 1
