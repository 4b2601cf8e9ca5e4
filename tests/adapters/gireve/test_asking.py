"""Asking Gireve for a driver, over loopback."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from adapters.core import ocpi
from adapters.core.charging import Allowed, Answer, Denial, Denied, Unanswered
from adapters.core.connection import Secrets, State
from adapters.core.outcomes import Misconfigured, OutcomeUnknown, RefusedByHub
from adapters.gireve.adapter import GireveAdapter
from adapters.gireve.settings import Settings
from mappings.canonical.ids import ContractId, PartyId
from mappings.canonical.tokens import Identification, TokenType
from tests.adapters import doubles
from tests.adapters.gireve.network import EMSP
from tests.adapters.gireve.peer import (
    CONTRACT,
    DRIVER,
    LEG,
    REFERENCE,
    TOKEN,
    TOKEN_WIRE,
    UID,
    Peer,
    allowed,
    peer,
    question,
)


@pytest.fixture
async def iop() -> AsyncIterator[Peer]:
    async with peer() as made:
        yield made


@pytest.fixture
async def adapter(iop: Peer) -> AsyncIterator[GireveAdapter]:
    made = GireveAdapter(iop.connection(), doubles.Measured())
    yield made
    await made.close()


async def test_the_question_names_exactly_one_evse_and_speaks_to_iop(iop: Peer, adapter: GireveAdapter) -> None:
    await adapter.authorise(question())
    (got,) = iop.got
    assert (got.method, got.path) == ("POST", f"/tokens/{UID}/authorize?type=RFID")
    assert got.body == {"location_id": "LOC1", "evse_uids": ["1"]}
    assert (got.headers[ocpi.FROM_COUNTRY], got.headers[ocpi.FROM_PARTY]) == ("FR", "ABC")
    assert (got.headers[ocpi.TO_COUNTRY], got.headers[ocpi.TO_PARTY]) == ("FR", "107")
    assert got.headers[ocpi.CORRELATION_ID] == "our-authorisation-1"
    assert got.headers["Authorization"] == ocpi.authorization(TOKEN)


async def test_a_yes_carries_reference_emsp_driver_and_token(adapter: GireveAdapter) -> None:
    answer = await adapter.authorise(question())
    assert isinstance(answer, Allowed)
    assert answer.leg == LEG
    assert answer.leg.reference == REFERENCE
    assert answer.leg.emsp == EMSP
    assert answer.token is not None
    assert answer.token.group_id == "group-1"
    assert answer.info == "Welcome"


@pytest.mark.parametrize("word", ["BLOCKED", "EXPIRED", "NO_CREDIT", "NOT_ALLOWED"])
async def test_a_no_has_the_emsps_reason(iop: Peer, adapter: GireveAdapter, word: str) -> None:
    iop.answers[UID] = (200, 1000, allowed(allowed=word, authorization_reference=None, location=None))
    answer = await adapter.authorise(question())
    assert isinstance(answer, Denied)
    assert (answer.reason, answer.code, answer.text) == (Denial(word), word, "Welcome")
    assert answer.token is not None


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (404, 2004, Denial.UNKNOWN_TOKEN),
        (200, 2004, Denial.UNKNOWN_TOKEN),
        (404, 2000, Denial.UNKNOWN_TOKEN),
        (200, 2000, Denial.UNKNOWN_TOKEN),
        (404, 2001, Denial.UNKNOWN_TOKEN),
        (200, 2003, Denial.UNKNOWN_EVSE),
    ],
)
async def test_what_iop_does_not_know_is_a_no(
    iop: Peer, adapter: GireveAdapter, status: int, code: int, reason: Denial
) -> None:
    iop.answers[UID] = (status, code, None)
    answer = await adapter.authorise(question())
    assert isinstance(answer, Denied)
    assert (answer.reason, answer.code) == (reason, str(code))


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (200, 2001, RefusedByHub),
        (400, 2002, RefusedByHub),
        (200, 3000, OutcomeUnknown),
        (200, 4002, OutcomeUnknown),
        (200, 4003, OutcomeUnknown),
        (404, 1000, OutcomeUnknown),
        (500, 2004, OutcomeUnknown),
        (403, 2000, Misconfigured),
    ],
)
async def test_what_says_nothing_of_the_driver_is_no_answer(
    iop: Peer, adapter: GireveAdapter, status: int, code: int, kind: type[Any]
) -> None:
    iop.answers[UID] = (status, code, None)
    answer = await adapter.authorise(question())
    assert isinstance(answer, Unanswered)
    assert isinstance(answer.outcome, kind)


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        [],
        "ALLOWED",
        {"allowed": "PERHAPS", "token": TOKEN_WIRE},
        allowed(allowed=None),
        allowed(allowed=True),
        allowed(token={**TOKEN_WIRE, "uid": "FFFFFFFF", "contract_id": "DE-MP1-C99999999"}),
    ],
)
async def test_an_answer_that_makes_no_sense_opens_nothing(iop: Peer, adapter: GireveAdapter, data: Any) -> None:
    iop.answers[UID] = (200, 1000, data)
    answer = await adapter.authorise(question())
    assert isinstance(answer, Unanswered)
    assert isinstance(answer.outcome, OutcomeUnknown)
    assert UID not in answer.outcome.reason.upper()


async def test_a_yes_without_a_reference_is_a_yes(iop: Peer, adapter: GireveAdapter) -> None:
    iop.answers[UID] = (200, 1000, allowed(authorization_reference=None))
    answer = await adapter.authorise(question())
    assert isinstance(answer, Allowed)
    assert answer.leg.reference is None


async def test_a_reference_that_no_leg_holds_is_not_carried_and_turns_nobody_away(
    iop: Peer, adapter: GireveAdapter
) -> None:
    iop.answers[UID] = (200, 1000, allowed(authorization_reference="r" * 251))
    answer = await adapter.authorise(question())
    assert isinstance(answer, Allowed)
    assert answer.leg.reference is None


async def test_a_yes_for_another_evse_is_a_no_for_this_one(iop: Peer, adapter: GireveAdapter) -> None:
    iop.answers[UID] = (200, 1000, allowed(location={"location_id": "LOC1", "evse_uids": ["2"]}))
    answer = await adapter.authorise(question())
    assert isinstance(answer, Denied)
    assert answer.reason is Denial.NOT_ALLOWED


@pytest.mark.parametrize("location", [None, {"location_id": "LOC1"}, {"location_id": "LOC1", "evse_uids": []}])
async def test_a_yes_that_names_no_evse_is_a_yes(
    iop: Peer, adapter: GireveAdapter, location: dict[str, Any] | None
) -> None:
    iop.answers[UID] = (200, 1000, allowed(location=location))
    assert isinstance(await adapter.authorise(question()), Allowed)


async def test_a_yes_without_a_token_counts_only_where_the_driver_is_known(iop: Peer, adapter: GireveAdapter) -> None:
    iop.answers[UID] = (200, 1000, allowed(token=None))
    assert isinstance(await adapter.authorise(question()), Unanswered)
    answer = await adapter.authorise(question(contract_id=CONTRACT, party=EMSP))
    assert isinstance(answer, Allowed)
    assert answer.leg.emsp == EMSP


async def test_a_contract_certificate_is_asked_for_by_its_contract(iop: Peer, adapter: GireveAdapter) -> None:
    wire = {**TOKEN_WIRE, "uid": str(CONTRACT), "type": "OTHER"}
    iop.answers[str(CONTRACT)] = (200, 1000, allowed(token=wire))
    asked = question(type=TokenType.PLUG_AND_CHARGE, uid=None, contract_id=CONTRACT)
    assert isinstance(await adapter.authorise(asked), Allowed)
    assert iop.got[-1].path == f"/tokens/{CONTRACT}/authorize?type=OTHER"


@pytest.mark.parametrize(
    "identification",
    [
        {"type": TokenType.QR_CODE, "uid": None, "contract_id": CONTRACT},
        {"type": TokenType.APP_USER, "uid": None},
        {"uid": "12345"},
        {"uid": "not hexadecimal"},
    ],
)
async def test_what_ocpi_or_gireve_cannot_be_asked_is_denied_without_a_request(
    iop: Peer, adapter: GireveAdapter, identification: dict[str, Any]
) -> None:
    answer = await adapter.authorise(question(**identification))
    assert isinstance(answer, Denied)
    assert answer.reason is Denial.NO_CANDIDATE
    assert not iop.got


async def test_a_uid_with_a_slash_stays_one_segment(iop: Peer, adapter: GireveAdapter) -> None:
    await adapter.authorise(question(type=TokenType.APP_USER, uid="a/b c?"))
    assert iop.got[-1].path == "/tokens/a%2Fb%20c%3F/authorize?type=APP_USER"


async def answered_with(data: bytes) -> Answer:
    """Asks a server that answers with what may be no HTTP."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(data)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        endpoints = {"versions": url, "modules": {"tokens/SENDER": f"{url}/tokens"}}
        connection = doubles.connection(
            "gireve", {"sandbox": True}, state=State.READY, secrets=Secrets("token", endpoints)
        )
        adapter = GireveAdapter(connection, doubles.Measured())
        try:
            return await adapter.authorise(question())
        finally:
            await adapter.close()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nBad Header\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<html",
    ],
)
async def test_whatever_comes_back_no_reason_names_the_driver(data: bytes) -> None:
    answer = await answered_with(data)
    assert isinstance(answer, Unanswered)
    assert isinstance(answer.outcome, OutcomeUnknown)
    assert UID not in answer.outcome.reason.upper()


