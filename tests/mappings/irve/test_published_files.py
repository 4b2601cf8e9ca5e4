import csv
import gzip
import json
from collections import Counter, defaultdict
from itertools import islice

import pytest

from mappings.irve import dynamic
from mappings.irve.ids import station_key
from mappings.irve.static import to_canonical
from mappings.irve.wire import DynamicRow, StaticRow
from tests.mappings.irve.rows import READ_AT
from tests.shared import shared_path

NO_KNOWN_PLUG = {("prise_type_autre", "its only plug has no known standard"), ("prise_type_*", "no plug is named")}


@pytest.mark.parametrize(
    ("name", "points", "unnamed_plugs"), [("irve-static-2025-07", 29_109, 825), ("irve-static-2024-07", 56_507, 868)]
)
def test_every_published_point_translates_or_is_refused_for_its_plug(
    name: str, points: int, unnamed_plugs: int
) -> None:
    stations: dict[str, list[tuple[int, StaticRow]]] = defaultdict(list)
    with gzip.open(shared_path(f"data/fr/{name}.json.gz"), "rt") as lines:
        for number, line in enumerate(lines, 1):
            row = StaticRow.read(json.loads(line))
            stations[station_key(row)].append((number, row))
    evses = 0
    reasons: Counter[tuple[str, str]] = Counter()
    for rows in stations.values():
        location, _, refused = to_canonical(rows, READ_AT)
        evses += len(location.evses) if location else 0
        reasons.update((error.reason.field, error.reason.detail) for _, error in refused)
    assert reasons.keys() <= NO_KNOWN_PLUG
    assert reasons.total() == unnamed_plugs
    assert evses + reasons.total() == points


@pytest.mark.parametrize(
    ("name", "records"), [("irve-dynamic-events-2026-08-20", 326_521), ("irve-dynamic-snapshot-2026-08-20", 114_844)]
)
def test_every_published_status_translates(name: str, records: int) -> None:
    with gzip.open(shared_path(f"data/fr/{name}.csv.gz"), "rt", newline="") as lines:
        stamped = sum(dynamic.to_canonical(DynamicRow.read(raw)).report.at is not None for raw in csv.DictReader(lines))
    assert stamped == records


def test_points_of_the_static_file_meet_their_statuses() -> None:
    with gzip.open(shared_path("data/fr/irve-static-2025-07.json.gz"), "rt") as lines:
        ids = {json.loads(line)["id_pdc_itinerance"] for line in islice(lines, 5000)}
    with gzip.open(shared_path("data/fr/irve-dynamic-events-2026-08-20.csv.gz"), "rt", newline="") as lines:
        normals = {
            dynamic.to_canonical(DynamicRow.read(raw)).report.evse_id.normal
            for raw in csv.DictReader(lines)
            if raw["id_pdc_itinerance"] in ids
        }
    assert normals
    assert normals <= ids
