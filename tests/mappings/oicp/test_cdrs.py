"""CDRs both ways, and what becomes of those that cannot be right."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mappings.canonical.cdrs import Cdr, CdrLocation, SignedData, SignedNature, SignedValue
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import AuthMethod, Metering
from mappings.canonical.tokens import Identification, TokenType
from mappings.oicp.v2_3 import cdrs
from mappings.oicp.v2_3.tables_charging import CDRS
from mappings.oicp.v2_3.wire_charging import ChargeDetailRecord
from mappings.report import Issue, IssueKind, Refused
from tests import strategies
from tests.mappings.oicp.charges import BEGUN, ENDED, LEG, SESSION_ID, cdr, legs
from tests.oicp_schema import faults_of_charge

AT = datetime(2026, 3, 29, 3, 0, tzinfo=UTC)
NAME = "eRoamingChargeDetailRecord"


def write(one: Cdr, leg: Leg = LEG) -> tuple[dict[str, Any], list[Issue]]:
    record, issues = cdrs.from_canonical(one, leg)
    assert faults_of_charge(NAME, record) == []
    ChargeDetailRecord.model_validate(record)
    return record, issues


def read(body: Any) -> tuple[cdrs.RoamingCdr, list[Issue]]:
    return cdrs.to_canonical(body, currency="EUR", at=AT)


def refused(**changes: Any) -> Issue:
    with pytest.raises(Refused) as refusal:
        cdrs.from_canonical(cdr(**changes), LEG)
    return refusal.value.reason


# Energy


def test_readings_are_rounded_first_and_the_energy_is_their_difference() -> None:
    # Each reading rounds by itself: 100.0004 → 100, 107.0006 → 107.001.
    metering = Metering(start=Decimal("100.0004"), end=Decimal("107.0006"))
    record, issues = write(cdr(metering=metering, energy=Decimal("7.0002")))
    assert (record["MeterValueStart"], record["MeterValueEnd"], record["ConsumedEnergy"]) == (100, 107.001, 7.001)
    assert {issue.field for issue in issues} == {"metering.start", "metering.end", "energy"}


def test_an_energy_that_the_readings_contradict_is_refused() -> None:
    reason = refused(metering=Metering(start=Decimal(100), end=Decimal(107)), energy=Decimal("7.002"))
    assert (reason.field, reason.value) == ("energy", "7.002")
    assert "7" in reason.detail


def test_readings_that_go_back_are_refused_however_little() -> None:
    assert refused(metering=Metering(start=Decimal("100.001"), end=Decimal(100)), energy=Decimal(0)).field == "energy"


@pytest.mark.parametrize("metering", [Metering(), Metering(start=Decimal(1)), Metering(end=Decimal(100000))])
def test_without_two_readings_the_energy_is_what_the_cpo_says(metering: Metering) -> None:
    record, issues = write(cdr(metering=metering, energy=Decimal("7.0005")))
    assert record["ConsumedEnergy"] == 7.001
    assert [(issue.kind, issue.field) for issue in issues] == [(IssueKind.NARROWED, "energy")]


def test_negative_energy_and_credits_are_refused() -> None:
    assert refused(energy=Decimal(-1)).field == "energy"
    assert refused(credit=True, credited_cdr="CDR0").field == "credit"


def test_more_energy_than_hubject_takes_is_hubjects_to_refuse() -> None:
    assert write(cdr(energy=Decimal(1001)))[0]["ConsumedEnergy"] == 1001


# Names, times


@pytest.mark.parametrize(
    ("leg", "field"),
    [
        ({"hub_session": None}, "leg.hub_session"),
        ({"hub_session": "S1"}, "leg.hub_session"),
        ({"identification": Identification(type=TokenType.AD_HOC_USER, uid="x")}, "leg.identification.type"),
        ({"product": "x" * 51}, "leg.product"),
    ],
)
def test_a_leg_that_cannot_be_said_is_refused_with_its_field(leg: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refusal:
        cdrs.from_canonical(cdr(), LEG.model_copy(update=leg))
    assert refusal.value.reason.field == field


@pytest.mark.parametrize("evse_id", [None, EvseId("EVSE 7"), EvseId("DE*ABC*E" + "1" * 31)])
def test_an_evse_that_oicp_does_not_take_is_refused(evse_id: EvseId | None) -> None:
    place = CdrLocation(id="L", evse_uid="1", connector_id="1", evse_id=evse_id, time_zone="Europe/Berlin")
    assert refused(location=place).field == "location.evse_id"


def test_times_of_charging_are_the_sessions_where_they_are_missing() -> None:
    record, issues = write(cdr(charging_start=None, charging_end=None))
    assert record["ChargingStart"] == record["SessionStart"] == "2026-03-29T01:30:00+01:00"
    assert record["ChargingEnd"] == record["SessionEnd"] == "2026-03-29T04:45:30+02:00"
    assert [(issue.kind, issue.field) for issue in issues] == [
        (IssueKind.DEFAULTED, "charging_start"),
        (IssueKind.DEFAULTED, "charging_end"),
    ]


def test_the_cdrs_product_goes_before_the_legs() -> None:
    assert write(cdr(product="DC"))[0]["PartnerProductID"] == "DC"
    assert write(cdr())[0]["PartnerProductID"] == "AC3"


# Calibration law


def signed(nature: SignedNature, text: str) -> SignedValue:
    return SignedValue(nature=nature, signed=text)


def test_calibration_data_go_through_untouched_both_ways() -> None:
    ocmf = 'OCMF|{"FV":"1.0","RD":[{"TM":"2026-03-29T01:30:00,000+0100 S"}]}|{"SD":"30ü 45=="} \n'
    data = SignedData(
        method="OCMF",
        public_key="-----BEGIN PUBLIC KEY-----\nMFkw  \n-----END PUBLIC KEY-----\n",
        certificate_id="DE-20-M-PTB-0001 : V1 : 01Jan2020",
        url="https://example.com/signed?a=1",
        instruction="Use the transparency software.",
        values=(
            signed(SignedNature.START, ocmf),
            signed(SignedNature.INTERMEDIATE, " <a/> "),
            signed(SignedNature.END, "x"),
        ),
    )
    record, issues = write(cdr(signed_data=data))
    assert issues == []
    assert [value["SignedMeteringValue"] for value in record["SignedMeteringValues"]] == [ocmf, " <a/> ", "x"]
    assert [value["MeteringStatus"] for value in record["SignedMeteringValues"]] == ["Start", "Progress", "End"]
    assert read(record)[0].cdr.signed_data == data


def test_signed_values_are_sent_in_the_order_of_time_and_at_most_ten() -> None:
    middle = [signed(SignedNature.INTERMEDIATE, f"m{n}") for n in range(10)]
    values = (signed(SignedNature.END, "e"), *middle, signed(SignedNature.START, "s"))
    record, issues = write(cdr(signed_data=SignedData(values=values)))
    assert [value["SignedMeteringValue"] for value in record["SignedMeteringValues"]] == [
        "s",
        *(f"m{n}" for n in range(8)),
        "e",
    ]
    assert [(issue.kind, issue.field) for issue in issues] == [
        (IssueKind.LEFT_OUT, "signed_data.values[9]"),
        (IssueKind.LEFT_OUT, "signed_data.values[10]"),
    ]


def test_what_is_too_long_to_be_verified_is_left_out_whole() -> None:
    data = SignedData(
        method="x" * 51,
        public_key="k" * 1001,
        values=(
            signed(SignedNature.START, "s" * 3001),
            SignedValue(nature=SignedNature.END, signed="e", plain="7 kWh"),
        ),
    )
    record, issues = write(cdr(signed_data=data))
    assert record["SignedMeteringValues"] == [{"SignedMeteringValue": "e", "MeteringStatus": "End"}]
    assert "CalibrationLawVerificationInfo" not in record
    assert [(issue.kind, issue.field) for issue in issues] == [
        (IssueKind.LEFT_OUT, "signed_data.values[0]"),
        (IssueKind.LOST, "signed_data.values[1].plain"),
        (IssueKind.LEFT_OUT, "signed_data.public_key"),
        (IssueKind.LEFT_OUT, "signed_data.method"),
    ]


def test_the_version_of_a_method_is_told_with_it() -> None:
    record, _ = write(cdr(signed_data=SignedData(method="EDL40 Mennekes", method_version=1)))
    assert record["CalibrationLawVerificationInfo"] == {"MeteringSignatureEncodingFormat": "EDL40 Mennekes: V1"}


# In


BODY: dict[str, Any] = {
    "SessionID": SESSION_ID,
    "EvseID": "DE*ABC*E123*4",
    "Identification": {"RemoteIdentification": {"EvcoID": "NL-EMS-C00000001"}},
    "SessionStart": "2026-03-29T01:30:00+01:00",
    "SessionEnd": "2026-03-29T04:45:30+02:00",
    "ChargingStart": "2026-03-29T01:30:00+01:00",
    "ChargingEnd": "2026-03-29T04:45:30+02:00",
    "ConsumedEnergy": 7,
}


def test_a_cdr_is_read_with_nothing_but_what_is_mandatory() -> None:
    (one, leg), _ = read(BODY)
    assert (one.id, one.party, one.energy) == (SESSION_ID, PartyId("DE*ABC"), Decimal(7))
    assert (one.start, one.charging_end) == (BEGUN, ENDED)
    assert one.auth_method is AuthMethod.COMMAND
    assert one.time == Decimal("2.2583")
    assert one.location.evse_uid == "DEABCE1234"
    assert (leg.emsp, leg.product) == (PartyId("NL-EMS"), None)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"SessionID": None}, "SessionID"),
        ({"EvseID": None}, "EvseID"),
        ({"EvseID": "somewhere"}, "EvseID"),
        ({"Identification": None}, "Identification"),
        ({"SessionStart": None}, "SessionStart"),
        ({"SessionEnd": "yesterday"}, "SessionEnd"),
        ({"SessionEnd": "2026-03-29T01:29:59+01:00"}, "SessionEnd"),
        ({"ChargingStart": "2026-03-29T01:30:00"}, "ChargingStart"),
        ({"ChargingEnd": 7}, "ChargingEnd"),
        ({"ConsumedEnergy": None}, "ConsumedEnergy"),
        ({"ConsumedEnergy": "much"}, "ConsumedEnergy"),
        ({"ConsumedEnergy": -0.001}, "ConsumedEnergy"),
        ({"ConsumedEnergy": True}, "ConsumedEnergy"),
        ({"MeterValueStart": {}}, "MeterValueStart"),
    ],
)
def test_a_cdr_without_what_it_bills_is_refused_with_the_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refusal:
        read(BODY | change)
    assert refusal.value.reason.field == field


@pytest.mark.parametrize("body", [None, [], "cdr"])
def test_a_body_that_is_no_object_is_refused(body: Any) -> None:
    with pytest.raises(Refused):
        read(body)


def test_dirt_is_read_around_and_told() -> None:
    dirt = {name.lower(): value for name, value in BODY.items()} | {
        "MeterValueStart": "100.5",
        "MeterValueEnd": 110,
        "MeterValueInBetween": [101, "x", 102.5],
        "PartnerProductID": None,
        "CPOPartnerSessionID": "p" * 40,
        "HubProviderID": "DE-HUB",
        "HubOperatorID": "Hub",
        "SignedMeteringValues": [
            {"SignedMeteringValue": "s", "MeteringStatus": "start"},
            {"SignedMeteringValue": "m", "MeteringStatus": "Progress1"},
            {"SignedMeteringValue": "n", "MeteringStatus": "later"},
            {"SignedMeteringValue": "", "MeteringStatus": "End"},
            "end",
        ],
        "CalibrationLawVerificationInfo": "see above",
        "Colour": "red",
    }
    (one, leg), issues = read(dirt)
    assert one.metering == Metering(start=Decimal("100.5"), end=Decimal(110), between=(Decimal(101), Decimal("102.5")))
    assert (one.session_id, leg.own_session) == (None, "p" * 40)
    assert one.unknown == {"Colour": "red", "HubProviderID": "DE-HUB"}
    assert one.signed_data is not None
    assert [value.nature for value in one.signed_data.values] == [SignedNature.START, SignedNature.INTERMEDIATE]
    told = {(issue.kind, issue.field) for issue in issues}
    assert told >= {
        (IssueKind.SUSPECT, "ConsumedEnergy"),
        (IssueKind.UNKNOWN, "MeterValueInBetween.meterValues[1]"),
        (IssueKind.UNKNOWN, "HubOperatorID"),
        (IssueKind.UNKNOWN, "CalibrationLawVerificationInfo"),
        (IssueKind.UNKNOWN, "Colour"),
        (IssueKind.LEFT_OUT, "SignedMeteringValues[2]"),
        (IssueKind.LEFT_OUT, "SignedMeteringValues[3]"),
        (IssueKind.LEFT_OUT, "SignedMeteringValues[4]"),
    }


# Both ways

LOST = {rule.field for rule in CDRS.rules if rule.lost}


@st.composite
def payable(draw: st.DrawFn) -> Cdr:
    """A CDR whose energy is what its readings say; the rest as any backend might send it."""
    one = draw(strategies.cdrs())
    energy, metering = one.energy, one.metering
    if metering.start is not None and metering.end is not None:
        least, most = sorted((metering.start, metering.end))
        energy, metering = most - least, metering.model_copy(update={"start": least, "end": most})
    start, end = sorted((one.start, one.end))
    changes = {
        "credit": False,
        "credited_cdr": None,
        "energy": energy,
        "metering": metering,
        "start": start,
        "end": end,
    }
    return one.model_copy(update=changes)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(payable(), legs)
def test_a_trip_through_oicp_loses_only_what_the_table_lists(one: Cdr, leg: Leg) -> None:
    try:
        record, issues = cdrs.from_canonical(one, leg)
    except Refused as refusal:
        allowed = ("leg.identification", "leg.product", "product", "location.evse_id")
        if not refusal.reason.field.startswith(allowed):
            raise
        return
    assert faults_of_charge(NAME, record) == []
    ChargeDetailRecord.model_validate(record)
    (back, back_leg), _ = read(record)
    told = {issue.field for issue in issues}
    for name in Cdr.model_fields:
        if f"Cdr.{name}" not in LOST and name not in {"location", "metering", "signed_data", "product"}:
            assert getattr(back, name) == getattr(one, name), name
    assert back.product == (one.product or leg.product)
    for name in ("start", "end"):
        assert getattr(back, name) == getattr(one, name).replace(microsecond=0)
        assert getattr(back, f"charging_{name}") == (getattr(one, f"charging_{name}") or getattr(one, name)).replace(
            microsecond=0
        )
    assert back.location.evse_id == one.location.evse_id
    assert back.location.hub_operator == one.location.hub_operator
    assert abs(back.energy - one.energy) <= Decimal("0.001")
    assert back.energy == one.energy or {"energy", "metering.start", "metering.end"} & told
    for name in ("start", "end"):
        before, after = getattr(one.metering, name), getattr(back.metering, name)
        assert before == after or f"metering.{name}" in told
    assert len(back.metering.between) == len(one.metering.between)
    _signed_alike(one.signed_data, back.signed_data, told)
    assert (back_leg.hub_session, back_leg.emsp_session) == (leg.hub_session, leg.emsp_session)
    assert back_leg.own_session == (leg.own_session or one.session_id)
    assert back_leg.identification.type == leg.identification.type


def _signed_alike(before: SignedData | None, after: SignedData | None, told: set[str]) -> None:
    if before is None:
        assert after is None
        return
    after = after or SignedData()
    for name in ("public_key", "certificate_id", "url", "instruction"):
        assert getattr(after, name) == (getattr(before, name) or None) or f"signed_data.{name}" in told
    order = [SignedNature.START, SignedNature.INTERMEDIATE, SignedNature.END]
    expected = sorted(before.values, key=lambda value: order.index(value.nature))
    assert [(v.nature, v.signed) for v in after.values] == [(v.nature, v.signed) for v in expected]


def test_the_judge_finds_a_cdr_whose_energy_is_not_the_difference_of_its_readings() -> None:
    record, _ = write(cdr(metering=Metering(start=Decimal(100), end=Decimal(107))))
    assert faults_of_charge(NAME, record | {"ConsumedEnergy": 7.1}) != []
    assert faults_of_charge(NAME, record | {"ConsumedEnergie": 7}) != []
    assert faults_of_charge(NAME, record | {"Identification": {}}) != []
    card = {"RFIDIdentification": {"UID": "1234ABCD", "RFID": "nfc"}}
    assert faults_of_charge(NAME, record | {"Identification": card}) != []
    assert faults_of_charge(NAME, record | {"ChargingStart": "2026-03-29T01:30:00.5+01:00"}) != []
    both = [
        {"SignedMeteringValue": "e", "MeteringStatus": "End"},
        {"SignedMeteringValue": "s", "MeteringStatus": "Start"},
    ]
    assert faults_of_charge(NAME, record | {"SignedMeteringValues": both}) != []
