"""What Hubject is told of a charge, when, and what its answers mean."""

import json
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from pydantic import ValidationError

from adapters.core.charging import CommandOutcome, Message
from adapters.core.http import Answer
from adapters.core.outcomes import (
    Delivered,
    Misconfigured,
    NotSent,
    Obsolete,
    Outcome,
    OutcomeUnknown,
    RefusedByHub,
    Throttled,
)
from adapters.hubject.adapter import HubjectAdapter
from adapters.hubject.errors import (
    CDR_OUTCOMES,
    NOTIFICATION_OUTCOMES,
    outcome_of,
    outcome_of_cdr,
)
from mappings.canonical.cdrs import Cdr
from mappings.canonical.commands import CommandAnswer, CommandResult
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import (
    ChargingPeriod,
    Dimension,
    DimensionType,
    Session,
    SessionError,
    SessionErrorKind,
    SessionStatus,
)
from mappings.oicp.status_codes import CODES
from mappings.report import Refused
from tests.adapters.hubject.network import adapter
from tests.adapters.hubject.peer import Peer, acknowledged, playing
from tests.adapters.hubject.pricing import pricing_adapter
from tests.mappings.oicp.charges import BEGUN, ENDED, LEG, OPERATOR, PLACE, SESSION_ID, cdr, session

MINUTE = timedelta(minutes=1)
BEFORE_CHARGE = session(charging_start=None, energy=Decimal(0), last_updated=BEGUN)
OVER = session(charging_end=ENDED, end=ENDED, status=SessionStatus.COMPLETED, last_updated=ENDED)


@pytest.fixture
def hub() -> HubjectAdapter:
    return adapter(operator_id=OPERATOR)


def at(minutes: float, **changes: object) -> Session:
    return session(last_updated=BEGUN + minutes * MINUTE, **changes)


def kinds(hub: HubjectAdapter, told_of: Session, told: Mapping[str, datetime]) -> list[str]:
    return [message.kind for message in hub.of_session(told_of, PLACE, LEG, told)]


def walk(hub: HubjectAdapter, *sessions: Session) -> list[list[str]]:
    """What is told of a session as it goes on, each time knowing what was told before."""
    told: dict[str, datetime] = {}
    found = []
    for each in sessions:
        found.append(kinds(hub, each, told))
        told |= dict.fromkeys(found[-1], each.last_updated)
    return found


# When


def test_a_charge_is_told_from_its_start_to_its_end(hub: HubjectAdapter) -> None:
    assert walk(
        hub,
        BEFORE_CHARGE,
        at(0),
        at(1),
        at(4.99),
        at(5),
        at(9),
        at(10.5),
        session(charging_end=ENDED, last_updated=ENDED),
        OVER,
        OVER,
    ) == [[], ["Start"], [], [], ["Progress"], [], ["Progress"], ["End"], [], []]


def test_a_progress_is_never_told_within_five_minutes_of_the_sessions_own_time(hub: HubjectAdapter) -> None:
    sessions = [at(seconds / 60) for seconds in range(0, 7200, 7)]
    told = [
        each.last_updated
        for each, found in zip(sessions, walk(hub, *sessions), strict=True)
        if "Progress" in found or "Start" in found
    ]
    assert len(told) == 24
    assert all(later - earlier >= 5 * MINUTE for earlier, later in pairwise(told))


def test_a_session_heard_of_only_when_it_is_over_is_told_from_both_ends(hub: HubjectAdapter) -> None:
    assert walk(hub, OVER) == [["Start", "End"]]


def test_a_session_that_never_charged_has_an_end(hub: HubjectAdapter) -> None:
    # Its EMP would take it for a running one.
    none = session(charging_start=None, energy=Decimal(0), end=ENDED, status=SessionStatus.INVALID, last_updated=ENDED)
    assert walk(hub, BEFORE_CHARGE, none, none) == [[], ["End"], []]


def test_what_comes_after_the_end_changes_nothing(hub: HubjectAdapter) -> None:
    assert walk(hub, OVER, at(200), at(300)) == [["Start", "End"], [], []]


def test_an_error_is_told_once_and_a_later_one_again(hub: HubjectAdapter) -> None:
    def failed(minutes: float, of: float) -> Session:
        return at(minutes, error=SessionError(kind=SessionErrorKind.CONNECTOR, at=BEGUN + of * MINUTE))

    assert walk(hub, at(0), failed(1, 1), failed(2, 1), failed(4, 3)) == [["Start"], ["Error"], [], ["Error"]]


