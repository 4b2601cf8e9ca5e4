"""One charge, told whole: `charge.canonical.json` → `charge.wire.json`, and its CDR → `charge.in.canonical.json`."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mappings.canonical.cdrs import Cdr, CdrLocation
from mappings.canonical.ids import PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import Session
from mappings.canonical.tokens import Pin
from mappings.oicp.v2_3 import authorisations, cdrs, sessions
from mappings.oicp.v2_3.vocabulary import NotificationType
from mappings.oicp.v2_3.wire_charging import ChargeDetailRecord
from tests.oicp_schema import faults_of_charge

FOLDER = Path(__file__).parent / "golden"
OPERATOR = PartyId("DE*ABC")
AT = datetime(2026, 3, 29, 3, tzinfo=UTC)


def _load(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def wire() -> dict[str, Any]:
    return _load("charge.wire.json")


@pytest.fixture(scope="module")
def charge() -> dict[str, Any]:
    return _load("charge.canonical.json")


def test_the_questions_are_written_as_their_golden_messages(wire: dict[str, Any], charge: dict[str, Any]) -> None:
    place, leg = CdrLocation.model_validate(charge["place"]), Leg.model_validate(charge["leg"])
    pin = Pin(value="1234")
    start = authorisations.start_from_canonical(
        OPERATOR,
        place,
        leg.identification,
        pin,
        own_session=leg.own_session,
        product=leg.product,
    )
    stop = authorisations.stop_from_canonical(OPERATOR, place, leg.identification, leg, pin)
    assert start == (wire["AuthorizeStart"], [])
    assert stop == (wire["AuthorizeStop"], [])
    for name in ("AuthorizeStart", "AuthorizeStop"):
        assert faults_of_charge(f"eRoaming{name}", wire[name]) == []


@pytest.mark.parametrize("kind", NotificationType)
def test_the_notifications_are_written_as_their_golden_messages(
    kind: NotificationType, wire: dict[str, Any], charge: dict[str, Any]
) -> None:
    place, leg = CdrLocation.model_validate(charge["place"]), Leg.model_validate(charge["leg"])
    told = Session.model_validate_json(json.dumps(charge["session"]))
    assert sessions.from_canonical(kind, told, place, leg, OPERATOR) == (wire[kind.value], [])
    assert faults_of_charge(f"eRoamingChargingNotification{kind}", wire[kind.value]) == []


def test_the_cdr_goes_both_ways(wire: dict[str, Any], charge: dict[str, Any]) -> None:
    body = wire["ChargeDetailRecord"]
    leg, one = Leg.model_validate(charge["leg"]), Cdr.model_validate_json(json.dumps(charge["cdr"]))
    assert cdrs.from_canonical(one, leg) == (body, [])
    assert faults_of_charge("eRoamingChargeDetailRecord", body) == []
    back = _load("charge.in.canonical.json")
    read, _ = cdrs.to_canonical(body, currency="EUR", at=AT)
    assert read.cdr == Cdr.model_validate_json(json.dumps(back["cdr"]))
    assert read.leg == Leg.model_validate(back["leg"])


def test_the_golden_cdr_names_every_field_that_may_be_sent(wire: dict[str, Any]) -> None:
    names = {str(field.alias) for field in ChargeDetailRecord.model_fields.values()}
    # The CPO knows no hub behind the provider.
    assert names - wire["ChargeDetailRecord"].keys() == {"HubProviderID"}
