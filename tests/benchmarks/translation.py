"""Translation alone: OCPI bytes to canonical to OICP bytes, against pydantic without any translation."""

import gzip
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic_core import to_json

from gateway.cli.bench.figures import Figure
from mappings.canonical.ids import PartyId
from mappings.ocpi.v2_2_1 import locations
from mappings.oicp.v2_3 import evse_data
from mappings.oicp.v2_3.defaults import OperatorDefaults
from mappings.report import Refused
from tests.benchmarks.plain_ocpi import Location

_ROUNDS = 5
_DEFAULTS = OperatorDefaults.model_validate(
    {
        "hotline": "+31201234567",
        "accessibility": "Free publicly accessible",
        "open_24_hours": True,
        "renewable_energy": False,
        "calibration_law": "Not Available",
        "authentication_modes": ["REMOTE"],
        "payment_options": ["Contract"],
        "connector_format": "SOCKET",
    }
)


def measure(network: Path, share: int = 1) -> list[Figure]:
    """Translates every `share`-th location of a network, the best of five rounds each, in turn."""
    with gzip.open(network) as lines:
        sources = [line for number, line in enumerate(lines) if number % share == 0]
    plain, whole = float("inf"), float("inf")
    for _ in range(_ROUNDS):
        plain = min(plain, _seconds(_validate_and_dump, sources))
        whole = min(whole, _seconds(_translate, sources))
    return [
        Figure.of("translation: pydantic without translation", plain * share, "s", better="less"),
        Figure.of("translation: OCPI bytes → canonical → OICP bytes", whole * share, "s", better="less"),
        Figure.of("translation: times pydantic alone", whole / plain, "×", 4, better="less"),
    ]


def _seconds(work: Callable[[Sequence[bytes]], None], sources: Sequence[bytes]) -> float:
    begun = time.process_time()
    work(sources)
    return time.process_time() - begun


def _validate_and_dump(sources: Sequence[bytes]) -> None:
    for source in sources:
        Location.model_validate_json(source).model_dump_json()


def _translate(sources: Sequence[bytes]) -> None:
    operator = PartyId("NL*NDW")
    for source in sources:
        location, _ = locations.to_canonical(source)
        for _, record, _ in evse_data.records(location, _DEFAULTS, operator):
            if not isinstance(record, Refused):
                to_json(record)
