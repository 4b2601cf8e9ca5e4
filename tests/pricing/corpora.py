"""The real tariffs beside the project: the Dutch national feed's, and two French operators'."""

import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from gateway.pricing.charge import Charge
from gateway.pricing.engine import price
from gateway.pricing.notes import Unpriceable
from gateway.pricing.result import Calculation
from mappings.canonical.tariffs import Tariff
from mappings.ocpi.v2_2_1 import tariffs
from mappings.report import Refused

DUTCH = "data/nl/tariffs-2026-06-07.ndjson.gz"
FRENCH = ("data/fr/tariffs/electra.json", "data/fr/tariffs/total.json")


class Read(NamedTuple):
    """What came of reading a corpus."""

    tariffs: list[Tariff]
    refused: list[Refused]


def dutch(path: Path) -> Read:
    with gzip.open(path) as lines:
        return read(lines)


def french(path: Path) -> Read:
    return read(json.loads(path.read_text(encoding="utf-8")))


def read(sources: Iterable[bytes | dict[str, Any]]) -> Read:
    found = Read([], [])
    for source in sources:
        try:
            tariff, _ = tariffs.to_canonical(source)
        except Refused as refusal:
            found.refused.append(refusal)
        else:
            found.tariffs.append(tariff)
    return found


def told_apart(found: Iterable[Tariff]) -> list[tuple[Tariff, int]]:
    """Gives one of those tariffs that price alike, and how many: the Dutch have 11,527 ids for a thousand tariffs."""
    counted: dict[str, tuple[Tariff, int]] = {}
    for tariff in found:
        key = tariff.model_dump_json(include={"elements", "min_price", "max_price", "currency"})
        first, count = counted.get(key, (tariff, 0))
        counted[key] = first, count + 1
    return list(counted.values())


def priced(tariff: Tariff, charges: Iterable[Charge]) -> Iterator[Calculation | Unpriceable]:
    for charge in charges:
        try:
            yield price(tariff, charge)
        except Unpriceable as refusal:
            yield refusal