def test_what_does_not_roam_over_hubject_is_not_told(hub: HubjectAdapter) -> None:
    unnamed = LEG.model_copy(update={"hub_session": None, "reference": "gireve-1"})
    for leg in (None, unnamed):
        assert hub.of_session(OVER, PLACE, leg, {}) == []
        assert hub.of_cdr(cdr(), leg) == []


def test_a_credit_cannot_be_said(hub: HubjectAdapter) -> None:
    assert not hub.charging.takes_credit
    assert hub.of_cdr(cdr(credit=True, credited_cdr="CDR0"), LEG) == []


def test_hubject_waits_for_what_comes_of_a_command(hub: HubjectAdapter) -> None:
    outcome = CommandOutcome(command="1", reply_to={}, answer=CommandAnswer(result=CommandResult.ACCEPTED))
    assert hub.of_result(outcome, OPERATOR) == []


def test_kinds_that_are_not_wanted_are_left_out() -> None:
    quiet = adapter(operator_id=OPERATOR, notifications=["Progress", "End"], progress_minutes=10)
    assert walk(quiet, at(0), at(9), at(10), at(15), at(20), OVER) == [[], [], ["Progress"], [], ["Progress"], ["End"]]
    assert walk(adapter(operator_id=OPERATOR, notifications=[]), at(0), OVER) == [[], []]
    with pytest.raises(ValidationError, match="progress_minutes"):
        adapter(progress_minutes=4)


# How


def test_a_cdr_never_waits_for_notifications_which_go_in_order(hub: HubjectAdapter) -> None:
    told = hub.of_session(OVER, PLACE, LEG, {})
    (owed,) = hub.of_cdr(cdr(), LEG)
    assert {message.lane for message in told} == {f"notifications/{SESSION_ID}"}
    assert owed.lane == f"cdr/{SESSION_ID}"
    assert (told[0].key, owed.key) == ("S1", "CDR1")


def test_the_profile_stays_below_what_the_acceptable_use_policy_allows(hub: HubjectAdapter) -> None:
    profile = hub.charging.messages
    assert {name: message.per_minute for name, message in profile.items()} == {
        "charging_notifications": 95,
        "cdrs": 340,
    }
    assert profile["cdrs"].lasts is None
    assert profile["charging_notifications"].lasts == timedelta(hours=1)


def test_every_message_is_rendered_to_its_address(hub: HubjectAdapter) -> None:
    failed = OVER.model_copy(update={"error": SessionError(kind=SessionErrorKind.CRITICAL, text="oops", at=BEGUN)})
    messages = [*hub.of_session(failed, PLACE, LEG, {}), *hub.of_session(at(60), PLACE, LEG, {"Start": BEGUN})]
    rendered = [hub.render(message)[0] for message in messages]
    assert [call.action for call in rendered] == ["Start", "Error", "End", "Progress"]
    assert {call.path for call in rendered} == {"/api/oicp/notificationmgmt/v11/charging-notifications"}
    assert all(call.body["Type"] == call.action for call in rendered)
    call, _ = hub.render(hub.of_cdr(cdr(), LEG)[0])
    assert (call.operation, call.action) == ("cdrs", "ChargeDetailRecord")
    assert call.path == f"/api/oicp/cdrmgmt/v22/operators/{OPERATOR.normal}/charge-detail-record"
    assert call.body["SessionID"] == SESSION_ID


def test_a_cdr_names_the_product_that_was_pushed_of_its_one_tariff(hub: HubjectAdapter) -> None:
    nameless = LEG.model_copy(update={"product": None})
    energy = Dimension(type=DimensionType.ENERGY, volume=Decimal(1))
    one, two = (ChargingPeriod(start=BEGUN, dimensions=(energy,), tariff_id=id_) for id_ in ("T1", "T2"))
    pushing = pricing_adapter(operator_id=OPERATOR)

    def product(hub: HubjectAdapter, bill: Cdr, leg: Leg = nameless) -> str | None:
        body = hub.render(hub.of_cdr(bill, leg)[0])[0].body
        assert isinstance(body, dict)
        return body.get("PartnerProductID")

    assert product(pushing, cdr(periods=(one,))) == "T1"
    assert product(pushing, cdr(periods=(one,), party=PartyId("FR*SUB"))) == "FR*SUB:T1"
    assert product(pushing, cdr(periods=(one, two))) is None
    assert product(pushing, cdr(periods=(one,), product="DC")) == "DC"
    assert product(pushing, cdr(periods=(one,)), LEG) == LEG.product
    assert product(hub, cdr(periods=(one,))) is None