async def test_without_an_endpoint_for_tokens_somebody_must_act(iop: Peer) -> None:
    connection = iop.connection()
    del connection.secrets.endpoints["modules"]["tokens/SENDER"]
    adapter = GireveAdapter(connection, doubles.Measured())
    answer = await adapter.authorise(question())
    assert answer == Unanswered(Misconfigured("not registered for tokens"))
    await adapter.close()


@pytest.mark.parametrize(
    ("held", "may"),
    [
        ({"uid": UID.lower()}, True),
        ({"uid": "FFFFFFFF", "contract_id": CONTRACT}, True),
        ({"type": TokenType.PLUG_AND_CHARGE, "uid": None, "contract_id": ContractId("DEMP1C12345678X")}, True),
        ({"uid": "FFFFFFFF"}, False),
        ({"uid": "FFFFFFFF", "contract_id": ContractId("DE-MP1-C99999999")}, False),
        ({"uid": None}, False),
    ],
)
async def test_a_session_is_stopped_by_what_started_it_and_nobody_is_asked(
    iop: Peer, adapter: GireveAdapter, held: dict[str, Any], may: bool
) -> None:
    answer = await adapter.authorise_stop(question(**held), LEG)
    assert answer == (Allowed(LEG) if may else Denied(Denial.OTHER_MEDIUM))
    assert not iop.got


