"""What OCPI demands, allows and cannot say, on the way out."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from mappings.canonical.energy import EnergyMix, EnergySource, EnergySourceCategory
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.locations import (
    Connector,
    ConnectorFormat,
    ConnectorStandard,
    Evse,
    EvseStatus,
    GeoPoint,
    Hours,
    Location,
    PowerType,
    RegularHours,
)
from mappings.canonical.tariffs import Money, Tariff, Tax
from mappings.canonical.texts import Image, ImageCategory, LocalText
from mappings.ocpi.defaults import ConnectorDefault, ConnectorDefaults
from mappings.ocpi.v2_2_1 import locations, patches, tariffs
from mappings.report import Issue, IssueKind, Refused
from tests.drawing import START
from tests.mappings.ocpi.samples import LOCATION, TARIFF

WHOLE = locations.to_canonical(LOCATION)[0]
PRICED = tariffs.to_canonical(TARIFF)[0]
BARE = Connector(id="1", standard=ConnectorStandard.CHADEMO, last_updated=START)
DEFAULTS = ConnectorDefaults(
    by_standard={
        ConnectorStandard.CHADEMO: ConnectorDefault(
            format=ConnectorFormat.CABLE, power_type=PowerType.DC, max_voltage=500, max_amperage=125
        )
    }
)

LATE = Hours(twentyfourseven=False, regular=(RegularHours(weekday=1, begin="08:00", end="24:00"),))
BIOMASS = EnergyMix(
    is_green_energy=True, sources=(EnergySource(source=EnergySourceCategory.BIOMASS, percentage=Decimal(9)),)
)


def said(**changes: Any) -> tuple[dict[str, Any], list[Issue]]:
    return locations.from_canonical(WHOLE.model_copy(update=changes))


def test_what_ocpi_demands_of_a_connector_comes_from_the_settings_each_with_an_issue() -> None:
    wire, issues = locations.connector_from_canonical(BARE, DEFAULTS)
    assert wire == {
        "id": "1",
        "standard": "CHADEMO",
        "format": "CABLE",
        "power_type": "DC",
        "max_voltage": 500,
        "max_amperage": 125,
        "last_updated": "2026-01-01T00:00:00Z",
    }
    assert [(i.kind, i.field) for i in issues] == [
        (IssueKind.DEFAULTED, name) for name in ("format", "power_type", "max_voltage", "max_amperage")
    ]


def test_without_settings_the_connector_is_refused_and_in_an_evse_left_out_with_the_reason() -> None:
    with pytest.raises(Refused) as refused:
        locations.connector_from_canonical(BARE)
    assert refused.value.reason.field == "format"
    other = WHOLE.evses[0].connectors[0]
    evse = Evse(uid="E", status=EvseStatus.AVAILABLE, connectors=(BARE, other), last_updated=START)
    wire, issues = locations.evse_from_canonical(evse)
    assert [c["id"] for c in wire["connectors"]] == [other.id]
    assert [(i.kind, i.field) for i in issues] == [(IssueKind.LEFT_OUT, "connectors[0]")]
    assert "connectors[0].format" in issues[0].detail


def test_an_evse_without_a_connector_that_can_be_said_is_left_out_and_a_location_of_such_refused() -> None:
    dumb = Evse(uid="E2", status=EvseStatus.AVAILABLE, connectors=(BARE,), last_updated=START)
    wire, issues = said(evses=(*WHOLE.evses, dumb))
    assert [e["uid"] for e in wire["evses"]] == ["E1"]
    assert [i.field for i in issues] == ["evses[1].connectors[0]", "evses[1]"]
    with pytest.raises(Refused) as refused:
        said(evses=(dumb,))
    assert refused.value.reason.field == "evses"
    assert len(refused.value.issues) == 3


def test_a_place_without_evses_is_said() -> None:
    assert "evses" not in said(evses=())[0]


@pytest.mark.parametrize(
    ("change", "field", "kind"),
    [
        ({"city": "x" * 46}, "city", IssueKind.NARROWED),
        ({"directions": (LocalText(language="fr-CA", text="là"),)}, "directions[0].language", IssueKind.NARROWED),
        ({"directions": (LocalText(language="gsw", text="dört"),)}, "directions[0]", IssueKind.LOST),
        (
            {"coordinates": GeoPoint(latitude=Decimal("45.123456789"), longitude=Decimal(4))},
            "coordinates.latitude",
            IssueKind.NARROWED,
        ),
        (
            {"images": (Image(url="https://e/" + "x" * 250, category=ImageCategory.OTHER, type="png"),)},
            "images[0].url",
            IssueKind.LOST,
        ),
        (
            {"opening_times": LATE},
            "opening_times.regular[0].end",
            IssueKind.NARROWED,
        ),
        (
            {"energy_mix": BIOMASS},
            "energy_mix.sources[0].source",
            IssueKind.NARROWED,
        ),
        ({"hotline": "+33123456789"}, "hotline", IssueKind.LOST),
        ({"pool_id": "FR*ABC*P1"}, "pool_id", IssueKind.LOST),
    ],
)  # fmt: skip
def test_what_is_narrowed_or_lost_is_an_issue(change: dict[str, Any], field: str, kind: IssueKind) -> None:
    wire, issues = said(**change)
    assert [(i.kind, i.field) for i in issues] == [(kind, field)]
    locations.to_canonical(locations.dump(wire))


def test_one_place_has_one_spelling_however_many_zeros_it_was_given_with() -> None:
    for text in ("45.7600000", "45.76", "45.760"):
        point = GeoPoint(latitude=Decimal(text), longitude=Decimal("4.123450"))
        assert said(coordinates=point)[0]["coordinates"] == {"latitude": "45.76000", "longitude": "4.12345"}


def test_a_negative_coordinate_of_all_its_digits_has_a_place_less_since_its_text_may_be_no_longer() -> None:
    wire, issues = said(coordinates=GeoPoint(latitude=Decimal("-21.1234567"), longitude=Decimal("-155.1234564")))
    assert wire["coordinates"] == {"latitude": "-21.123457", "longitude": "-155.123456"}
    assert [(i.kind, i.field) for i in issues] == [
        (IssueKind.NARROWED, f"coordinates.{axis}") for axis in ("latitude", "longitude")
    ]
    wire, issues = said(coordinates=GeoPoint(latitude=Decimal("-1.1234567"), longitude=Decimal("155.1234567")))
    assert (list(wire["coordinates"].values()), issues) == (["-1.1234567", "155.1234567"], [])


def test_regular_hours_are_not_said_beside_24_hours() -> None:
    wire, issues = said(opening_times=LATE.model_copy(update={"twentyfourseven": True}))
    assert wire["opening_times"] == {"twentyfourseven": True}
    assert [(i.kind, i.field) for i in issues] == [(IssueKind.LOST, "opening_times.regular")]


def test_coordinates_have_five_to_seven_places() -> None:
    point = GeoPoint(latitude=Decimal("45.123456789"), longitude=Decimal(-4))
    assert said(coordinates=point)[0]["coordinates"] == {"latitude": "45.1234568", "longitude": "-4.00000"}


@pytest.mark.parametrize(
    ("change", "field"),
    [({"id": "x" * 37}, "id"), ({"party": PartyId("+49*810")}, "party")],
)
def test_an_id_that_does_not_fit_is_refused_and_never_cut(change: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        said(**change)
    assert refused.value.reason.field == field


def test_an_evse_id_is_written_as_it_was_given() -> None:
    evse = WHOLE.evses[0].model_copy(update={"evse_id": EvseId("frabce1")})
    assert said(evses=(evse,))[0]["evses"][0]["evse_id"] == "frabce1"


def test_a_tariff_for_one_emsp_is_not_said_to_all() -> None:
    with pytest.raises(Refused) as refused:
        tariffs.from_canonical(PRICED.model_copy(update={"target": PartyId("NL*MSP")}))
    assert refused.value.reason.field == "target"


@pytest.mark.parametrize(
    ("taxes", "gross", "kinds"),
    [
        ((), None, []),
        ((Tax(name="VAT", amount=Decimal("0.5")),), 3, []),
        ((Tax(name="VAT", percentage=Decimal(20)),), 3, [IssueKind.NARROWED]),
        (
            (Tax(name="VAT", amount=Decimal("0.4")), Tax(name="QST", amount=Decimal("0.1"))),
            3,
            [IssueKind.NARROWED, IssueKind.NARROWED],
        ),
    ],
)
def test_taxes_become_the_price_with_vat(taxes: tuple[Tax, ...], gross: int | None, kinds: list[IssueKind]) -> None:
    tariff: Tariff = PRICED.model_copy(update={"max_price": Money(net=Decimal("2.5"), taxes=taxes)})
    wire, issues = tariffs.from_canonical(tariff)
    assert wire["max_price"] == ({"excl_vat": 2.5} if gross is None else {"excl_vat": 2.5, "incl_vat": gross})
    assert [i.kind for i in issues] == kinds


def test_a_tax_without_rate_and_amount_refuses_the_tariff() -> None:
    with pytest.raises(Refused):
        tariffs.from_canonical(PRICED.model_copy(update={"min_price": Money(net=Decimal(1), taxes=(Tax(name="VAT"),))}))


def test_a_patch_of_a_status_or_of_tariffs_names_only_these() -> None:
    evse = WHOLE.evses[0]
    assert patches.status_patch(evse) == {"status": "AVAILABLE", "last_updated": "2026-03-01T10:00:00Z"}
    assert patches.tariff_ids_patch(evse.connectors[0]) == {
        "tariff_ids": ["T1"],
        "last_updated": "2026-03-01T10:00:00Z",
    }


def test_the_patch_between_two_states_is_none_where_a_field_went_away() -> None:
    before, _ = said()
    after, _ = said(name="Other", last_updated=WHOLE.last_updated + timedelta(seconds=1))
    assert patches.patch_between(before, after) == {"name": "Other", "last_updated": "2026-03-01T10:00:01Z"}
    assert patches.patch_between(before, before) == {}
    assert patches.patch_between(before, said(name=None)[0]) is None


@pytest.mark.parametrize(
    ("source", "field"),
    [
        ('{"status":"CHARGING"}', "last_updated"),
        ('{"uid":"E9","last_updated":"2026-03-02T00:00:00Z"}', "uid"),
        ('{"last_updated":"2026-03-02T00:00:00+01:00"}', "last_updated"),
    ],
)
def test_a_patch_without_stamp_or_of_another_id_is_refused(source: str, field: str) -> None:
    with pytest.raises(Refused) as refused:
        patches.patch_evse(WHOLE, "E1", source)
    assert refused.value.reason.field == field


def test_a_patch_of_what_is_not_there_is_refused() -> None:
    with pytest.raises(Refused):
        patches.patch_evse(WHOLE, "E9", '{"last_updated":"2026-03-02T00:00:00Z"}')
    with pytest.raises(Refused):
        patches.patch_connector(WHOLE, "E1", "9", '{"last_updated":"2026-03-02T00:00:00Z"}')


def test_a_patch_replaces_clears_and_keeps_what_it_does_not_name() -> None:
    source = '{"physical_reference":"7","capabilities":[],"x":1,"evse_id":null,"last_updated":"2026-03-02T00:00:00Z"}'
    result = patches.patch_evse(WHOLE, "E1", source)
    evse = result.after.evses[0]
    assert result.changed == {"physical_reference", "capabilities", "unknown", "evse_id"}
    assert (evse.physical_reference, evse.capabilities, evse.evse_id) == ("7", (), None)
    assert evse.unknown == {"x": 1}
    assert evse.connectors == WHOLE.evses[0].connectors
    assert result.after.last_updated == evse.last_updated > WHOLE.last_updated
    assert Location.model_validate(result.after.model_dump()) == result.after
