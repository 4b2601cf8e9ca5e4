"""CDRs in a mass, each priced by the tariff in force at its start, read from the store and written to it."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Final

from gateway.cli.bench.figures import Figure
from gateway.pricing.cdrs import charge_of
from gateway.pricing.engine import price
from gateway.services.repricing.reading import Terms
from gateway.services.repricing.worker import Repricer
from gateway.store.migrate import migrate
from gateway.store.pool import Store
from mappings.canonical.cdrs import Cdr
from mappings.canonical.tariffs import Tariff

MANY: Final = 100_000
PROCESSES: Final = 2

_GOAL: Final = 30.0
_TARIFFS: Final = 60
_CHARGES: Final = 8
_WRONG: Final = 50
"""Of so many CDRs one costs otherwise than it should."""
_START: Final = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
_CPO: Final = "NL*CPO"


async def measure(url: str, *, many: int = MANY) -> list[Figure]:
    """Stores CDRs of drivers of ours, and prices all of them."""
    store = Store(url, size=8)
    await store.open()
    try:
        await migrate(store, "before")
        await _fill(store, many)
        repricer = Repricer(store, Terms(Decimal("0.01")), lambda: None, lambda *_: None, PROCESSES)
        began = time.perf_counter()
        done = await repricer.work()
        seconds = time.perf_counter() - began
        differing = await store.fetchval("SELECT count(*) FROM repricing WHERE outcome = 'differs'")
        matching = await store.fetchval("SELECT count(*) FROM repricing WHERE outcome = 'matches'")
        if (done, matching + differing) != (many, many) or differing != len(range(0, many, _WRONG)):
            raise RuntimeError(f"priced {done} of {many}: {matching} match and {differing} differ")
        return [
            Figure.of(f"{many:,} CDRs repriced", seconds, "s", _GOAL * many / MANY, better="less"),
            Figure.of("CDRs repriced", many / seconds, "/s", better="more"),
        ]
    finally:
        await store.close()


async def _fill(store: Store, many: int) -> None:
    connection = await store.fetchval(
        "INSERT INTO connection (name, hub, mode, state, scope, settings)"
        " VALUES ('bench', 'bench', 'live', 'ready', '{}', '{}') RETURNING id"
    )
    tariffs = [_tariff(number) for number in range(_TARIFFS)]
    await store.execute(
        "INSERT INTO tariff_version (connection_id, party, tariff_id, target, body, known_from, first)"
        " SELECT $1, $2, i.id, '', i.body, '2026-01-01', true FROM unnest($3::text[], $4::json[]) AS i(id, body)",
        connection,
        _CPO,
        [one.id for one in tariffs],
        [one.model_dump_json(exclude_defaults=True) for one in tariffs],
    )
    bodies = list(_bodies(tariffs, many))
    for begin in range(0, many, 5000):
        some = bodies[begin : begin + 5000]
        await store.execute(
            "INSERT INTO received_cdr (connection_id, cpo, cdr_id, cdr_key, party, body, digest, session_keys,"
            " driver_keys, energy, started_at, ended_at, credit)"
            " SELECT $1, $2, i.id, i.id, 'FR*EMS', i.body, i.digest, '{}', '{}', 10, i.at, i.at, false"
            " FROM unnest($3::text[], $4::json[], $5::bytea[], $6::timestamptz[]) AS i(id, body, digest, at)",
            connection,
            _CPO,
            [f"c-{begin + number}" for number in range(len(some))],
            [body for body, _ in some],
            [blake2b(body.encode(), digest_size=16).digest() for body, _ in some],
            [at for _, at in some],
        )
    await store.execute("ANALYZE")


def _bodies(tariffs: list[Tariff], many: int) -> Iterator[tuple[str, datetime]]:
    """Gives CDRs and their starts; what they cost is worked out once for each charge by each tariff."""
    costs: dict[tuple[int, int], dict[str, Any]] = {}
    for number in range(many):
        kind = number % _TARIFFS, number // _TARIFFS % _CHARGES
        start = _START + timedelta(days=number % 20)  # before the clocks change, and no tariff asks for the day
        fields = _cdr(number, tariffs[kind[0]], kind[1], start)
        if kind not in costs:
            calculation = price(tariffs[kind[0]], charge_of(Cdr.model_validate(fields)))
            costs[kind] = {"net": str(calculation.net), "taxes": [{"name": "VAT", "amount": str(calculation.tax)}]}
        cost = {"net": "99"} if number % _WRONG == 0 else costs[kind]
        yield json.dumps(fields | {"total_cost": cost}, default=str), start


def _cdr(number: int, tariff: Tariff, charge: int, start: datetime) -> dict[str, Any]:
    start += timedelta(minutes=40 * charge)
    middle, end = start + timedelta(minutes=50 + 10 * charge), start + timedelta(minutes=80 + 15 * charge)
    charging = [{"type": "ENERGY", "volume": 8 + charge}, {"type": "TIME", "volume": _hours(start, middle)}]
    parking = [{"type": "PARKING_TIME", "volume": _hours(middle, end)}]
    return {
        "party": _CPO,
        "id": f"c-{number}",
        "session_id": f"s-{number}",
        "start": start,
        "end": end,
        "identification": {"type": "RFID", "uid": f"04{number:012d}", "contract_id": "FR-EMS-C00000001-6"},
        "auth_method": "AUTH_REQUEST",
        "location": {
            "id": "L1",
            "evse_uid": f"U{number % 997}",
            "connector_id": "1",
            "evse_id": f"NL*CPO*E{number % 997}",
            "name": "Station",
            "address": "Straat 1",
            "city": "Utrecht",
            "country": "NLD",
            "coordinates": {"latitude": "52.1", "longitude": "5.1"},
            "connector_standard": "IEC_62196_T2",
            "connector_format": "SOCKET",
            "connector_power_type": "AC_3_PHASE",
            "time_zone": "Europe/Amsterdam",
        },
        "currency": "EUR",
        "periods": [
            {"start": start, "dimensions": charging, "tariff_id": tariff.id},
            {"start": middle, "dimensions": parking, "tariff_id": tariff.id},
        ],
        "energy": 8 + charge,
        "time": _hours(start, end),
        "parking_time": _hours(middle, end),
        "last_updated": end,
    }


def _hours(start: datetime, end: datetime) -> float:
    return round((end - start) / timedelta(hours=1), 4)


def _tariff(number: int) -> Tariff:
    """A tariff as they are: a start fee, day and night, a fee for who stays too long; some simpler."""
    day = {"type": "ENERGY", "price": f"0.{35 + number % 20}", "vat": 21, "step_size": 1}
    night = day | {"price": f"0.{20 + number % 10}"}
    stay = {"type": "PARKING_TIME", "price": "1.5", "vat": 21, "step_size": 300}
    start = {"type": "FLAT", "price": "0.35", "vat": 21, "step_size": 1}
    elements: list[dict[str, Any]] = [{"price_components": [day]}]
    if number % 3:
        elements = [
            {"price_components": [start]},
            {"price_components": [night], "restrictions": {"start_time": "22:00", "end_time": "09:30"}},
            {"price_components": [day, stay]},
        ]
    return Tariff.model_validate(
        {
            "party": _CPO,
            "id": f"T{number}",
            "currency": "EUR",
            "elements": elements,
            "last_updated": datetime(2026, 1, 1, tzinfo=UTC),
        }
    )