def test_what_cannot_be_said_is_refused(hub: HubjectAdapter) -> None:
    nowhere = PLACE.model_copy(update={"evse_id": None})
    for message in (
        *hub.of_session(OVER, nowhere, LEG, {}),
        *hub.of_cdr(cdr(location=nowhere), LEG),
        *hub.of_cdr(cdr(energy=Decimal(-1)), LEG),
    ):
        with pytest.raises(Refused):
            hub.render(message)


def test_a_message_of_another_hub_is_a_fault_of_ours(hub: HubjectAdapter) -> None:
    with pytest.raises(ValueError, match="no message to Hubject"):
        hub.render(Message(operation="sessions", kind="PUT", lane="x", key="S1", party=OPERATOR, session=OVER))


# What is answered


def answer(code: str, status: int = 200) -> Answer:
    return Answer(status, {}, json.dumps(acknowledged(code)).encode())


def test_the_tables_have_every_code_of_oicp() -> None:
    assert CDR_OUTCOMES.keys() == NOTIFICATION_OUTCOMES.keys() == CODES.keys()


@pytest.mark.parametrize(
    ("code", "cdr_means", "notification_means"),
    [
        ("000", Delivered, Delivered),
        ("001", NotSent, NotSent),
        ("021", NotSent, NotSent),
        ("017", Misconfigured, Misconfigured),
        ("018", RefusedByHub, RefusedByHub),
        ("019", RefusedByHub, RefusedByHub),
        ("022", RefusedByHub, RefusedByHub),
        ("210", RefusedByHub, RefusedByHub),
        ("300", RefusedByHub, RefusedByHub),
        ("310", OutcomeUnknown, OutcomeUnknown),
        ("320", NotSent, RefusedByHub),
        ("400", RefusedByHub, Obsolete),
        ("102", RefusedByHub, RefusedByHub),
        ("501", OutcomeUnknown, OutcomeUnknown),
        ("603", RefusedByHub, RefusedByHub),
        ("999", OutcomeUnknown, OutcomeUnknown),
    ],
)
def test_what_the_codes_mean(code: str, cdr_means: type[Outcome], notification_means: type[Outcome]) -> None:
    for status in (200, 400, 500):
        assert type(outcome_of_cdr(answer(code, status), doubtful=False)) is cdr_means
        assert type(outcome_of(answer(code, status), NOTIFICATION_OUTCOMES)) is notification_means


def test_an_invalid_session_means_a_taken_cdr_only_after_doubt() -> None:
    assert outcome_of_cdr(answer("400"), doubtful=False) == RefusedByHub("400", "said")
    assert outcome_of_cdr(answer("400"), doubtful=True) == Delivered()
    # What else is refused stays refused, the HTTP status of that number included.
    assert isinstance(outcome_of_cdr(answer("022"), doubtful=True), RefusedByHub)
    wrong = {"message": "wrong", "validationErrors": [{"fieldReference": "evseID", "errorMessage": "wrong"}]}
    invalid = outcome_of_cdr(Answer(400, {}, json.dumps(wrong).encode()), doubtful=True)
    assert isinstance(invalid, RefusedByHub)
    # A notification of an invalid session is of no use, however often it is tried.
    assert isinstance(outcome_of(answer("400"), NOTIFICATION_OUTCOMES), Obsolete)


def test_an_operator_that_hubject_does_not_have_pauses_the_connection() -> None:
    bare = Answer(404, {}, json.dumps({"StatusCode": {"Code": "300"}}).encode())
    assert isinstance(outcome_of_cdr(bare, doubtful=False), Misconfigured)


def test_too_many_are_throttled() -> None:
    limited = Answer(429, {"Retry-After": "7"}, b"")
    assert outcome_of_cdr(limited, doubtful=True) == Throttled(timedelta(seconds=7))


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    async with playing() as made:
        yield made


async def test_messages_are_told_and_judged_by_their_own_tables(peer: Peer) -> None:
    hub = adapter(base_url=peer.url, operator_id=OPERATOR)
    (owed,) = hub.of_cdr(cdr(), LEG)
    notification = hub.of_session(OVER, PLACE, LEG, {})[0]
    peer.says = acknowledged("400")
    for message, doubtful, means in (
        (owed, False, RefusedByHub),
        (owed, True, Delivered),
        (notification, True, Obsolete),
    ):
        call, _ = hub.render(message)
        assert type(await hub.tell(call, doubtful=doubtful)) is means
    peer.says = acknowledged("000")
    for message in (owed, notification):
        call, _ = hub.render(message)
        assert await hub.tell(call, doubtful=False) == Delivered()
        assert peer.heard[-1] == (call.path, call.body)
    await hub.close()
