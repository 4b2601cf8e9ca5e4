"""The Swiss public dumps: every record is read, or refused with its field."""

import csv
import gzip
import json
from collections import Counter
from datetime import UTC
from pathlib import Path

from mappings.canonical.ids import PartyId
from mappings.canonical.locations import EvseStatus
from mappings.oicp.v2_3 import evse_data, evse_status, forms, pulls
from mappings.report import IssueKind, Refused
from tests.mappings.oicp.examples import AT, DEFAULTS
from tests.oicp_schema import validate
from tests.shared import shared_path


def _load(path: Path) -> object:
    with gzip.open(path) as file:
        return json.load(file)


def test_the_evse_data_are_read_grouped_and_written_again_as_the_openapi_demands() -> None:
    dump = _load(shared_path("data/ch/evse-data-2025.json.gz"))
    places, noted = [], Counter()
    for operator_id, name, records in forms.operators(dump, "Data"):
        for record in records:
            place, issues = evse_data.to_canonical(record, AT, operator_id, name)
            places.append(place)
            noted.update((issue.kind, issue.field) for issue in issues)
    assert len(places) == 551
    # An EVSE of the Pacific, `CH*ENMOBILECHARGE`, null payment options, power as text, "None None".
    assert noted[IssueKind.SUSPECT, "GeoCoordinates"] == 1
    assert noted[IssueKind.UNKNOWN, "OperatorID"] == 52
    assert noted[IssueKind.UNKNOWN, "PaymentOptions"] == 52
    assert noted[IssueKind.MENDED, "ChargingFacilities[0].Power"] >= 50
    assert noted[IssueKind.MENDED, "GeoChargingPointEntrance"] == 551
    assert {place.party for place in places} == {PartyId("CH*REP"), PartyId("+41*031")}
    assert all(connector.max_power for place in places for connector in place.evses[0].connectors)
    grouped, _ = evse_data.group(places)
    assert sum(len(place.evses) for place in grouped) == 551
    assert len({(place.party, place.id) for place in grouped}) == len(grouped)
    for place in grouped:
        for rendered in evse_data.records(place, DEFAULTS, PartyId("CH*REP")):
            assert isinstance(rendered.record, dict)
            validate("EvseDataRecord", rendered.record)
            assert ("SubOperatorName" in rendered.record) == (rendered.evse.evse_id.party != PartyId("CH*REP"))


def test_the_evse_data_are_pulled_in_pages_under_keys_of_their_own() -> None:
    dump = _load(shared_path("data/ch/evse-data-2025.json.gz"))
    records = [
        record | {"OperatorID": operator_id, "OperatorName": name}
        for operator_id, name, of_operator in forms.operators(dump, "Data")
        for record in of_operator
    ]
    keys = set()
    for first in range(0, len(records), 100):
        content = records[first : first + 100]
        body = {"content": content, "number": first // 100, "totalPages": 6, "last": first + 100 >= len(records)}
        answer = pulls.read_evse_data(body, AT)
        assert answer is not None
        assert not answer.unreadable
        assert answer.page.more == (first < 500)
        for entry in answer.entries:
            place, _ = entry.read()
            assert entry.key == (place.party.normal, place.id)
            assert (place.evses[0].uid, place.operator.name if place.operator else None) == (
                place.id,
                entry.raw["OperatorName"],
            )
            keys.add(entry.key)
    assert len(keys) == len(records) == 551


def test_the_statuses_of_all_dumps_are_read() -> None:
    files = [shared_path("data/ch/evse-status-2025.json.gz"), *sorted(shared_path("data/ch/status_series").iterdir())]
    seen: Counter[EvseStatus] = Counter()
    for path in files:
        for _, _, records in forms.operators(_load(path), "Status"):
            for record in records:
                report, issues = evse_status.to_canonical(record)
                assert not issues
                assert report.evse_id is not None
                assert report.evse_id.well_formed
                seen[report.status] += 1
    assert len(files) == 23
    assert sum(seen.values()) == 275_502
    assert set(seen) == {
        EvseStatus.AVAILABLE,
        EvseStatus.CHARGING,
        EvseStatus.OUTOFORDER,
        EvseStatus.RESERVED,
        EvseStatus.UNKNOWN,
    }


def test_every_row_of_the_flattened_stations_is_read_or_refused_for_its_point() -> None:
    refused: Counter[str] = Counter()
    read = 0
    with gzip.open(shared_path("data/ch/all-stations-2025-07.csv.gz"), "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            record = {
                "EvseID": row["EvseID"],
                "ChargingStationID": row["ChargingStationId"],
                "Accessibility": row["Accessibility"],
                "GeoCoordinates": {"Google": f"{row['latitude']} {row['longitude']}"},
                "Address": {key: row[key] for key in ("City", "Country", "PostalCode", "Street")},
                "IsOpen24Hours": row["IsOpen24Hours"],
                "lastUpdate": row["LastUpdate"],
                "DynamicInfoAvailable": row["DynamicInfoAvailable"],
                "ChargingFacilities": [
                    {"power": row["ChargingFacility_power"], "powertype": row["ChargingFacility_powertype"]}
                ],
            }
            try:
                place, _ = evse_data.to_canonical(record, AT)
            except Refused as refusal:
                refused[refusal.reason.field] += 1
                continue
            read += 1
            assert place.last_updated.tzinfo is UTC
            assert place.time_zone.startswith(("Europe/", "Asia/"))
    assert set(refused) == {"GeoCoordinates"}
    assert read == 19_307 - refused["GeoCoordinates"] > 19_000
