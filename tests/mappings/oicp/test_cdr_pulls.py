"""CDRs that are pulled from Hubject."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from mappings.canonical.ids import PartyId
from mappings.oicp.v2_3 import cdr_pulls, cdrs
from mappings.oicp.v2_3.pages import Answer
from mappings.report import Refused
from tests.mappings.oicp.charges import ENDED, LEG, OPERATOR, PROVIDER, SESSION_ID, cdr
from tests.oicp_schema import faults_of_charge, validate

AT = datetime(2026, 3, 30, tzinfo=UTC)
OTHER = "b2688855-7f00-0002-6d8e-48d883f6abb6"


def page(*records: object, **changes: object) -> dict[str, object]:
    facts: dict[str, object] = {
        "content": [*records],
        "number": 0,
        "size": 2000,
        "totalElements": len(records),
        "last": True,
        "totalPages": 1,
        "first": True,
        "numberOfElements": len(records),
        "StatusCode": {"Code": "000", "Description": "Success"},
    }
    return facts | changes


def body(**changes: object) -> dict[str, Any]:
    return cdrs.from_canonical(cdr(), LEG)[0] | {"HubOperatorID": None} | changes


def read(*records: object) -> Answer[cdrs.RoamingCdr]:
    answer = cdr_pulls.read_page(page(*records), currency="EUR", at=AT)
    assert answer is not None
    return answer


def test_the_span_that_is_asked_for_holds_every_moment_of_ours() -> None:
    asked = cdr_pulls.asking(PROVIDER, ENDED + timedelta(microseconds=900_000), ENDED + timedelta(seconds=5.5))
    assert asked == {"ProviderID": "NL-EMS", "From": "2026-03-29T02:45:30Z", "To": "2026-03-29T02:45:36Z"}
    assert faults_of_charge("eRoamingGetChargeDetailRecords", asked, "emp") == []


def test_sessions_an_operator_and_what_was_not_forwarded_can_be_asked_for() -> None:
    asked = cdr_pulls.asking(PROVIDER, ENDED, AT, sessions=[SESSION_ID, OTHER], operator=OPERATOR, forwarded=False)
    assert (asked["SessionID"], asked["OperatorID"], asked["CDRForwarded"]) == ([SESSION_ID, OTHER], "DE*ABC", False)
    assert faults_of_charge("eRoamingGetChargeDetailRecords", asked, "emp") == []


@pytest.mark.parametrize(
    ("field", "span", "options"),
    [
        ("until", (AT, ENDED), {}),
        ("sessions[1]", (ENDED, AT), {"sessions": [SESSION_ID, "S1"]}),
    ],
)
def test_what_hubject_cannot_be_asked_is_refused(field: str, span: tuple[datetime, datetime], options: Any) -> None:
    with pytest.raises(Refused) as refusal:
        cdr_pulls.asking(PROVIDER, *span, **options)
    assert refusal.value.reason.field == field


def test_a_record_is_a_cdr_under_hubjects_session() -> None:
    record = {name: value for name, value in body().items() if value is not None}
    validate("eRoamingChargeDetailRecords", page(record), role="emp", closed=True)
    (entry,) = read(body()).entries
    one, _ = entry.read()
    assert entry.key == ("DE*ABC", SESSION_ID) == (one.cdr.party.normal, one.cdr.id)
    assert (one.cdr.energy, one.cdr.currency, one.leg.emsp_session) == (Decimal(7), "EUR", "emp-1")
    assert not entry.gone


def test_no_cdr_spoils_its_page() -> None:
    answer = read(None, body(SessionID=None), body(EvseID="post 7"), body(ConsumedEnergy=-1), body(SessionID=OTHER))
    assert [refusal.reason.field for refusal in answer.unreadable] == [
        "content[0]",
        "content[1].SessionID",
        "content[2].EvseID",
    ]
    with pytest.raises(Refused) as refusal:
        answer.entries[0].read()
    assert refusal.value.reason.field == "ConsumedEnergy"
    assert answer.entries[1].read()[0].cdr.id == OTHER
    assert answer.page.records == 5


def test_a_cdr_has_its_key_whatever_else_is_in_it() -> None:
    (entry,) = read(body(EvseID="DE*SUB*E1", HubOperatorID="DE*ABC", HubProviderID="NL-HUB")).entries
    one, _ = entry.read()
    assert entry.key[0] == one.cdr.party.normal == "DE*SUB"
    assert one.cdr.location.hub_operator == PartyId("DE*ABC")


@pytest.mark.parametrize("answer", [None, {}, page(StatusCode={"Code": "017"}), {"Result": False}])
def test_a_failure_is_no_empty_page(answer: Any) -> None:
    assert cdr_pulls.read_page(answer, currency="EUR", at=AT) is None
