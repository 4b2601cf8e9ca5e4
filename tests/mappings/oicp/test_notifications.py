"""Charging notifications from sessions."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.canonical.sessions import Metering, Session, SessionError, SessionErrorKind
from mappings.canonical.tokens import Identification, TokenType
from mappings.oicp.v2_3 import sessions
from mappings.oicp.v2_3.vocabulary import NotificationType
from mappings.oicp.v2_3.wire_charging import Notification
from mappings.report import IssueKind, Refused
from tests import strategies
from tests.mappings.oicp.charges import BEGUN, ENDED, LEG, OPERATOR, PLACE, SESSION_ID, legs, session
from tests.oicp_schema import faults_of_charge

HEAD = {
    "SessionID": SESSION_ID,
    "CPOPartnerSessionID": "a1b2c3",
    "EMPPartnerSessionID": "emp-1",
    "EvseID": "DE*ABC*E123*4",
    "OperatorID": "DE*ABC",
    "Identification": {"RFIDMifareFamilyIdentification": {"UID": "04E8A1B2C3D480"}},
}
METERING = Metering(start=Decimal("100.12345"), end=Decimal("107.1234"), between=(Decimal("103.5"),))


def write(kind: NotificationType, told: Session, **leg: Any) -> tuple[dict[str, Any], list[Any]]:
    record, issues = sessions.from_canonical(kind, told, PLACE, LEG.model_copy(update=leg), OPERATOR)
    assert faults_of_charge(f"eRoamingChargingNotification{kind}", record) == []
    Notification.model_validate(record)
    return record, issues


def test_a_start_says_since_when_energy_flows() -> None:
    record, issues = write(NotificationType.START, session(start=BEGUN - timedelta(minutes=1), metering=METERING))
    assert record == HEAD | {
        "Type": "Start",
        "PartnerProductID": "AC3",
        "SessionStart": "2026-03-29T01:29:00+01:00",
        "ChargingStart": "2026-03-29T01:30:00+01:00",
        "MeterValueStart": 100.123,
    }
    assert [(issue.kind, issue.field) for issue in issues] == [(IssueKind.NARROWED, "metering.start")]


def test_a_progress_says_how_long_and_how_much_across_a_change_of_the_clocks() -> None:
    record, issues = write(
        NotificationType.PROGRESS, session(metering=Metering(start=Decimal(100), between=(Decimal("101.5"),)))
    )
    assert record == HEAD | {
        "Type": "Progress",
        "PartnerProductID": "AC3",
        "SessionStart": "2026-03-29T01:30:00+01:00",
        "ChargingStart": "2026-03-29T01:30:00+01:00",
        "EventOccurred": "2026-03-29T03:30:00+02:00",
        "ChargingDuration": 3_600_000,
        "ConsumedEnergyProgress": 1.5,
        "MeterValueStart": 100,
        "MeterValueInBetween": {"meterValues": [101.5]},
    }
    assert issues == []


def test_an_end_gives_the_difference_of_the_readings() -> None:
    told = session(
        metering=METERING,
        energy=Decimal("6.99995"),
        charging_end=ENDED,
        end=ENDED + timedelta(hours=1),
        penalty_start=ENDED,
    )
    record, issues = write(NotificationType.END, told)
    assert record == HEAD | {
        "Type": "End",
        "PartnerProductID": "AC3",
        "SessionStart": "2026-03-29T01:30:00+01:00",
        "ChargingStart": "2026-03-29T01:30:00+01:00",
        "ChargingEnd": "2026-03-29T04:45:30+02:00",
        "SessionEnd": "2026-03-29T05:45:30+02:00",
        "PenaltyTimeStart": "2026-03-29T04:45:30+02:00",
        "MeterValueStart": 100.123,
        "MeterValueEnd": 107.123,
        "MeterValueInBetween": {"meterValues": [103.5]},
        "ConsumedEnergy": 7,
    }
    assert "energy" in {issue.field for issue in issues}


def test_an_end_without_readings_gives_the_energy_and_takes_the_sessions_end() -> None:
    record, issues = write(NotificationType.END, session(charging_start=None, end=ENDED))
    assert record["ConsumedEnergy"] == 1.5
    assert record["ChargingEnd"] == record["SessionEnd"] == "2026-03-29T04:45:30+02:00"
    assert "ChargingStart" not in record
    assert [(issue.kind, issue.field) for issue in issues] == [(IssueKind.DEFAULTED, "charging_end")]


@pytest.mark.parametrize(
    ("kind", "word"), [(SessionErrorKind.CONNECTOR, "ConnectorError"), (SessionErrorKind.CRITICAL, "CriticalError")]
)
def test_an_error_says_what_went_wrong_and_carries_no_product(kind: SessionErrorKind, word: str) -> None:
    error = SessionError(kind=kind, text="ground failure", at=BEGUN)
    record, issues = write(NotificationType.ERROR, session(error=error))
    assert record == HEAD | {"Type": "Error", "ErrorType": word, "ErrorAdditionalInfo": "ground failure"}
    assert issues == []


@pytest.mark.parametrize(
    ("kind", "change", "field"),
    [
        (NotificationType.START, {"charging_start": None}, "charging_start"),
        (NotificationType.PROGRESS, {"charging_start": None}, "charging_start"),
        (NotificationType.PROGRESS, {"last_updated": BEGUN - timedelta(seconds=1)}, "last_updated"),
        (NotificationType.END, {}, "charging_end"),
        (NotificationType.ERROR, {}, "error"),
    ],
)
def test_a_notification_that_its_session_cannot_fill_is_refused(
    kind: NotificationType, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(Refused) as refusal:
        write(kind, session(**change))
    assert refusal.value.reason.field == field


@pytest.mark.parametrize("kind", NotificationType)
def test_a_session_that_hubject_has_no_name_for_is_refused(kind: NotificationType) -> None:
    with pytest.raises(Refused) as refusal:
        write(kind, session(charging_end=ENDED), hub_session=None)
    assert refusal.value.reason.field == "leg.hub_session"


def test_an_evse_without_an_id_is_refused() -> None:
    nowhere = PLACE.model_copy(update={"evse_id": None})
    with pytest.raises(Refused) as refusal:
        sessions.from_canonical(NotificationType.START, session(), nowhere, LEG, OPERATOR)
    assert refusal.value.reason.field == "location.evse_id"


def test_a_driver_that_oicp_has_no_word_for_is_left_out_since_the_session_names_them() -> None:
    record, issues = write(
        NotificationType.START, session(), identification=Identification(type=TokenType.OTHER, uid="x")
    )
    assert "Identification" not in record
    assert [(issue.kind, issue.field) for issue in issues] == [(IssueKind.LEFT_OUT, "leg.identification.type")]


@pytest.mark.parametrize("zone", [None, "Middle/Earth"])
def test_stamps_are_in_utc_where_the_zone_is_not_known(zone: str | None) -> None:
    place = PLACE.model_copy(update={"time_zone": zone})
    record, issues = sessions.from_canonical(NotificationType.START, session(), place, LEG, OPERATOR)
    assert record["ChargingStart"] == "2026-03-29T00:30:00+00:00"
    assert [(issue.kind, issue.field) for issue in issues] == [(IssueKind.DEFAULTED, "location.time_zone")]
    assert faults_of_charge("eRoamingChargingNotificationStart", record) == []


def test_a_session_goes_by_its_own_id_where_the_leg_has_no_name_of_ours() -> None:
    record, _ = write(NotificationType.START, session(), own_session=None, emsp_session=None, product=None)
    assert record["CPOPartnerSessionID"] == "S1"
    assert not {"EMPPartnerSessionID", "PartnerProductID"} & record.keys()


def test_the_judge_finds_what_the_openapi_lets_pass() -> None:
    record, _ = write(NotificationType.PROGRESS, session())
    name = "eRoamingChargingNotificationProgress"
    assert faults_of_charge(name, record | {"ChargingDuration": 3600}) != []
    assert faults_of_charge(name, record | {"ConsumedEnergyProgress": 1.2345}) != []
    assert faults_of_charge(name, record | {"EventOccurred": "2026-03-29T03:30:00"}) != []
    without = {key: value for key, value in record.items() if not key.startswith(("ChargingDuration", "Consumed"))}
    assert faults_of_charge(name, without) != []


@given(st.sampled_from(NotificationType), strategies.sessions, strategies.cdr_locations, legs, strategies.parties)
def test_every_notification_that_is_not_refused_is_what_the_judge_allows(
    kind: NotificationType, told: Session, place: Any, leg: Any, operator: Any
) -> None:
    try:
        record, _ = sessions.from_canonical(kind, told, place, leg, operator)
    except Refused:
        return
    assert faults_of_charge(f"eRoamingChargingNotification{kind}", record) == []
    Notification.model_validate(record)
