"""The Dutch national feed, dirt included: every refusal has a reason, everything else comes back."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator

from mappings.canonical.locations import Location
from mappings.ocpi.v2_2_1 import locations, tariffs
from mappings.report import IssueKind, Refused
from tests.shared import shared_path

KINDS = {IssueKind.MENDED, IssueKind.SUSPECT}
EVERY = 23  # one location in so many, so that the test takes seconds


def lines(name: str, every: int = 1) -> Iterator[bytes]:
    with gzip.open(shared_path(name)) as file:
        for index, line in enumerate(file):
            if index % every == 0:
                yield line


def test_the_locations_come_back_as_they_were_read() -> None:
    count: Counter[IssueKind] = Counter()
    for line in lines("data/nl/locations-2026-06-07.ndjson.gz", EVERY):
        location, issues = locations.to_canonical(line)
        assert {i.kind for i in issues} <= KINDS
        count.update(i.kind for i in issues)
        wire, lost = locations.from_canonical(location)
        assert lost == []
        again, _ = locations.to_canonical(wire)
        assert again == location
    assert count[IssueKind.SUSPECT] > 0
    assert count[IssueKind.MENDED] > 0


def test_what_is_built_without_a_second_check_passes_one() -> None:
    for line in lines("data/nl/locations-2026-06-02.ndjson.gz", 211):
        location, _ = locations.to_canonical(line)
        assert Location.model_validate_json(location.model_dump_json()) == location


def test_the_tariffs_come_back_as_they_were_read_or_are_refused_for_a_reason() -> None:
    refused: list[Refused] = []
    for line in lines("data/nl/tariffs-2026-06-07.ndjson.gz", 3):
        try:
            tariff, issues = tariffs.to_canonical(line)
        except Refused as refusal:
            refused.append(refusal)
            continue
        assert {i.kind for i in issues} <= KINDS
        wire, lost = tariffs.from_canonical(tariff)
        assert lost == []
        assert tariffs.to_canonical(wire)[0] == tariff
    assert all(each.reason.field and each.reason.detail for each in refused)
    assert len(refused) < 10


def test_the_french_tariffs_survive_what_a_database_left_in_them() -> None:
    for name in ("electra", "total"):
        for wire in json.loads(shared_path(f"data/fr/tariffs/{name}.json").read_text(encoding="utf-8")):
            tariff, issues = tariffs.to_canonical(wire)
            assert {i.kind for i in issues} <= KINDS
            assert tariffs.to_canonical(tariffs.from_canonical(tariff)[0])[0] == tariff
