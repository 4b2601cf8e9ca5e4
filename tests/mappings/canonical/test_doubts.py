from datetime import UTC, datetime
from decimal import Decimal

import pytest

from mappings.canonical import doubts
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.locations import (
    Connector,
    ConnectorStandard,
    Evse,
    EvseStatus,
    GeoPoint,
    Location,
    PowerType,
)
from mappings.report import Issue, IssueKind

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def point(latitude: str, longitude: str) -> GeoPoint:
    return GeoPoint(latitude=Decimal(latitude), longitude=Decimal(longitude))


def connector(watts: int | None, power_type: PowerType | None) -> Connector:
    power = None if watts is None else Decimal(watts)
    standard = ConnectorStandard.IEC_62196_T2
    return Connector(id="1", standard=standard, power_type=power_type, max_power=power, last_updated=AT)


def location(place: GeoPoint, *evses: Evse, country: str = "FRA") -> Location:
    return Location(
        party=PartyId("FR*ABC"),
        id="L1",
        publish=True,
        address="1 rue A",
        city="Lyon",
        country=country,
        coordinates=place,
        evses=evses,
        time_zone="Europe/Paris",
        last_updated=AT,
    )


def evse(uid: str, evse_id: str | None, *connectors: Connector, place: GeoPoint | None = None) -> Evse:
    return Evse(
        uid=uid,
        evse_id=None if evse_id is None else EvseId(evse_id),
        status=EvseStatus.AVAILABLE,
        connectors=connectors,
        coordinates=place,
        last_updated=AT,
    )


LYON = point("45.76", "4.86")


def test_a_decent_location_raises_no_doubt() -> None:
    right = evse("E1", "FR*ABC*E1", connector(22_080, PowerType.AC_3_PHASE), place=LYON)
    assert doubts.doubts(location(LYON, right, evse("E2", None, connector(None, None)))) == []


def test_each_doubt_names_its_field_and_shows_the_value() -> None:
    wrong = evse(
        "E2",
        "FR*C2P*0052011",
        connector(None, None),
        connector(7_360_000, PowerType.AC_3_PHASE),
        place=point("0", "0.0"),
    )
    found = doubts.doubts(location(point("52.37", "4.89"), evse("E1", "FR*ABC*E1"), wrong))
    assert found == [
        Issue(IssueKind.SUSPECT, "coordinates", "does not lie in FRA", "52.37 4.89"),
        Issue(IssueKind.SUSPECT, "evses[1].evse_id", "not an eMI3 EVSE id; kept as given", "FR*C2P*0052011"),
        Issue(IssueKind.SUSPECT, "evses[1].coordinates", doubts.NULL_ISLAND, "0 0.0"),
        Issue(IssueKind.SUSPECT, "evses[1].connectors[1].max_power", "hardly true: over 100000 W", "7360000"),
    ]


@pytest.mark.parametrize(
    ("watts", "power_type", "doubted"),
    [
        (100_000, PowerType.AC_3_PHASE, False),
        (100_001, PowerType.AC_3_PHASE, True),
        (100_001, PowerType.AC_1_PHASE, True),
        (3_750_000, PowerType.DC, False),
        (4_000_001, PowerType.DC, True),
        (350_000, None, False),
        (7_360_000, None, True),
    ],
)
def test_a_power_is_doubted_by_the_kind_of_current(watts: int, power_type: PowerType | None, doubted: bool) -> None:
    assert (doubts.of_power(watts, power_type) is not None) is doubted


@pytest.mark.parametrize(
    ("latitude", "longitude", "country", "said"),
    [
        ("45.76", "4.86", "FRA", None),
        ("-20.9", "55.5", "FRA", None),
        ("0", "0", "FRA", doubts.NULL_ISLAND),
        ("0", "0", "JPN", doubts.NULL_ISLAND),
        ("45", "-30", "FRA", "does not lie in FRA"),
        ("4.86", "45.76", "FRA", "does not lie in FRA, but would with latitude and longitude exchanged"),
        ("45.76", "4.86", "JPN", None),
    ],
)
def test_a_point_is_judged_by_its_country_where_that_is_known(
    latitude: str, longitude: str, country: str, said: str | None
) -> None:
    assert doubts.of_point(point(latitude, longitude), country) == said
