"""Commands that we send for our drivers."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from pydantic import ValidationError

from adapters.core.charging import Denial
from adapters.core.roaming import CommandSent
from gateway.services.ports import Conflict, Invalid, NotFound
from gateway.services.ports.permits import PermitOrigin
from gateway.services.ports.sent_commands import SentFilter
from gateway.store.pool import Store
from mappings.canonical.commands import (
    CancelReservation,
    CommandAnswer,
    CommandResult,
    ReserveNow,
    StartSession,
    StopSession,
    UnlockConnector,
)
from mappings.canonical.legs import Leg
from tests.harness import eventually
from tests.services.homecoming import (
    CARD,
    CONTRACT,
    CPO,
    EMSP,
    EVSE,
    NOW,
    OTHER_CPO,
    START,
    UID,
    Home,
    home,
    session,
    token,
    wish,
)

ACCEPTED = CommandAnswer(result=CommandResult.ACCEPTED)
REJECTED = CommandAnswer(result=CommandResult.REJECTED, text="closed")
LATER = CommandSent(None)
LEG = Leg(hub_session="H-1", identification=CARD)
AN_HOUR = NOW + timedelta(hours=1)


@pytest.fixture
async def at(store: Store) -> AsyncIterator[Home]:
    """The services."""
    async with home(store) as made:
        yield made


async def asked(at: Home) -> str:
    """Waits till the hub is asked, and gives our id of the command."""
    await at.hubs["hub"].reached.wait()
    return at.hubs["hub"].asked[-1][0]


def refused(error: pytest.ExceptionInfo[Invalid]) -> tuple[str, str]:
    """The field, and the first word of why."""
    [(field, detail)] = error.value.problems
    return field, detail.split(":")[0]


async def test_a_start_goes_to_the_hub_with_the_token_and_our_id(at: Home) -> None:
    view = await at.wish()
    [(id_, command, cpo)] = at.hubs["hub"].asked
    assert isinstance(command, StartSession)
    assert (id_, cpo, view.result, view.permit) == (view.id, CPO, CommandResult.ACCEPTED, view.id)
    assert (command.at.location_id, command.at.evse_uid, str(command.at.evse_id)) == ("L1", "U1", EVSE)
    assert (command.at.party, command.at.connector_id, command.emsp) == (CPO, "1", EMSP)
    assert (command.leg.emsp_session, command.leg.reference) == (view.id, view.id)
    assert command.token is not None
    assert command.token.uid == UID
    assert at.counted.commands == [("hub", "START_SESSION", "ACCEPTED")]


async def test_a_start_makes_a_permit_before_the_hub_is_asked(at: Home) -> None:
    at.hubs["hub"].gate = asyncio.Event()
    sending = asyncio.create_task(at.wish())
    id_ = await asked(at)
    permit = (await at.permits())[id_]
    assert (permit["origin"], permit["allowed"], permit["evse_key"]) == (PermitOrigin.START, True, "NLCPOE1")
    at.hubs["hub"].gate.set()
    await sending


async def test_a_session_that_began_by_a_start_finds_its_permit_by_the_hubs_id(at: Home) -> None:
    at.hubs["hub"].answers = [CommandSent(ACCEPTED, LEG)]
    at.now = START
    view = await at.wish()
    told = await at.tell(session("h-1", auth_method="COMMAND"))
    assert (told.permit, told.review) == (view.permit, [])
    leg = Leg.model_validate_json((await at.permits())[view.id]["leg"])
    assert (leg.hub_session, leg.reference) == ("H-1", view.id)


async def test_what_the_hub_calls_a_charge_is_found_beside_what_we_call_it(at: Home) -> None:
    at.hubs["hub"].answers = [CommandSent(ACCEPTED, Leg(reference="of-the-hub", identification=CARD))]
    at.now = START
    view = await at.wish()
    assert (await at.tell(session(reference="of-the-hub"))).permit == view.id
    assert (await at.tell(session("s-2", reference=view.id))).permit == view.id


async def test_a_result_that_is_told_later_ends_the_waiting(at: Home) -> None:
    at.hubs["hub"].answers = [LATER]
    sending = asyncio.create_task(at.wish())
    id_ = await asked(at)
    assert await at.received_result(id_, ACCEPTED)
    view = await sending
    assert view.result is CommandResult.ACCEPTED
    [(_, data)] = await at.events("sent_command.answered")
    assert (data["id"], data["result"], data["permit"], data["connection"]) == (id_, "ACCEPTED", id_, "hub")


async def test_a_result_may_be_told_at_any_replica_and_before_the_hub_has_answered(at: Home) -> None:
    at.hubs["hub"].answers, at.hubs["hub"].gate = [LATER], asyncio.Event()
    sending = asyncio.create_task(at.wish())
    id_ = await asked(at)
    _, replica = at.replica()
    assert await replica.told(at.connection(), id_, ACCEPTED)
    assert (await sending).result is CommandResult.ACCEPTED
    at.hubs["hub"].gate.set()


async def test_a_result_is_told_by_the_hub_that_was_asked_alone(at: Home) -> None:
    await at.connect("other")
    at.hubs["hub"].answers = [LATER]
    view = await at.wish(wait=0)
    assert not await at.sent.told(at.connection("other"), view.id, ACCEPTED)
    assert not await at.sent.told(at.connection(), "unknown", ACCEPTED)
    assert (await at.sent.get(None, view.id)).result is None


async def test_whoever_does_not_wait_is_told_by_an_event(at: Home) -> None:
    at.hubs["hub"].answers = [LATER]
    view = await at.wish(wait=0)
    assert view.result is None
    await at.received_result(view.id, REJECTED)
    [(_, data)] = await at.events("sent_command.answered")
    assert (data["result"], data["text"]) == ("REJECTED", "closed")


async def test_a_caller_that_hangs_up_changes_nothing(at: Home) -> None:
    at.hubs["hub"].gate = asyncio.Event()
    sending = asyncio.create_task(at.wish())
    id_ = await asked(at)
    sending.cancel()
    at.hubs["hub"].gate.set()

    async def answered() -> bool:
        return (await at.sent.get(None, id_)).result is CommandResult.ACCEPTED

    await eventually(answered)


async def test_nothing_begins_under_a_start_that_was_refused(at: Home) -> None:
    at.hubs["hub"].answers = [CommandSent(REJECTED)]
    view = await at.wish()
    permit = (await at.permits())[view.id]
    assert (permit["allowed"], permit["reason"]) == (False, Denial.NOT_ALLOWED)


async def test_a_hub_that_is_silent_is_a_timeout_under_which_a_session_may_still_begin(at: Home) -> None:
    at.hubs["hub"].gate, at.hubs["hub"].within = asyncio.Event(), timedelta(seconds=0.2)
    view = await at.wish()
    assert (view.result, (await at.permits())[view.id]["allowed"]) == (CommandResult.TIMEOUT, True)


async def test_a_failure_of_the_adapter_is_a_timeout(at: Home) -> None:
    at.hubs["hub"].answers = [RuntimeError("no such thing")]
    view = await at.wish()
    assert (view.result, view.text) == (CommandResult.TIMEOUT, "The gateway failed: RuntimeError")


async def test_a_command_whose_process_is_gone_times_out_once(at: Home) -> None:
    at.hubs["hub"].answers = [LATER]
    view = await at.wish(wait=0)
    await kill(at)
    assert await at.answering.sweep() == 0
    at.now = view.deadline + timedelta(seconds=3)
    assert await at.answering.sweep() == 1
    assert await at.answering.sweep() == 0
    assert [data["result"] for _, data in await at.events("sent_command.answered")] == ["TIMEOUT"]


async def test_a_result_that_comes_after_the_timeout_is_kept_and_told(at: Home) -> None:
    at.hubs["hub"].answers = [LATER]
    view = await at.wish(wait=0)
    await kill(at)
    at.now = view.deadline + timedelta(seconds=3)
    await at.answering.sweep()
    assert await at.received_result(view.id, ACCEPTED)
    assert await at.received_result(view.id, ACCEPTED)  # hubs repeat themselves
    after = await at.sent.get(None, view.id)
    assert (after.result, after.late) == (CommandResult.TIMEOUT, ACCEPTED)
    told = await at.events("sent_command.answered")
    assert [data.get("late") for _, data in told] == [None, {"result": "ACCEPTED"}]
    assert at.counted.commands[-1] == ("hub", "START_SESSION", "LATE_ACCEPTED")


async def test_a_late_refusal_closes_the_permit(at: Home) -> None:
    at.hubs["hub"].answers = [LATER]
    view = await at.wish(wait=0)
    await kill(at)
    at.now = view.deadline + timedelta(seconds=3)
    await at.answering.sweep()
    await at.received_result(view.id, REJECTED)
    assert not (await at.permits())[view.id]["allowed"]


async def test_a_hub_may_say_that_its_result_comes_sooner_or_not_at_all(at: Home) -> None:
    at.hubs["hub"].answers = [CommandSent(None, timeout=timedelta(seconds=5))]
    view = await at.wish(wait=0)
    row = "SELECT deadline FROM sent_command WHERE id = $1"

    async def hastened() -> bool:
        return bool(await at.store.fetchval(row, view.id) == NOW + timedelta(seconds=5))

    await eventually(hastened)


async def test_the_same_request_is_the_same_command(at: Home) -> None:
    first = await at.wish(request_id="r-1")
    again = await at.wish(request_id="r-1", wait=3)
    assert first.id == again.id
    assert len(at.hubs["hub"].asked) == 1


async def test_the_same_request_at_once_is_sent_once(at: Home) -> None:
    _, replica = at.replica()
    views = await asyncio.gather(
        at.wish(request_id="r-1"), replica.send(wish(request_id="r-1")), at.wish(request_id="r-1")
    )
    assert len({view.id for view in views}) == 1
    assert (len(at.hubs["hub"].asked), len(await at.permits())) == (1, 1)
    await replica.stop()


async def test_a_request_id_is_for_one_command(at: Home) -> None:
    await at.wish(request_id="r-1")
    with pytest.raises(Conflict):
        await at.wish(request_id="r-1", connector_id="1")


async def test_the_preferred_way_that_carries_the_command_is_taken(at: Home) -> None:
    await at.connect("second", kinds=["UNLOCK_CONNECTOR"])
    await at.station(over="second")
    await at.change("hub", "scope", '{"parties": ["FR*EMS"]}')
    assert (await at.wish()).connection == "hub"
    at.hubs["hub"].kinds = frozenset({"START_SESSION"})
    unlocking = await at.wish(kind="UNLOCK_CONNECTOR", token=None)
    assert (unlocking.connection, unlocking.permit) == ("second", None)
    assert isinstance(at.hubs["second"].asked[0][1], UnlockConnector)


async def test_a_way_that_is_not_live_is_passed_by(at: Home) -> None:
    await at.connect("second")
    await at.station(over="second")
    await at.change("hub", "state", "paused")
    assert (await at.wish()).connection == "second"
    await at.change("second", "mode", "shadow")
    with pytest.raises(Conflict, match="is not live"):
        await at.wish()


async def test_a_named_connection_is_the_way(at: Home) -> None:
    await at.connect("second")
    await at.station(over="second")
    assert (await at.wish(connection="second")).connection == "second"
    by_key = {"location_id": "L1", "evse_uid": "U1"}
    assert (await at.wish(connection="second", evse=by_key)).connection == "second"
    with pytest.raises(NotFound):
        await at.wish(connection="third")


async def test_what_no_hub_carries_is_refused_by_name(at: Home) -> None:
    at.hubs["hub"].kinds = frozenset()
    with pytest.raises(Invalid) as error:
        await at.wish()
    assert refused(error) == ("kind", "NOT_SUPPORTED")
    await at.change("hub", "scope", '{"parties": ["DE*XXX"]}')
    at.hubs["hub"].kinds = frozenset({"START_SESSION"})
    with pytest.raises(Invalid) as error:
        await at.wish()
    assert refused(error) == ("party", "NOT_SUPPORTED")


async def test_an_evse_that_the_catalogue_does_not_have_is_refused_by_name(at: Home) -> None:
    with pytest.raises(Invalid) as error:
        await at.wish(evse={"evse_id": "NL*CPO*E99"})
    assert refused(error) == ("evse.evse_id", "UNKNOWN_EVSE")
    with pytest.raises(Invalid) as error:
        await at.wish(evse={"location_id": "L1", "evse_uid": "U9"}, connection="hub")
    assert refused(error) == ("evse.evse_uid", "UNKNOWN_EVSE")
    with pytest.raises(Invalid) as error:
        await at.wish(connector_id="9")
    assert refused(error)[0] == "connector_id"


async def test_an_evse_is_known_however_its_id_is_spelled(at: Home) -> None:
    assert (await at.wish(evse={"evse_id": "nlcpoe1"})).evse == "NLCPOE1"


async def test_of_two_cpos_with_one_location_id_one_has_to_be_named(at: Home) -> None:
    await at.station(evse_id="NL*ZZZ*E1", cpo=OTHER_CPO)
    by_key = {"location_id": "L1", "evse_uid": "U1"}
    with pytest.raises(Invalid) as error:
        await at.wish(connection="hub", evse=by_key)
    assert refused(error)[0] == "evse.cpo"
    assert (await at.wish(connection="hub", evse=by_key | {"cpo": "NL*ZZZ"})).cpo == OTHER_CPO


async def test_a_blocked_driver_is_refused(at: Home) -> None:
    await at.put(token(valid=False))
    with pytest.raises(Invalid) as error:
        await at.wish()
    assert refused(error) == ("token", "is blocked")
    assert at.hubs["hub"].asked == []


async def test_a_driver_of_another_emsp_is_refused(at: Home) -> None:
    with pytest.raises(Invalid) as error:
        await at.wish(party="DE-XXX")
    assert refused(error)[0] == "token"


async def test_a_driver_is_known_by_the_contract_for_whom_the_app_stands_best(at: Home) -> None:
    await at.put(token("app-1", type="APP_USER"))
    await at.wish(token=None, identification={"type": "APP_USER", "contract_id": "fremsc12345678"})
    command = at.hubs["hub"].asked[0][1]
    assert isinstance(command, StartSession)
    assert (command.leg.identification.uid, str(command.leg.identification.contract_id)) == ("app-1", CONTRACT)


async def test_a_stop_goes_where_the_session_runs_by_the_id_that_its_hub_knows(at: Home) -> None:
    await at.permit("p-1")
    told = await at.tell(session("S-1", reference="p-1"))
    for named in ({"permit": "p-1"}, {"session": told.id}):
        view = await at.wish(kind="STOP_SESSION", evse=None, token=None, **named)
        command = at.hubs["hub"].asked[-1][1]
        assert isinstance(command, StopSession)
        assert command.at is not None
        assert (command.session, str(command.at.evse_id), view.connection) == ("S-1", EVSE, "hub")
        assert (view.permit, view.cpo) == ("p-1", CPO)


async def test_a_session_that_was_not_told_yet_is_stopped_by_the_hubs_id(at: Home) -> None:
    at.hubs["hub"].answers = [CommandSent(ACCEPTED, LEG)]
    begun = await at.wish()
    await at.wish(kind="STOP_SESSION", evse=None, token=None, permit=begun.permit)
    command = at.hubs["hub"].asked[-1][1]
    assert isinstance(command, StopSession)
    assert command.session == "H-1"


async def test_what_the_hub_has_not_named_or_what_is_over_cannot_be_stopped(at: Home) -> None:
    await at.permit("p-1")
    with pytest.raises(Conflict, match="not named"):
        await at.wish(kind="STOP_SESSION", evse=None, token=None, permit="p-1")
    await at.tell(session(status="COMPLETED", reference="p-1"))
    with pytest.raises(Conflict, match="is over"):
        await at.wish(kind="STOP_SESSION", evse=None, token=None, permit="p-1")
    with pytest.raises(NotFound):
        await at.wish(kind="STOP_SESSION", evse=None, token=None, permit="p-1", party="DE-XXX")


@pytest.mark.parametrize(("leg", "name"), [(None, None), (LEG, "H-1")])
async def test_a_reservation_is_given_up_by_the_name_that_the_hub_knows(
    at: Home, leg: Leg | None, name: str | None
) -> None:
    at.hubs["hub"].answers = [CommandSent(ACCEPTED, leg), CommandSent(ACCEPTED)]
    view = await at.wish(kind="RESERVE_NOW", expires=AN_HOUR)
    reserving = at.hubs["hub"].asked[0][1]
    assert isinstance(reserving, ReserveNow)
    assert (reserving.reservation, reserving.expires) == (view.id, AN_HOUR)
    assert (await at.permits())[view.id]["expires_at"] == AN_HOUR
    await at.wish(kind="CANCEL_RESERVATION", evse=None, token=None, permit=view.permit)
    cancelling = at.hubs["hub"].asked[1][1]
    assert isinstance(cancelling, CancelReservation)
    assert cancelling.reservation == (name or view.id)
    assert (await at.permits())[view.id]["expires_at"] == at.now


async def test_a_reservation_cannot_end_before_it_begins(at: Home) -> None:
    with pytest.raises(Invalid) as error:
        await at.wish(kind="RESERVE_NOW", expires=START)
    assert refused(error)[0] == "expires"


@pytest.mark.parametrize(
    "changes",
    [
        {"evse": None},
        {"token": None},
        {"identification": {"type": "RFID", "uid": "1"}},
        {"expires": AN_HOUR},
        {"kind": "RESERVE_NOW"},
        {"kind": "STOP_SESSION"},
        {"permit": "p-1"},
        {"kind": "STOP_SESSION", "evse": None, "token": None},
        {"kind": "CANCEL_RESERVATION", "evse": None, "token": None, "session": 1},
        {"evse": {"location_id": "L1", "evse_uid": "U1"}},
        {"evse": {"location_id": "L1"}, "connection": "hub"},
        {"evse": {"evse_id": EVSE, "location_id": "L1", "evse_uid": "U1"}},
        {"wait": 301},
    ],
)
def test_a_wish_that_makes_no_sense_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        wish(**changes)


async def test_commands_are_listed_the_newest_first(at: Home) -> None:
    first = await at.wish()
    at.now += timedelta(seconds=1)
    second = await at.wish(kind="UNLOCK_CONNECTOR", token=None)
    page = await at.sent.list(SentFilter(), None, 1)
    assert ([one.id for one in page.items], page.next is not None) == ([second.id], True)
    rest = await at.sent.list(SentFilter(), page.next, 1)
    assert [one.id for one in rest.items] == [first.id]
    wanted = SentFilter(frozenset({EMSP}), CPO, "hub", first.kind, open=False, since=NOW, until=AN_HOUR)
    assert [one.id for one in (await at.sent.list(wanted, None, 10)).items] == [first.id]
    assert (await at.sent.list(SentFilter(open=True), None, 10)).items == []


async def kill(at: Home) -> None:
    """Ends the process that carries commands, at once."""
    await eventually(lambda: not at.sent._asking)
    await at.sent.stop()
