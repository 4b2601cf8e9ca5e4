"""Small records in every format, our own, made to the protocols' rules."""

import csv
import io
import json
from typing import Any

STAMP = "2026-03-01T11:00:00Z"


def location(id_: str = "L1", **changes: Any) -> dict[str, Any]:
    """An OCPI 2.2.1 location with one EVSE."""
    connector = {
        "id": "1",
        "standard": "IEC_62196_T2",
        "format": "SOCKET",
        "power_type": "AC_3_PHASE",
        "max_voltage": 400,
        "max_amperage": 32,
        "last_updated": STAMP,
    }
    evse = {
        "uid": f"{id_}-1",
        "evse_id": f"NL*ABC*E{id_}*1",
        "status": "AVAILABLE",
        "connectors": [connector],
        "last_updated": STAMP,
    }
    return {
        "country_code": "NL",
        "party_id": "ABC",
        "id": id_,
        "publish": True,
        "address": "Stationsplein 1",
        "city": "Utrecht",
        "country": "NLD",
        "coordinates": {"latitude": "52.0907", "longitude": "5.1214"},
        "evses": [evse],
        "time_zone": "Europe/Amsterdam",
        "last_updated": STAMP,
    } | changes


def tariff(id_: str = "T1", **changes: Any) -> dict[str, Any]:
    """An OCPI 2.2.1 tariff."""
    price = {"type": "ENERGY", "price": 0.35, "vat": 21, "step_size": 1}
    elements = [{"price_components": [price]}]
    return {
        "country_code": "NL",
        "party_id": "ABC",
        "id": id_,
        "currency": "EUR",
        "elements": elements,
        "last_updated": STAMP,
    } | changes


def canonical(id_: str = "C1") -> dict[str, Any]:
    """A canonical location."""
    ocpi = location(id_)
    del ocpi["country_code"], ocpi["party_id"]
    connector = {"id": "1", "standard": "IEC_62196_T2", "max_power": 22080, "last_updated": STAMP}
    ocpi["evses"][0]["connectors"] = [connector]
    return ocpi | {"party": "NL*ABC", "coordinates": {"latitude": 52.0907, "longitude": 5.1214}}


def evse_data(evse_id: str, **changes: Any) -> dict[str, Any]:
    """An OICP 2.3 EvseDataRecord."""
    return {
        "EvseID": evse_id,
        "ChargingStationId": "S1",
        "ChargingStationNames": [{"lang": "de", "value": "Bahnhof"}],
        "Address": {"Country": "CHE", "City": "Bern", "Street": "Bahnhofplatz", "PostalCode": "3011", "HouseNum": "1"},
        "GeoCoordinates": {"Google": "46.9480 7.4474"},
        "Plugs": ["Type 2 Outlet"],
        "ChargingFacilities": [{"Power": 22, "PowerType": "AC_3_PHASE"}],
        "RenewableEnergy": False,
        "CalibrationLawDataAvailability": "Not Available",
        "AuthenticationModes": ["NFC RFID Classic"],
        "PaymentOptions": ["Contract"],
        "ValueAddedServices": ["None"],
        "Accessibility": "Free publicly accessible",
        "HotlinePhoneNumber": "+41310000000",
        "IsOpen24Hours": True,
        "IsHubjectCompatible": True,
        "DynamicInfoAvailable": "true",
        "lastUpdate": STAMP,
    } | changes


def irve(station: str, point: str, **changes: Any) -> dict[str, str]:
    """A row of the French static schema, as far as it is filled in."""
    return {
        "nom_operateur": "Exemple Recharge",
        "nom_enseigne": "Exemple",
        "id_station_itinerance": station,
        "nom_station": "Place de la Gare",
        "implantation_station": "Voirie",
        "adresse_station": "1 rue de la Gare 69002 Lyon",
        "code_insee_commune": "69382",
        "coordonneesXY": "[4.8357, 45.7640]",
        "nbre_pdc": "2",
        "id_pdc_itinerance": point,
        "puissance_nominale": "22",
        "prise_type_2": "true",
        "prise_type_combo_ccs": "false",
        "condition_acces": "Accès libre",
        "date_maj": "2026-03-01",
    } | changes


def table(rows: list[dict[str, str]], delimiter: str = ",") -> bytes:
    """Writes rows as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def lines(*records: Any) -> bytes:
    """Writes records one a line."""
    return b"\n".join(json.dumps(record).encode() for record in records)