async def test_a_leg_without_a_uid_is_not_stopped_by_just_any_card(adapter: GireveAdapter) -> None:
    leg = LEG.model_copy(update={"identification": Identification(type=TokenType.APP_USER)})
    assert await adapter.authorise_stop(question(uid=None), leg) == Denied(Denial.OTHER_MEDIUM)


def test_the_emsps_at_gireve_are_those_of_the_settings() -> None:
    known = GireveAdapter(doubles.connection("gireve", {"emsps": ["DE*MP1"]}), doubles.Measured())
    assert known.answers_for(PartyId("DE-MP1"))
    assert not known.answers_for(PartyId("FR-XYZ"))
    nobody = GireveAdapter(doubles.connection("gireve", {}), doubles.Measured())
    assert not nobody.answers_for(PartyId("DE-MP1"))


def test_our_margin_is_taken_off_what_the_settings_allow() -> None:
    profile = Settings(answer_seconds=8, command_seconds=20, margin_seconds=1.5).charging()
    assert (profile.answer_within.total_seconds(), profile.command_within.total_seconds()) == (6.5, 18.5)
    with pytest.raises(ValueError, match="margin_seconds"):
        Settings(answer_seconds=2, margin_seconds=2)


def test_the_driver_of_a_leg_is_the_token_as_its_emsp_tells_it() -> None:
    assert LEG.identification == DRIVER
