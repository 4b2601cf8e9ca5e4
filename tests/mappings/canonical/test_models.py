import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from mappings.canonical.base import Instant, Number
from mappings.canonical.ids import PartyId
from mappings.canonical.locations import Evse, EvseStatus, GeoPoint, Hours, Location, RegularHours
from mappings.canonical.parties import Party, Role
from mappings.canonical.tariffs import Money, Tax
from mappings.canonical.texts import Business

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
POINT = GeoPoint(latitude=Decimal("43.6108"), longitude=Decimal("3.8767"))

instants = TypeAdapter(Instant)
numbers = TypeAdapter(Number)


def location(**changes: object) -> Location:
    right: dict[str, object] = {
        "party": PartyId("FRABC"),
        "id": "L1",
        "publish": True,
        "address": "1 rue A",
        "city": "Montpellier",
        "country": "FRA",
        "coordinates": POINT,
        "time_zone": "Europe/Paris",
        "last_updated": AT,
    }
    return Location.model_validate({**right, **changes})


@pytest.mark.parametrize(
    ("text", "json_text"), [("1", "1"), ("1.0", "1"), ("0.30", "0.3"), ("-7.36", "-7.36"), ("1e3", "1000"), ("0", "0")]
)
def test_a_number_is_a_json_number_whole_where_it_is_whole(text: str, json_text: str) -> None:
    value = numbers.validate_python(Decimal(text))
    assert numbers.dump_json(value).decode() == json_text


def test_a_number_is_a_decimal_in_python_and_reads_json_numbers_and_texts_exactly() -> None:
    assert numbers.validate_json("0.1") == Decimal("0.1")
    assert numbers.validate_json('"22.08"') == Decimal("22.08")
    assert numbers.dump_python(Decimal("0.10")) == Decimal("0.10")


@pytest.mark.parametrize("text", ["NaN", "Infinity", '"NaN"', '"1e999999"', "1e13", "-1e13", "null", '"viele"'])
def test_a_number_is_finite_and_bounded(text: str) -> None:
    with pytest.raises(ValidationError):
        numbers.validate_json(text)


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=4, allow_nan=False))
def test_a_number_of_four_places_survives_json(value: Decimal) -> None:
    assert numbers.validate_json(numbers.dump_json(value)) == value


@pytest.mark.parametrize("text", ["2026-03-01T12:00:00Z", "2026-03-01T13:00:00+01:00", "2026-03-01T02:00:00-10:00"])
def test_an_instant_is_held_in_utc(text: str) -> None:
    value = instants.validate_json(json.dumps(text))
    assert value == AT
    assert value.tzinfo is UTC or value.utcoffset() == timedelta(0)
    assert instants.dump_json(value) == b'"2026-03-01T12:00:00Z"'


def test_an_instant_given_with_any_zone_becomes_utc() -> None:
    value = instants.validate_python(datetime(2026, 3, 1, 17, 30, tzinfo=timezone(timedelta(hours=5, minutes=30))))
    assert value == AT
    assert value.tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [datetime(2026, 3, 1), "2026-03-01T12:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00-10:00"],  # noqa: DTZ001
)
def test_a_moment_without_zone_or_out_of_the_calendar_is_no_instant(value: object) -> None:
    with pytest.raises(ValidationError):
        instants.validate_python(value)


def test_a_model_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        location().name = "other"  # type: ignore[misc]


def test_a_model_is_closed_to_unknown_fields_which_belong_beside_it() -> None:
    with pytest.raises(ValidationError, match="extra"):
        location(colour="red")
    assert location(unknown={"colour": "red"}).unknown == {"colour": "red"}


def test_a_location_survives_json() -> None:
    evse = Evse(uid="1", status=EvseStatus.AVAILABLE, last_updated=AT, coordinates=POINT)
    hours = Hours(twentyfourseven=False, regular=(RegularHours(weekday=7, begin="20:00", end="24:00"),))
    first = location(evses=(evse,), opening_times=hours, operator=Business(name="Bornes"), unknown={"a": [1, None]})
    assert Location.model_validate_json(first.model_dump_json()) == first


@pytest.mark.parametrize(
    "changes",
    [
        {"id": ""},
        {"id": " L1"},
        {"id": "L1 "},
        {"id": "Lé"},
        {"id": "L" * 49},
        {"country": "FR"},
        {"country": "fra"},
        {"coordinates": {"latitude": 91, "longitude": 0}},
        {"coordinates": {"latitude": 0, "longitude": -181}},
        {"last_updated": None},
        {"opening_times": {"twentyfourseven": False, "regular": [{"weekday": 0, "begin": "08:00", "end": "09:00"}]}},
        {"opening_times": {"twentyfourseven": False, "regular": [{"weekday": 1, "begin": "8:00", "end": "09:00"}]}},
        {"opening_times": {"twentyfourseven": False, "regular": [{"weekday": 1, "begin": "08:00", "end": "24:01"}]}},
    ],
)
def test_what_cannot_be_a_location_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        location(**changes)


def test_a_party_holds_its_roles_and_money_its_taxes_in_json_too() -> None:
    party = Party(id=PartyId("FRABC"), roles=frozenset({Role.CPO, Role.EMSP}), business=Business(name="Bornes"))
    assert Party.model_validate_json(party.model_dump_json()) == party
    money = Money(net=Decimal("0.30"), taxes=(Tax(name="VAT", percentage=Decimal(20)),))
    assert json.loads(money.model_dump_json()) == {
        "net": 0.3,
        "taxes": [{"name": "VAT", "percentage": 20, "amount": None}],
    }
