"""Commands of our drivers as IOP is asked, and what its answers come to; it is a platform that says what it is told."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from adapters.core import ocpi
from adapters.core.connection import Secrets, State
from adapters.core.roaming import CommandSent
from adapters.gireve.adapter import GireveAdapter
from adapters.gireve.errors import COMMAND_REFUSALS
from adapters.gireve.home import Home
from mappings.canonical.commands import (
    CancelReservation,
    Command,
    CommandResult,
    EvseRef,
    StartSession,
    StopSession,
    UnlockConnector,
)
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.ocpi.envelope import StatusCode
from tests.adapters import doubles
from tests.adapters.doubles import Measured
from tests.adapters.gireve.ours import MP1, UID, card

TNM = PartyId("NL*TNM")
OTHER = PartyId("DE*MP2")
STOP = StopSession(session="S1", emsp=MP1)


def start(**at: Any) -> StartSession:
    place: dict[str, Any] = {"party": TNM, "location_id": "LOC1", "evse_uid": "1", "connector_id": "2"} | at
    leg = Leg(reference="permit-1", emsp=MP1, identification=card().identification)
    return StartSession(at=EvseRef(**place), emsp=MP1, leg=leg, token=card())


class Platform:
    """IOP, as far as commands go.

    Attributes:
        status, code, data: What it answers.
    """

    def __init__(self) -> None:
        self.requests: list[tuple[str, Any, Any]] = []
        self.status, self.code = 200, 1000
        self.data: Any = {"result": "ACCEPTED", "timeout": 45}
        self.url = ""

    async def serve(self, request: web.Request) -> web.Response:
        self.requests.append((request.path, request.headers.copy(), await request.json()))
        body = {"status_code": self.code, "timestamp": "2026-06-07T18:40:07Z", "data": self.data}
        return web.Response(status=self.status, body=json.dumps(body), content_type="application/json")

    async def asked(self, command: Command, cpo: PartyId = TNM, *emsps: PartyId, **settings: Any) -> CommandSent:
        """Has a command sent."""
        modules = {"commands/RECEIVER": f"{self.url}/commands/"}
        connection = doubles.connection(
            "gireve",
            {"sandbox": True, "roles": ["EMSP"], **settings},
            state=State.READY,
            secrets=Secrets("token", {"versions": self.url, "modules": modules}),
        )

        async def ours() -> tuple[PartyId, ...]:
            return emsps

        adapter = GireveAdapter(connection, Measured(), home=Home("https://ours.example", ours))
        try:
            return await adapter.command("command 1", command, cpo)
        finally:
            await adapter.close()


@pytest.fixture
async def iop() -> AsyncIterator[Platform]:
    made = Platform()
    app = web.Application()
    app.add_routes([web.post("/{tail:.*}", made.serve)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


async def test_a_start_is_addressed_to_the_cpo_and_says_where_its_result_is_wanted(iop: Platform) -> None:
    sent = await iop.asked(start())
    assert sent == CommandSent(None, timeout=timedelta(seconds=45))
    ((path, headers, body),) = iop.requests
    assert path == "/commands/START_SESSION"
    assert (headers[ocpi.TO_COUNTRY], headers[ocpi.TO_PARTY]) == ("NL", "TNM")
    assert (headers[ocpi.FROM_COUNTRY], headers[ocpi.FROM_PARTY]) == ("DE", "MP1")
    assert headers[ocpi.CORRELATION_ID] == "command 1"
    assert body["response_url"] == "https://ours.example/ocpi/2.2.1/sender/commands/START_SESSION/command%201"
    assert (body["location_id"], body["evse_uid"], body["connector_id"]) == ("LOC1", "1", "2")
    assert (body["token"]["uid"], body["authorization_reference"]) == (UID, "permit-1")


async def test_a_stop_names_the_session(iop: Platform) -> None:
    await iop.asked(STOP)
    ((path, _, body),) = iop.requests
    assert (path, body["session_id"]) == ("/commands/STOP_SESSION", "S1")


async def test_a_stop_of_nobody_in_particular_is_said_by_our_first_emsp(iop: Platform) -> None:
    await iop.asked(StopSession(session="S1"), TNM, OTHER, MP1)
    assert iop.requests[0][1][ocpi.FROM_PARTY] == "MP2"
    sent = await iop.asked(StopSession(session="S1"))
    assert sent.answer is not None
    assert sent.answer.result is CommandResult.FAILED
    assert len(iop.requests) == 1


@pytest.mark.parametrize(
    "command",
    [
        start(evse_uid=None, connector_id=None),
        start(location_id=None),
        start().model_copy(update={"token": None}),
        start().model_copy(update={"token": card("04E8")}),
        StopSession(session="S" * 40, emsp=MP1),
    ],
)
async def test_what_cannot_be_said_is_rejected_and_not_sent(iop: Platform, command: Command) -> None:
    sent = await iop.asked(command)
    assert sent.answer is not None
    assert sent.answer.result is CommandResult.REJECTED
    assert sent.answer.text
    assert "04E8" not in sent.answer.text
    assert not iop.requests


@pytest.mark.parametrize(
    "command", [CancelReservation(reservation="R1", emsp=MP1), UnlockConnector(at=start().at, emsp=MP1)]
)
async def test_commands_that_gireve_has_not_are_not_sent(iop: Platform, command: Command) -> None:
    sent = await iop.asked(command)
    assert sent.answer is not None
    assert sent.answer.result is CommandResult.NOT_SUPPORTED
    assert not iop.requests


async def test_a_connection_that_plays_the_cpo_alone_sends_none(iop: Platform) -> None:
    sent = await iop.asked(start(), roles=["CPO"])
    assert sent.answer is not None
    assert sent.answer.result is CommandResult.NOT_SUPPORTED


@pytest.mark.parametrize("result", ["REJECTED", "NOT_SUPPORTED", "UNKNOWN_SESSION"])
@pytest.mark.parametrize(("status", "code"), [(200, 1000), (200, 2001), (404, 2001)])
async def test_a_refusal_counts_beside_an_error_too(iop: Platform, result: str, status: int, code: int) -> None:
    iop.status, iop.code = status, code
    iop.data = {"result": result, "timeout": 0, "message": [{"language": "en", "text": "No"}]}
    sent = await iop.asked(STOP)
    assert sent.answer is not None
    assert (sent.answer.result, sent.answer.text) == (CommandResult(result), "No")


@pytest.mark.parametrize(("code", "result"), COMMAND_REFUSALS.items())
async def test_an_error_without_a_response_says_what_came_of_it(
    iop: Platform, code: int, result: CommandResult
) -> None:
    iop.status, iop.code, iop.data = 200, code, None
    sent = await iop.asked(start())
    assert sent.answer is not None
    assert sent.answer.result is result


@pytest.mark.parametrize(
    ("status", "code", "data"),
    [
        (200, 1000, None),
        (200, 1000, {"result": "MAYBE", "timeout": 30}),
        (200, 1000, "ACCEPTED"),
        (200, StatusCode.TIMEOUT_ON_FORWARDED_REQUEST, None),
        (200, StatusCode.SERVER_ERROR, None),
        (200, 4999, None),
        (500, 2001, {"result": "REJECTED", "timeout": 0}),
    ],
)
async def test_where_nothing_is_known_the_result_may_still_come(
    iop: Platform, status: int, code: int, data: Any
) -> None:
    iop.status, iop.code, iop.data = status, code, data
    assert await iop.asked(start()) == CommandSent(None)


async def test_a_response_in_a_list_of_one_is_a_response(iop: Platform) -> None:
    iop.data = [{"result": "REJECTED", "timeout": 0}]
    sent = await iop.asked(start())
    assert sent.answer is not None
    assert sent.answer.result is CommandResult.REJECTED


@pytest.mark.parametrize("seconds", [0, -1, 86_401, 10**30])
async def test_a_time_out_that_makes_no_sense_says_nothing(iop: Platform, seconds: int) -> None:
    iop.data = {"result": "ACCEPTED", "timeout": seconds}
    assert (await iop.asked(start())).timeout is None


async def test_a_platform_without_the_module_is_not_asked() -> None:
    connection = doubles.connection(
        "gireve", {"sandbox": True, "roles": ["EMSP"]}, state=State.READY, secrets=Secrets("token")
    )
    adapter = GireveAdapter(connection, Measured())
    sent = await adapter.command("command-1", STOP, TNM)
    assert sent.answer is not None
    assert sent.answer.result is CommandResult.FAILED
    await adapter.close()
