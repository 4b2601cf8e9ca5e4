"""What Gireve is told of sessions, CDRs and results, over loopback where that matters."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from adapters.core import ocpi
from adapters.core.charging import Message
from adapters.core.connection import Secrets
from adapters.core.http import Answer
from adapters.core.outcomes import Delivered, Misconfigured, Obsolete, Outcome, OutcomeUnknown, RefusedByHub
from adapters.gireve.adapter import GireveAdapter
from adapters.gireve.errors import judge_told
from adapters.gireve.settings import CDRS, COMMAND_RESULTS, SESSIONS
from adapters.gireve.telling import reply_to
from mappings.canonical.commands import CommandResult
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import SessionStatus
from mappings.canonical.tariffs import Money, Tax
from mappings.ocpi.envelope import write
from mappings.report import IssueKind, Refused
from tests.adapters import doubles
from tests.adapters.gireve.network import ABC, AT
from tests.adapters.gireve.peer import LEG, REFERENCE, UID, Peer, cdr, peer, place, result, session

NOW = datetime(2026, 6, 7, 19, 0, 0, tzinfo=UTC)
PRICED = cdr(
    total_cost=Money(net=Decimal("7.5"), taxes=(Tax(name="VAT", amount=Decimal("1.5")),)),
    energy_cost=Money(net=Decimal(6)),
    parking_cost=Money(net=Decimal("1.5")),
)
URL = "https://iop.example/commands/START_SESSION/1?x=y%2Fz"


@pytest.fixture
async def iop() -> AsyncIterator[Peer]:
    async with peer() as made:
        yield made


@pytest.fixture
async def adapter(iop: Peer) -> AsyncIterator[GireveAdapter]:
    made = GireveAdapter(iop.connection(), doubles.Measured())
    yield made
    await made.close()


def unconnected(**settings: object) -> GireveAdapter:
    return GireveAdapter(doubles.connection("gireve", settings), doubles.Measured())


async def tell(adapter: GireveAdapter, message: Message) -> Outcome:
    call, _ = adapter.render(message)
    return await adapter.tell(call, doubtful=False)


# Sessions


@pytest.mark.parametrize("status", list(SessionStatus))
def test_a_session_is_put_whole_whatever_its_status(status: SessionStatus) -> None:
    (message,) = unconnected().of_session(session(status), place(), LEG, {"PUT": AT})
    call, _ = unconnected().render(message)
    assert (call.operation, call.action, call.path) == ("sessions", "PUT", "FR/ABC/S1")
    assert isinstance(call.body, dict)
    assert (call.body["status"], call.body["kwh"]) == (status.value, 1.5)


def test_a_session_names_driver_and_reference_as_the_hub_does() -> None:
    (message,) = unconnected().of_session(session(), place(), LEG, {})
    body = unconnected().render(message)[0].body
    assert isinstance(body, dict)
    assert body["authorization_reference"] == REFERENCE
    assert body["cdr_token"] == {
        "country_code": "DE",
        "party_id": "MP1",
        "uid": UID,
        "type": "RFID",
        "contract_id": "DE-MP1-C12345678-X",
    }


async def test_a_session_is_told_in_the_name_of_its_cpo_to_iop(iop: Peer, adapter: GireveAdapter) -> None:
    (message,) = adapter.of_session(session(id="S 1/2"), place(), LEG, {})
    assert await tell(adapter, message) == Delivered()
    (got,) = iop.got
    assert (got.method, got.path) == ("PUT", "/sessions/FR/ABC/S%201%2F2")
    assert (got.headers[ocpi.FROM_COUNTRY], got.headers[ocpi.FROM_PARTY]) == ("FR", "ABC")
    assert (got.headers[ocpi.TO_COUNTRY], got.headers[ocpi.TO_PARTY]) == ("FR", "107")


def test_a_session_whose_driver_the_leg_does_not_fully_name_is_refused_with_the_field() -> None:
    leg = LEG.model_copy(update={"identification": LEG.identification.model_copy(update={"contract_id": None})})
    (message,) = unconnected().of_session(session(), place(), leg, {})
    with pytest.raises(Refused, match="contract_id"):
        unconnected().render(message)


# CDRs


async def test_a_cdr_is_posted_to_the_endpoint_itself(iop: Peer, adapter: GireveAdapter) -> None:
    (message,) = adapter.of_cdr(cdr(), LEG)
    assert await tell(adapter, message) == Delivered()
    (got,) = iop.got
    assert (got.method, got.path) == ("POST", "/cdrs")
    assert (got.body["id"], got.body["session_id"], got.body["authorization_reference"]) == ("C1", "S1", REFERENCE)
    assert got.headers[ocpi.FROM_PARTY] == "ABC"


def test_a_cdr_waits_in_the_lane_of_its_session() -> None:
    (of_session,) = unconnected().of_session(session(), place(), LEG, {})
    (of_cdr,) = unconnected().of_cdr(cdr(), LEG)
    assert of_cdr.lane == of_session.lane == "FR*ABC/S1"
    assert of_cdr.key == "FR*ABC/C1"
    (alone,) = unconnected().of_cdr(cdr(session_id=None), LEG)
    assert alone.lane == "FR*ABC/C1"


async def test_a_cdr_that_was_taken_in_doubt_counts_once_and_another_under_its_id_is_refused(
    iop: Peer, adapter: GireveAdapter
) -> None:
    (message,) = adapter.of_cdr(cdr(), LEG)
    call, _ = adapter.render(message)
    assert await adapter.tell(call, doubtful=False) == Delivered()
    assert await adapter.tell(call, doubtful=True) == Delivered()
    assert isinstance(await adapter.tell(call, doubtful=False), RefusedByHub)
    assert len(iop.sandbox.memory["cdrs"]) == 1


def test_a_credit_is_refused_since_gireve_would_bill_it() -> None:
    (message,) = unconnected().of_cdr(cdr(credit=True, credited_cdr="C0"), LEG)
    with pytest.raises(Refused, match="credit"):
        unconnected().render(message)
    assert not unconnected().charging.takes_credit


@pytest.mark.parametrize("cost", ["own_or_zero", "none"])
def test_a_cdr_without_a_price_is_refused_unless_the_settings_say_zero(cost: str) -> None:
    (message,) = unconnected().of_cdr(cdr(total_cost=None), LEG)
    with pytest.raises(Refused, match="total_cost"):
        unconnected().render(message)
    call, issues = unconnected(cdr_cost=cost).render(message)
    assert isinstance(call.body, dict)
    assert call.body["total_cost"] == {"excl_vat": 0}
    assert (IssueKind.DEFAULTED, "total_cost") in [(issue.kind, issue.field) for issue in issues]


@pytest.mark.parametrize("cost", ["own", "own_or_zero"])
def test_a_cdr_goes_with_its_own_cost_where_it_has_one(cost: str) -> None:
    (message,) = unconnected().of_cdr(PRICED, LEG)
    body = unconnected(cdr_cost=cost).render(message)[0].body
    assert isinstance(body, dict)
    assert {name: price for name, price in body.items() if name.endswith("_cost")} == {
        "total_cost": {"excl_vat": 7.5, "incl_vat": 9},
        "total_energy_cost": {"excl_vat": 6},
        "total_parking_cost": {"excl_vat": 1.5},
    }


@pytest.mark.parametrize("leg", [LEG, None])
def test_a_cdr_goes_without_any_cost_where_prices_stand_in_the_agreement(leg: Leg | None) -> None:
    adapter = unconnected(cdr_cost="none", advenir=True)
    (message,) = adapter.of_cdr(PRICED, leg)
    call, issues = adapter.render(message)
    assert isinstance(call.body, dict)
    # OCPI demands a total, and zero is what can stand for none.
    assert {name: price for name, price in call.body.items() if name.endswith("_cost")} == {
        "total_cost": {"excl_vat": 0}
    }
    lost = [issue.field for issue in issues if issue.kind is IssueKind.LOST]
    assert [field for field in lost if field.endswith("_cost")] == ["total_cost", "energy_cost", "parking_cost"]


# Advenir


def test_what_does_not_roam_is_told_for_advenir_only_and_names_nobody() -> None:
    assert unconnected().of_session(session(), place(), None, {}) == []
    assert unconnected().of_cdr(cdr(), None) == []
    adapter = unconnected(advenir=True)
    messages = [*adapter.of_session(session(), place(), None, {}), *adapter.of_cdr(cdr(), None)]
    assert len({message.lane for message in messages}) == 1
    for message in messages:
        stored = message.model_dump_json()
        call, _ = adapter.render(Message.model_validate_json(stored))
        for text in (stored, str(call)):
            assert UID not in text
            assert "Driver" not in text
            assert "our-authorisation-1" not in text
        assert isinstance(call.body, dict)
        assert call.body["cdr_token"] == {
            "country_code": "$$",
            "party_id": "ADV",
            "uid": "12345671234567",
            "type": "RFID",
            "contract_id": "Gireve2Advenir",
        }
        assert "authorization_reference" not in call.body


def test_advenirs_card_is_what_gireve_confirms() -> None:
    adapter = unconnected(advenir=True, advenir_card={"country_code": "FR", "uid": "00000000000000"})
    (message,) = adapter.of_session(session(), place(), None, {})
    body = adapter.render(message)[0].body
    assert isinstance(body, dict)
    assert (body["cdr_token"]["country_code"], body["cdr_token"]["uid"]) == ("FR", "00000000000000")  # type: ignore[index, call-overload]


def test_with_advenir_a_charge_that_roams_is_told_as_one_that_does() -> None:
    (message,) = unconnected(advenir=True).of_session(session(), place(), LEG, {})
    assert message.leg == LEG


# Results of commands


async def test_a_result_goes_to_the_very_address_with_the_id_of_the_command(iop: Peer, adapter: GireveAdapter) -> None:
    outcome = result(f"{iop.server.url}/results/a%2Fb?x=1%202", CommandResult.NO_VEHICLE, "corre/lation-1")
    (message,) = adapter.of_result(outcome, ABC)
    assert await tell(adapter, message) == Delivered()
    (got,) = iop.got
    assert (got.method, got.path) == ("POST", "/results/a%2Fb?x=1%202")
    assert got.body["result"] == "FAILED"
    assert got.headers[ocpi.CORRELATION_ID] == "corre/lation-1"
    assert (got.headers[ocpi.FROM_PARTY], got.headers[ocpi.TO_PARTY]) == ("ABC", "107")


async def test_a_result_without_such_an_id_gets_one_of_its_own(iop: Peer, adapter: GireveAdapter) -> None:
    (message,) = adapter.of_result(result(f"{iop.server.url}/results/1"), ABC)
    assert await tell(adapter, message) == Delivered()
    assert len(iop.got[0].headers[ocpi.CORRELATION_ID]) == 36


@pytest.mark.parametrize("host", ["elsewhere.example", "127.0.0.1", "10.0.0.1"])
def test_a_result_is_told_to_nobody_who_is_not_on_the_allow_list(host: str) -> None:
    (message,) = unconnected(allowed_hosts=["iop.example"]).of_result(result(f"https://{host}/x"), ABC)
    with pytest.raises(Refused, match="may not be called"):
        unconnected(allowed_hosts=["iop.example"]).render(message)


def test_a_result_for_nobody_is_refused() -> None:
    (message,) = unconnected().of_result(result(URL).model_copy(update={"reply_to": {}}), ABC)
    with pytest.raises(Refused, match="names no address"):
        unconnected().render(message)


def test_the_address_is_called_as_it_came() -> None:
    adapter = unconnected(allowed_hosts=["iop.example"])
    (message,) = adapter.of_result(result(URL), ABC)
    assert adapter.render(message)[0].path == f"FR/ABC/-/{URL}"
    assert reply_to(URL, "") == {"response_url": URL}


def test_a_result_is_given_up_when_nobody_waits_any_more_and_nothing_else_is() -> None:
    messages = unconnected(command_seconds=45).charging.messages
    assert messages[SESSIONS].lasts is None
    assert messages[CDRS].lasts is None
    lasts = messages[COMMAND_RESULTS].lasts
    assert lasts is not None
    assert lasts.total_seconds() == 45


# What answers mean


def answer(status: int, code: int | None) -> Answer:
    return Answer(status, {}, b"<html>" if code is None else write(None, NOW, code, "words"))


@pytest.mark.parametrize(
    ("operation", "status", "code", "doubtful", "kind"),
    [
        (SESSIONS, 200, 1000, False, Delivered),
        (SESSIONS, 201, 1000, False, Delivered),
        (SESSIONS, 200, 2001, True, RefusedByHub),
        (SESSIONS, 200, 2003, False, RefusedByHub),
        (SESSIONS, 200, 2004, False, RefusedByHub),
        (SESSIONS, 409, 2000, True, RefusedByHub),
        (SESSIONS, 404, None, False, OutcomeUnknown),
        (SESSIONS, 200, 4001, False, Misconfigured),
        (SESSIONS, 200, None, False, OutcomeUnknown),
        (CDRS, 409, 2000, False, RefusedByHub),
        (CDRS, 409, 2000, True, Delivered),
        (CDRS, 409, None, True, Delivered),
        (CDRS, 200, 2000, True, RefusedByHub),
        (CDRS, 200, 2001, True, RefusedByHub),
        (CDRS, 200, 3000, False, OutcomeUnknown),
        (CDRS, 403, None, False, Misconfigured),
        (COMMAND_RESULTS, 404, None, False, Obsolete),
        (COMMAND_RESULTS, 410, None, False, Obsolete),
        (COMMAND_RESULTS, 404, 2000, False, Obsolete),
        (COMMAND_RESULTS, 500, None, False, OutcomeUnknown),
        # One address that is not ours to call says nothing of the connection.
        (COMMAND_RESULTS, 401, 2000, False, Misconfigured),
        (COMMAND_RESULTS, 403, None, False, RefusedByHub),
        (COMMAND_RESULTS, 405, None, False, RefusedByHub),
        (COMMAND_RESULTS, 200, 4001, False, RefusedByHub),
    ],
)
def test_an_answer_to_a_message_means(
    operation: str, status: int, code: int | None, doubtful: bool, kind: type[Outcome]
) -> None:
    method = "PUT" if operation == SESSIONS else "POST"
    assert isinstance(judge_told(answer(status, code), operation, method, NOW, doubtful=doubtful), kind)


async def test_without_a_registration_or_an_endpoint_somebody_must_act(iop: Peer) -> None:
    connection = iop.connection()
    bare = GireveAdapter(replace(connection, secrets=Secrets()), doubles.Measured())
    for message in (
        *bare.of_session(session(), place(), LEG, {}),
        *bare.of_cdr(cdr(), LEG),
        *bare.of_result(result(f"{iop.server.url}/results/1"), ABC),
    ):
        assert isinstance(await tell(bare, message), Misconfigured)
    await bare.close()
    assert not iop.got
