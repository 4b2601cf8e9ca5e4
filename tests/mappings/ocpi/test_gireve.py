from typing import Any

import pytest

from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.locations import ConnectorCapability, EvseStatus
from mappings.ocpi.dialects import gireve, gireve_tariffs
from mappings.report import IssueKind, Refused
from tests.mappings.ocpi.samples import LOCATION, TARIFF, spoilt

PNC = "ISO_15118_2_PLUG_AND_CHARGE"
WHOLE = gireve.location_to_canonical(LOCATION)[0]
PRICED = gireve_tariffs.to_canonical(TARIFF)[0]


def with_evse(**changes: Any) -> Any:
    return WHOLE.model_copy(update={"evses": (WHOLE.evses[0].model_copy(update=changes),)})


def found(issues: list[Any]) -> list[tuple[IssueKind, str]]:
    return [(i.kind, i.field) for i in issues]


def test_a_whole_location_goes_and_comes_without_an_issue() -> None:
    wire, issues = gireve.location_from_canonical(WHOLE)
    assert issues == []
    assert wire == LOCATION


@pytest.mark.parametrize(
    ("path", "texts", "kinds"),
    [
        ("evses.0.connectors.0.capabilities", [PNC], []),
        ("evses.0.connectors.0.capabilities", [PNC[1:]], [IssueKind.MENDED]),
        ("evses.0.connectors.0.capabilities", [PNC.lower()], [IssueKind.MENDED]),
        ("evses.0.capabilities", ["RFID_READER", PNC], []),
        ("evses.0.capabilities", ["RFID_READER", PNC[1:]], [IssueKind.MENDED]),
        ("evses.0.capabilities", ["RFID_READER", PNC, "TELEPATHY"], [IssueKind.LEFT_OUT]),
    ],
)
def test_plug_and_charge_is_read_in_both_places_and_said_on_the_connector(
    path: str, texts: list[str], kinds: list[IssueKind]
) -> None:
    location, issues = gireve.location_to_canonical(spoilt(LOCATION, path, texts))
    assert [i.kind for i in issues] == kinds
    plug = location.evses[0].connectors[0]
    assert plug.capabilities == (ConnectorCapability.ISO_15118_2_PLUG_AND_CHARGE,)
    assert plug.unknown == {}
    assert location.evses[0].unknown == ({"capabilities": ["TELEPATHY"]} if "TELEPATHY" in texts else {})
    wire, lost = gireve.location_from_canonical(location)
    assert lost == []
    assert wire["evses"][0]["connectors"][0]["capabilities"] == [PNC]
    assert PNC not in wire["evses"][0].get("capabilities", ())


def test_a_single_evse_and_a_single_connector_know_plug_and_charge_too() -> None:
    plug = {**LOCATION["evses"][0]["connectors"][0], "capabilities": [PNC]}
    connector, issues = gireve.connector_to_canonical(plug)
    assert issues == []
    assert gireve.connector_from_canonical(connector) == (plug, [])
    evse, _ = gireve.evse_to_canonical({**LOCATION["evses"][0], "capabilities": [PNC]})
    wire, _ = gireve.evse_from_canonical(evse, PartyId("FR*ABC"))
    assert wire["connectors"] == [plug]


def test_a_foreign_connector_capability_stays_beside_the_model() -> None:
    location, issues = gireve.location_to_canonical(
        spoilt(LOCATION, "evses.0.connectors.0.capabilities", [PNC, "LEVITATION"])
    )
    assert location.evses[0].connectors[0].unknown == {"capabilities": ["LEVITATION"]}
    assert [i.kind for i in issues] == [IssueKind.LEFT_OUT]


def test_gireves_own_ids_are_kept_without_an_issue_and_given_back() -> None:
    wire = spoilt(LOCATION, "gireve_id", "G1")
    wire["evses"][0]["gireve_id"] = "G2"
    wire["evses"][0]["connectors"][0]["gireve_id"] = "G3"
    location, issues = gireve.location_to_canonical(wire)
    assert issues == []
    assert location.unknown == {"gireve_id": "G1"}
    assert gireve.location_from_canonical(location) == (wire, [])


def test_a_missing_owner_or_operator_comes_from_the_settings_or_refuses() -> None:
    location = WHOLE.model_copy(update={"owner": None, "operator": None})
    settings = gireve.GireveSettings(operator_name="Brand", owner_name="City")
    wire, issues = gireve.location_from_canonical(location, settings)
    assert (wire["operator"], wire["owner"]) == ({"name": "Brand"}, {"name": "City"})
    assert found(issues) == [(IssueKind.DEFAULTED, "operator.name"), (IssueKind.DEFAULTED, "owner.name")]
    with pytest.raises(Refused) as refused:
        gireve.location_from_canonical(location)
    assert refused.value.reason.field == "operator.name"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"evse_id": None}, "evses[0].evse_id"),
        ({"evse_id": EvseId("NL*XYZ*E1")}, "evses[0].evse_id"),
        ({"evse_id": EvseId("nonsense")}, "evses[0].evse_id"),
        ({"capabilities": ()}, "evses[0].capabilities"),
    ],
)
def test_what_gireve_demands_beyond_is_sent_with_an_issue(changes: dict[str, Any], field: str) -> None:
    assert found(gireve.location_from_canonical(with_evse(**changes))[1]) == [(IssueKind.SUSPECT, field)]


def test_a_removed_evse_needs_no_evse_id() -> None:
    assert gireve.location_from_canonical(with_evse(evse_id=None, status=EvseStatus.REMOVED))[1] == []


def test_tariffs_that_differ_within_an_evse_are_an_issue() -> None:
    plug = WHOLE.evses[0].connectors[0]
    other = plug.model_copy(update={"id": "2", "tariff_ids": ("T2",)})
    none = plug.model_copy(update={"id": "3", "tariff_ids": ()})
    _, issues = gireve.location_from_canonical(with_evse(connectors=(plug, other, none)))
    assert found(issues) == [
        (IssueKind.LOST, "evses[0].connectors[1].tariff_ids"),
        (IssueKind.SUSPECT, "evses[0].connectors[2].tariff_ids"),
        (IssueKind.LOST, "evses[0].connectors[2].tariff_ids"),
    ]


def test_what_gireve_does_not_support_is_sent_with_an_issue() -> None:
    location = WHOLE.model_copy(update={"charging_when_closed": True})
    wire, issues = gireve.location_from_canonical(location)
    assert wire["charging_when_closed"] is True
    assert found(issues) == [(IssueKind.LOST, "charging_when_closed")]
