from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from mappings.canonical.locations import GeoPoint
from mappings.irve.places import METROPOLITAN, OVERSEAS, coordinates, split_address, territory_at, zone_of

MONTPELLIER = GeoPoint(latitude=Decimal("43.6108"), longitude=Decimal("3.8767"))
PACIFIC = GeoPoint(latitude=Decimal(0), longitude=Decimal(-150))


@pytest.mark.parametrize(
    ("address", "street", "postal_code", "city"),
    [
        ("3 avenue des Pins, 77700 Bailly", "3 avenue des Pins", "77700", "Bailly"),
        ("3 avenue des Pins  77700  Saint-Jean-d'Arc", "3 avenue des Pins", "77700", "Saint-Jean-d'Arc"),
        ("3 avenue des Pins, 77700 Bailly, France", "3 avenue des Pins", "77700", "Bailly"),
        ("3 rue A 93100 MONTREUIL (93) Île-de-France FRANCE", "3 rue A", "93100", "MONTREUIL"),
        ("[3 avenue des Pins][74350][Allonzier]", "3 avenue des Pins", "74350", "Allonzier"),
        ("23  Rue de Nancy, Laval  54630  France", "23 Rue de Nancy", "54630", "Laval"),
        ("All. des Pins, Boé, 47550", "All. des Pins", "47550", "Boé"),
        ("1450 ROUTE DE VALLON 07170", "1450 ROUTE DE VALLON", "07170", None),
        ("Rue A, Rte de Lyon, 03400", "Rue A, Rte de Lyon", "03400", None),
        ("RD 643 - BP 30008 57255 Sainte-Marie", "RD 643 - BP 30008", "57255", "Sainte-Marie"),
        ("Zc Est_Bp 58967", "Zc Est_Bp 58967", None, None),
        ("ZAC BP42015, 62223 Feuchy", "ZAC BP42015", "62223", "Feuchy"),
        ("1 rue A 52300 Joinville 52300 Joinville", "1 rue A 52300 Joinville", "52300", "Joinville"),
        ("Aire du Mas d\\'Azur 13000 Lieu", "Aire du Mas d'Azur", "13000", "Lieu"),
        ("97400 Saint-Denis", "97400 Saint-Denis", "97400", "Saint-Denis"),
        ("Rue des Roches", "Rue des Roches", None, None),
        ("Rue des Roches, France", "Rue des Roches", None, None),
        ("521260 route", "521260 route", None, None),
        ("", "", None, None),
    ],
)
def test_an_address_is_split_at_its_last_postal_code(
    address: str, street: str, postal_code: str | None, city: str | None
) -> None:
    assert split_address(address) == (street, postal_code, city)


@pytest.mark.parametrize(
    ("insee", "zone"),
    [
        ("34172", "Europe/Paris"),
        ("2A004", "Europe/Paris"),
        ("01001", "Europe/Paris"),
        ("95001", "Europe/Paris"),
        ("97105", "America/Guadeloupe"),
        ("97209", "America/Martinique"),
        ("97302", "America/Cayenne"),
        ("97411", "Indian/Reunion"),
        ("97502", "America/Miquelon"),
        ("97608", "Indian/Mayotte"),
        ("97701", "America/St_Barthelemy"),
        ("97801", "America/Marigot"),
        ("98735", "Pacific/Tahiti"),
        ("98731", "Pacific/Marquesas"),
        ("98719", "Pacific/Gambier"),
        ("98818", "Pacific/Noumea"),
        ("98901", "Etc/GMT+8"),
        ("99138", "Europe/Monaco"),
    ],
)
def test_the_zone_follows_from_the_insee_code(insee: str, zone: str) -> None:
    assert zone_of(insee, None, PACIFIC, "UTC")[::2] == (zone, "code_insee_commune")


@pytest.mark.parametrize("insee", [None, "", "97999", "20001", "ABCDE", "00123", "96001"])
def test_without_an_insee_code_the_zone_follows_from_postal_code_then_coordinates_then_settings(
    insee: str | None,
) -> None:
    assert zone_of(insee, "97133", PACIFIC, "UTC")[::2] == ("America/St_Barthelemy", "adresse_station")
    assert zone_of(insee, "97400", PACIFIC, "UTC")[::2] == ("Indian/Reunion", "adresse_station")
    assert zone_of(insee, None, MONTPELLIER, "UTC")[::2] == ("Europe/Paris", "coordonneesXY")
    assert zone_of(insee, None, PACIFIC, "UTC")[::2] == ("UTC", "")


def test_every_zone_is_in_the_zone_data() -> None:
    for territory in (METROPOLITAN, *OVERSEAS.values()):
        assert ZoneInfo(territory.time_zone).key == territory.time_zone


@pytest.mark.parametrize(
    ("latitude", "longitude", "name"),
    [
        ("48.85", "2.35", "metropolitan France"),
        ("41.39", "9.16", "metropolitan France"),
        ("16.24", "-61.53", "Guadeloupe"),
        ("14.65", "-61.0", "Martinique"),
        ("-20.88", "55.45", "La Réunion"),
        ("-12.78", "45.23", "Mayotte"),
        ("17.9", "-62.83", "Saint-Barthélemy"),
        ("18.07", "-63.08", "Saint-Martin"),
        ("-17.53", "-149.57", "Polynésie française"),
        ("-22.27", "166.44", "Nouvelle-Calédonie"),
        ("0", "0", None),
        ("61.5", "16.2", None),
    ],
)
def test_a_point_lies_in_one_part_of_france_or_none(latitude: str, longitude: str, name: str | None) -> None:
    territory = territory_at(Decimal(latitude), Decimal(longitude))
    assert (territory.name if territory else None) == name


@pytest.mark.parametrize(
    "text", ["[3.8767, 43.6108]", "3.8767,43.6108", "(3.8767 43.6108)", "POINT(3.8767 43.6108)", "[3.8767;43.6108]"]
)
def test_coordinates_have_many_spellings(text: str) -> None:
    assert coordinates(text) == (MONTPELLIER, None)
