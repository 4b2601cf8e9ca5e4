"""Remote starts and stops and reservations of our drivers, against the sandbox and against odd answers."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from adapters.core.roaming import CommandSent
from adapters.hubject.provider import adapter as provider_adapter
from adapters.hubject.provider.adapter import ProviderAdapter
from adapters.hubject.sandbox.played import PlayedCpos
from adapters.hubject.settings import DEADLINE
from mappings.canonical.commands import (
    CancelReservation,
    Command,
    CommandResult,
    EvseRef,
    ReserveNow,
    StartSession,
    StopSession,
    UnlockConnector,
)
from mappings.canonical.ids import ContractId, EvseId, PartyId
from mappings.canonical.tokens import Identification, TokenType
from mappings.oicp.status_codes import CODES
from mappings.oicp.v2_3.sent_commands import RESULTS
from tests.adapters.doubles import Measured
from tests.adapters.hubject.charging import UNKNOWN
from tests.adapters.hubject.emps import EVCO, World, record, world
from tests.adapters.hubject.peer import Peer, acknowledged
from tests.adapters.hubject.peer import playing as hearing
from tests.adapters.hubject.provider import EVSE, provider, start
from tests.adapters.impatient import tried_until

PLA = PartyId("NL*PLA")
AT = EvseRef(evse_id=EVSE)


@pytest.fixture
async def filled() -> AsyncIterator[World]:
    """A sandbox with an EVSE of a played CPO, which answers as it is told to."""
    async with world(limits=False) as made:
        await made.load(record(EVSE.text), record("NL*PLA*E2", IsHubjectCompatible=False))
        yield made


@pytest.fixture
async def emp(filled: World) -> AsyncIterator[ProviderAdapter]:
    made = provider(filled)
    yield made
    await made.close()


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    """A Hubject that says whatever a test has it say."""
    async with hearing() as made:
        yield made


def reserve(world_: World, **changes: Any) -> ReserveNow:
    fields: dict[str, Any] = {
        "at": AT,
        "leg": start(emsp_session=None).leg,
        "reservation": "mine",
        "expires": world_.wall() + timedelta(minutes=15),
    }
    return ReserveNow(**(fields | changes))


async def result(emp: ProviderAdapter, command: Command) -> CommandResult:
    answered = await emp.command("command-1", command, PLA)
    assert answered.answer is not None, "Hubject answers in the same request"
    return answered.answer.result


# What is carried out


async def test_a_start_gets_its_session_from_hubject_and_a_stop_names_it(filled: World, emp: ProviderAdapter) -> None:
    await filled.do("cpos", [{"operator": "NL*PLA", "partner_session": "cpo-1"}])
    sent = await emp.command("command-1", start(), PLA)
    assert sent.answer is not None
    assert sent.answer.result is CommandResult.ACCEPTED
    assert sent.leg is not None
    session = (await filled.memory("sessions"))[sent.leg.hub_session or ""]
    assert (session["EMPPartnerSessionID"], session["CPOPartnerSessionID"]) == ("permit-1", "cpo-1")
    assert (sent.leg.emsp_session, sent.leg.own_session) == ("permit-1", "cpo-1")
    stop = StopSession(session=sent.leg.hub_session or "", at=AT)
    answered = await emp.command("command-2", stop, PLA)
    assert answered == CommandSent(answered.answer)
    assert answered.answer is not None
    assert answered.answer.result is CommandResult.ACCEPTED


async def test_a_reservation_is_made_for_minutes_and_cancelled(filled: World, emp: ProviderAdapter) -> None:
    sent = await emp.command("command-1", reserve(filled), PLA)
    assert sent.leg is not None
    session = sent.leg.hub_session or ""
    assert (await filled.memory("sessions"))[session]["EMPPartnerSessionID"] == "mine"
    assert await result(emp, CancelReservation(reservation=session, at=AT)) is CommandResult.ACCEPTED


async def test_a_start_at_a_cpo_partner_reaches_its_gateway_with_our_names(filled: World, emp: ProviderAdapter) -> None:
    assert await result(emp, start(EvseId("FR*HUB*E1"), product="AC22")) is CommandResult.ACCEPTED
    (heard,) = filled.cpo.heard_at("authorize-remote/start")
    assert (heard["EMPPartnerSessionID"], heard["PartnerProductID"]) == ("permit-1", "AC22")
    assert heard["Identification"] == {"RemoteIdentification": {"EvcoID": EVCO}}


async def test_a_driver_with_a_card_is_named_by_the_contract(filled: World, emp: ProviderAdapter) -> None:
    who = Identification(type=TokenType.RFID, uid="04AABBCC", contract_id=ContractId(EVCO))
    assert await result(emp, start(EvseId("FR*HUB*E1"), identification=who)) is CommandResult.ACCEPTED
    (heard,) = filled.cpo.heard_at("authorize-remote/start")
    assert "04AABBCC" not in json.dumps(heard)


# What is not


@pytest.mark.parametrize(
    ("code", "expected"), [(code, result) for code, result in RESULTS.items() if code != "000" and result is not None]
)
async def test_what_the_cpo_answers_is_what_came_of_it(
    filled: World, emp: ProviderAdapter, code: str, expected: CommandResult
) -> None:
    await filled.do("cpos", [{"operator": "NL*PLA", "answer": "refuse", "code": code}])
    sent = await emp.command("command-1", start(), PLA)
    assert sent.answer is not None
    assert sent.answer.result is expected
    assert sent.leg is None


@pytest.mark.parametrize(
    ("evse_id", "expected"),
    [
        ("NL*PLA*E404", CommandResult.UNKNOWN_EVSE),
        ("NL*PLA*E2", CommandResult.NOT_SUPPORTED),
        ("XX*NIX*E1", CommandResult.REJECTED),
    ],
)
async def test_hubject_itself_refuses(
    filled: World, emp: ProviderAdapter, evse_id: str, expected: CommandResult
) -> None:
    await filled.do("cpos", [{"operator": "NL*PLA"}])
    assert await result(emp, start(EvseId(evse_id))) is expected


async def test_without_a_contract_with_the_cpo_nothing_starts(filled: World, emp: ProviderAdapter) -> None:
    await filled.do("contracts", [{"provider": "NL-EMS", "operator": "NL*PLA", "agreed": False}])
    assert await result(emp, start()) is CommandResult.NO_CONTRACT
    assert await result(emp, reserve(filled)) is CommandResult.NO_CONTRACT


async def test_another_emps_driver_is_not_started_in_our_name(filled: World, emp: ProviderAdapter) -> None:
    who = Identification(type=TokenType.APP_USER, contract_id=ContractId("DE-EMP-C12345678-X"))
    assert await result(emp, start(identification=who)) is CommandResult.FAILED


async def test_a_session_that_hubject_does_not_have_cannot_be_ended(filled: World, emp: ProviderAdapter) -> None:
    assert await result(emp, StopSession(session=UNKNOWN, at=AT)) is CommandResult.UNKNOWN_SESSION
    assert await result(emp, CancelReservation(reservation=UNKNOWN, at=AT)) is CommandResult.UNKNOWN_RESERVATION


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (StopSession(session="ours-alone", at=AT), CommandResult.UNKNOWN_SESSION),
        (CancelReservation(reservation="ours-alone", at=AT), CommandResult.UNKNOWN_RESERVATION),
        (StopSession(session=UNKNOWN), CommandResult.UNKNOWN_EVSE),
        (StartSession(at=EvseRef(location_id="L1"), leg=start().leg), CommandResult.UNKNOWN_EVSE),
        (start(product="x" * 51), CommandResult.NOT_SUPPORTED),
        (start(identification=Identification(type=TokenType.RFID, uid="04AABBCC")), CommandResult.NOT_SUPPORTED),
        (UnlockConnector(at=AT), CommandResult.NOT_SUPPORTED),
    ],
)
async def test_what_cannot_be_said_is_not_sent(command: Command, expected: CommandResult) -> None:
    measured = Measured()
    emp = provider(observer=measured)
    assert await result(emp, command) is expected
    assert not measured.requests
    await emp.close()


async def test_a_reservation_that_has_ended_is_not_sent(filled: World, emp: ProviderAdapter) -> None:
    past = reserve(filled, expires=filled.wall())
    assert await result(emp, past) is CommandResult.NOT_SUPPORTED


# Whether it happened, nobody knows


async def test_a_cpo_that_is_silent_may_have_begun(filled: World, emp: ProviderAdapter) -> None:
    filled.sandbox.played = PlayedCpos(patience=0.05)
    await filled.do("cpos", [{"operator": "NL*PLA", "answer": "silent"}])
    assert await result(emp, start()) is CommandResult.TIMEOUT


def test_hubject_is_heard_out_when_it_gives_up_on_the_cpo() -> None:
    assert DEADLINE < provider_adapter.COMMAND_TIMEOUT < provider().roaming.command_within


async def test_a_hub_that_is_silent_is_given_up_after_the_time_of_a_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(provider_adapter, "COMMAND_TIMEOUT", timedelta(seconds=0.2))
    silent = asyncio.Event()

    async def wait(_request: web.Request) -> web.Response:
        await silent.wait()
        return web.Response()

    app = web.Application()
    app.router.add_post("/{path:.*}", wait)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    emp = provider(base_url=f"http://127.0.0.1:{runner.addresses[0][1]}")
    # On a busy machine the connection alone may take longer, and then nothing was sent.
    _, said = await tried_until(lambda: result(emp, start()), lambda said: said is not CommandResult.FAILED)
    assert said is CommandResult.TIMEOUT
    silent.set()
    await emp.close()
    await runner.cleanup()


async def test_a_hub_that_cannot_be_reached_has_started_nothing() -> None:
    emp = provider()
    assert await result(emp, start()) is CommandResult.FAILED
    await emp.close()


@pytest.mark.parametrize(
    ("says", "status", "expected"),
    [
        (acknowledged("001"), 200, CommandResult.FAILED),
        (acknowledged("009"), 200, CommandResult.FAILED),
        (acknowledged("017"), 200, CommandResult.FAILED),
        ({"StatusCode": {"Code": "017"}}, 401, CommandResult.FAILED),
        (acknowledged("022"), 200, CommandResult.FAILED),
        (
            {"message": "bad", "validationErrors": [{"fieldReference": "x", "errorMessage": "y"}]},
            400,
            CommandResult.FAILED,
        ),
        (acknowledged("000"), 429, CommandResult.FAILED),
        (b"", 503, CommandResult.FAILED),
        ({"Result": False}, 200, CommandResult.REJECTED),
        ({"Result": False, "StatusCode": {"Code": "602"}}, 404, CommandResult.EVSE_OCCUPIED),
        ({"Result": True, "StatusCode": {"Code": "602"}}, 200, CommandResult.TIMEOUT),
        ({"Result": False, "StatusCode": {"Code": "000"}}, 200, CommandResult.TIMEOUT),
        ({"Result": True, "StatusCode": {"Code": "210"}}, 200, CommandResult.TIMEOUT),
        (acknowledged("999"), 200, CommandResult.TIMEOUT),
        ({}, 200, CommandResult.TIMEOUT),
        ([], 200, CommandResult.TIMEOUT),
        (b"<html>", 200, CommandResult.TIMEOUT),
        (b"", 500, CommandResult.TIMEOUT),
    ],
)
async def test_whatever_is_answered_something_is_known_of_the_command(
    peer: Peer, says: Any, status: int, expected: CommandResult
) -> None:
    peer.says, peer.status = says, status
    emp = provider(base_url=peer.url)
    for command in (start(), StopSession(session=UNKNOWN, at=AT)):
        assert await result(emp, command) is expected
    await emp.close()


async def test_a_yes_without_a_session_is_known_by_our_own_name(peer: Peer) -> None:
    peer.says = acknowledged("000")
    emp = provider(base_url=peer.url)
    sent = await emp.command("command-1", start(), PLA)
    assert sent.leg is not None
    assert (sent.leg.hub_session, sent.leg.emsp_session) == (None, "permit-1")
    await emp.close()


def test_every_code_of_oicp_was_tried() -> None:
    assert RESULTS.keys() == CODES.keys()


async def test_commands_are_measured_by_their_operations(filled: World) -> None:
    measured = Measured()
    emp = provider(filled, measured)
    session = (await emp.command("command-1", start(), PLA)).leg
    assert session is not None
    named = session.hub_session or ""
    for command in (StopSession(session=named, at=AT), reserve(filled), CancelReservation(reservation=named, at=AT)):
        await emp.command("command-2", command, PLA)
    assert [each.operation for each in measured.requests] == [
        "remote_start",
        "remote_stop",
        "reservation_start",
        "reservation_stop",
    ]
    await emp.close()
