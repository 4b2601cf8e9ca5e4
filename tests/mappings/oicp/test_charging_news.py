"""Charging notifications as news of a session."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.canonical.ids import PartyId
from mappings.canonical.sessions import Metering, SessionError, SessionErrorKind, SessionNews, SessionStatus
from mappings.oicp.v2_3 import notifications, sessions
from mappings.oicp.v2_3.vocabulary import NotificationType
from mappings.report import IssueKind, Refused
from tests.mappings.oicp.charges import BEGUN, CARD, ENDED, LEG, OPERATOR, PLACE, SESSION_ID, session
from tests.oicp_schema import validate

AT = ENDED + timedelta(minutes=7)
HEAD: dict[str, Any] = {
    "SessionID": SESSION_ID,
    "CPOPartnerSessionID": "a1b2c3",
    "EMPPartnerSessionID": "emp-1",
    "Identification": {"RFIDMifareFamilyIdentification": {"UID": "04E8A1B2C3D480"}},
    "EvseID": "DE*ABC*E123*4",
    "OperatorID": "DE*ABC",
}
CHARGING: dict[str, Any] = HEAD | {"ChargingStart": "2026-03-29T01:30:00+01:00", "PartnerProductID": "AC3"}
BODIES: dict[str, dict[str, Any]] = {
    "Start": CHARGING | {"Type": "Start", "SessionStart": "2026-03-29T01:29:00+01:00", "MeterValueStart": 100.125},
    "Progress": CHARGING
    | {
        "Type": "Progress",
        "EventOccurred": "2026-03-29T03:30:00+02:00",
        "ChargingDuration": 3_600_000,
        "ConsumedEnergyProgress": 4.5,
        "MeterValueInBetween": {"meterValues": [103.25, 104.625]},
    },
    "End": CHARGING
    | {
        "Type": "End",
        "ChargingEnd": "2026-03-29T04:15:30+02:00",
        "SessionEnd": "2026-03-29T04:45:30+02:00",
        "ConsumedEnergy": 7.375,
        "MeterValueStart": 100.125,
        "MeterValueEnd": 107.5,
        "PenaltyTimeStart": "2026-03-29T04:30:30+02:00",
    },
    "Error": HEAD | {"Type": "Error", "ErrorType": "CriticalError", "ErrorAdditionalInfo": "ground failure"},
}


def news(kind: str, **changes: Any) -> tuple[SessionNews, list[Any]]:
    return notifications.to_canonical(BODIES[kind] | changes, AT)


@pytest.mark.parametrize("kind", BODIES)
def test_the_own_examples_are_what_the_judge_allows_and_are_read_without_an_issue(kind: str) -> None:
    validate(f"eRoamingChargingNotification{kind}", BODIES[kind], role="emp", closed=True)
    told, issues = news(kind)
    assert issues == []
    assert (told.cpo, told.evse_id) == (OPERATOR, PLACE.evse_id)
    product = None if kind == "Error" else "AC3"
    # Whose driver a card is cannot be read off it.
    assert told.leg == LEG.model_copy(update={"emsp": None, "product": product})


def test_a_start_tells_since_when_energy_flows() -> None:
    told, _ = news("Start")
    assert (told.status, told.at, told.charging_start) == (SessionStatus.ACTIVE, BEGUN, BEGUN)
    assert told.start == BEGUN - timedelta(minutes=1)
    assert (told.energy, told.metering) == (None, Metering(start=Decimal("100.125")))


def test_a_progress_tells_how_far_it_is() -> None:
    told, _ = news("Progress")
    assert (told.status, told.at) == (SessionStatus.ACTIVE, BEGUN + timedelta(hours=1))
    assert told.energy == Decimal("4.5")
    assert told.metering.between == (Decimal("103.25"), Decimal("104.625"))


def test_a_progress_without_its_moment_has_that_of_its_duration() -> None:
    told, issues = news("Progress", EventOccurred=None)
    assert told.at == BEGUN + timedelta(hours=1)
    assert [(issue.kind, issue.field) for issue in issues] == [(IssueKind.MENDED, "EventOccurred")]


def test_an_end_is_of_the_energy_and_of_the_session_only_with_its_end() -> None:
    told, _ = news("End")
    assert (told.status, told.charging_end, told.at) == (SessionStatus.COMPLETED, ENDED - timedelta(minutes=30), ENDED)
    assert told.penalty_start == ENDED - timedelta(minutes=15)
    flowing_no_more, _ = news("End", SessionEnd=None)
    assert (flowing_no_more.status, flowing_no_more.at) == (SessionStatus.ACTIVE, ENDED - timedelta(minutes=30))


def test_an_end_without_its_energy_has_what_the_readings_say() -> None:
    assert news("End", ConsumedEnergy=None)[0].energy == Decimal("7.375")
    assert news("End", ConsumedEnergy=None, MeterValueEnd=None)[0].energy is None


def test_an_error_says_nothing_of_how_far_the_session_is() -> None:
    told, _ = news("Error")
    assert (told.status, told.at) == (None, AT)
    assert told.error == SessionError(kind=SessionErrorKind.CRITICAL, text="ground failure", at=AT)


@pytest.mark.parametrize(
    "changes", [{"ErrorType": "connector error"}, {"ErrorType": None, "ErrorClass": "Connector Error"}]
)
def test_an_error_is_read_in_the_spellings_of_the_text(changes: dict[str, Any]) -> None:
    told, issues = news("Error", **changes)
    assert told.error is not None
    assert told.error.kind is SessionErrorKind.CONNECTOR
    assert issues == []


@pytest.mark.parametrize("who", [None, {}, {"RemoteIdentification": {}}])
def test_a_driver_who_is_not_told_is_nobody_since_the_session_says_who_it_is(who: Any) -> None:
    told, issues = news("Start", Identification=who)
    assert told.leg.identification == notifications.NOBODY
    assert {issue.kind for issue in issues} == ({IssueKind.LEFT_OUT} if who is not None else set())


def test_the_cpo_is_the_evses_as_in_the_cdr() -> None:
    assert news("Start", EvseID="DE*SUB*E1")[0].cpo == PartyId("DE*SUB")


@pytest.mark.parametrize(
    ("field", "kind", "changes"),
    [
        ("Type", "Start", {"Type": None}),
        ("Type", "Start", {"Type": "Pause"}),
        ("SessionID", "Start", {"SessionID": None}),
        ("SessionID", "Start", {"SessionID": "S1"}),
        ("EvseID", "Error", {"EvseID": None}),
        ("EvseID", "Error", {"EvseID": "post 7"}),
        ("ChargingStart", "Start", {"ChargingStart": None}),
        ("ChargingStart", "Start", {"ChargingStart": "2026-03-29T01:30:00"}),
        ("EventOccurred", "Progress", {"EventOccurred": None, "ChargingDuration": None}),
        ("EventOccurred", "Progress", {"EventOccurred": "soon"}),
        ("ChargingEnd", "End", {"ChargingEnd": None, "SessionEnd": None}),
        ("ConsumedEnergy", "End", {"ConsumedEnergy": -1}),
        ("ConsumedEnergyProgress", "Progress", {"ConsumedEnergyProgress": "much"}),
        ("MeterValueStart", "Start", {"MeterValueStart": "low"}),
        ("ErrorType", "Error", {"ErrorType": "Sabotage"}),
        ("ErrorType", "Error", {"ErrorType": None}),
    ],
)
def test_what_is_wrong_with_time_energy_or_whose_it_is_is_refused(
    field: str, kind: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(Refused) as refusal:
        news(kind, **changes)
    assert refusal.value.reason.field == field


@pytest.mark.parametrize("body", [None, [], "Start"])
def test_what_is_no_object_is_refused(body: Any) -> None:
    with pytest.raises(Refused):
        notifications.to_canonical(body, AT)


def test_a_field_that_oicp_does_not_have_is_noted() -> None:
    assert [issue.field for issue in news("Start", Weather="fine")[1]] == ["Weather"]


@given(st.sampled_from(NotificationType), st.integers(0, 10**6), st.integers(0, 10**5), st.booleans())
def test_what_a_cpo_tells_an_emp_reads(kind: NotificationType, watts: int, seconds: int, over: bool) -> None:
    now = BEGUN + timedelta(seconds=seconds)
    told = session(
        energy=Decimal(watts) / 1000,
        last_updated=now,
        charging_end=now,
        end=now if over else None,
        error=SessionError(kind=SessionErrorKind.CONNECTOR, at=now),
    )
    body, _ = sessions.from_canonical(kind, told, PLACE, LEG, OPERATOR)
    read, issues = notifications.to_canonical(body, AT)
    assert issues == []
    assert (read.cpo, read.leg.hub_session, read.leg.identification) == (OPERATOR, SESSION_ID, CARD)
    if kind is NotificationType.PROGRESS:
        assert (read.at, read.energy) == (now, told.energy)
    if kind is NotificationType.END:
        assert (read.at, read.energy, read.end) == (now, told.energy, told.end)
    if kind is NotificationType.ERROR:
        assert read.error is not None
        assert read.error.kind is SessionErrorKind.CONNECTOR


@pytest.mark.parametrize("kind", BODIES)
def test_the_golden_notifications_are_read_as_their_news(kind: str) -> None:
    folder = Path(__file__).parent / "golden"
    wire = json.loads((folder / "charge.wire.json").read_text(encoding="utf-8"))[kind]
    golden = json.loads((folder / "charge.news.canonical.json").read_text(encoding="utf-8"))[kind]
    told, issues = notifications.to_canonical(wire, AT)
    assert told == SessionNews.model_validate_json(json.dumps(golden))
    assert issues == []
