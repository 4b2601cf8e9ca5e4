"""Real tariffs on a hundred sample charges each, and what a tariff's elements cost."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

from gateway.cli.bench.figures import Figure
from gateway.pricing.charge import Charge, Phase, Stretch
from gateway.pricing.defects import find
from gateway.pricing.engine import price
from gateway.pricing.notes import Unpriceable
from gateway.pricing.samples import samples
from mappings.canonical.tariffs import Tariff
from tests.pricing.building import element, energy, flat, tariff
from tests.pricing.corpora import dutch, french, priced, told_apart

_SIZES = (10, 100, 1000)
_ROUNDS = 5
_MOST_PER_ELEMENT = 2.0
"""What an element of a thousand may cost beside one of ten, as linear as a shared machine shows it."""


def measure(feed: Path, others: Sequence[Path]) -> list[Figure]:
    """Reads all tariffs, prices each on all samples, and prices by tariffs of ever more elements."""
    begun = time.process_time()
    found = [dutch(feed), *(french(path) for path in others if path.exists())]
    reading = time.process_time() - begun
    tariffs = [each for one in found for each in one.tariffs]
    refused = sum(len(one.refused) for one in found)
    return [
        Figure.of("tariffs: read", len(tariffs), "", better="more"),
        Figure.of("tariffs: refused when read", refused, "", 0, better="less"),
        Figure.of("tariffs: reading them", reading, "s", better="less"),
        *_on_samples(tariffs),
        *_by_elements(),
    ]


def _on_samples(tariffs: Sequence[Tariff]) -> list[Figure]:
    charges = samples()
    answers: Counter[str] = Counter()
    apart = told_apart(tariffs)
    begun = time.process_time()
    for each, alike in apart:
        for answer in priced(each, charges):
            answers[answer.why if isinstance(answer, Unpriceable) else ""] += alike
    took = time.process_time() - begun
    pricings = len(apart) * len(charges)
    return [
        Figure.of("tariffs: that price differently", len(apart), "", better="more"),
        Figure.of("tariffs: prices of 100 sample charges each", answers.pop("", 0), "", better="more"),
        *(
            Figure.of(f"tariffs: refused for {why}", count, "", better="less")
            for why, count in sorted(answers.items()) or [("any reason", 0)]
        ),
        Figure.of(f"tariffs: pricing {pricings:,} times", took, "s", better="less"),
        Figure.of("tariffs: a pricing", took / pricings * 1e6, "µs", better="less"),
    ]


def _by_elements() -> list[Figure]:
    """Prices an hour, in which four elements hold whatever the tariff's size, and a time in which all of them do."""
    few, many = _SIZES[0], _SIZES[-1]
    searched = {size: _best(partial(find, _of_quarters(size))) for size in _SIZES}
    figures = []
    for held, minutes in (("4 hold", lambda _: 60), ("all hold", lambda size: 15 * (size - 1))):
        costs = {}
        for size in _SIZES:
            whole = _charge(timedelta(minutes=minutes(size)))
            costs[size] = _best(partial(price, _of_quarters(size), whole))
            figures.append(Figure.of(f"tariffs: {size:,} elements, {held}", costs[size] * 1e3, "ms", better="less"))
        grown = (costs[many] / many) / (costs[few] / few)
        name = f"tariffs: one of {many:,} beside one of {few}, {held}"
        figures.append(Figure.of(name, grown, "×", _MOST_PER_ELEMENT, better="less"))
    return [
        *figures,
        *(
            Figure.of(f"tariffs: defects of {size:,} elements", cost * 1e3, "ms", better="less")
            for size, cost in searched.items()
        ),
    ]


def _charge(lasts: timedelta) -> Charge:
    start = datetime(2026, 6, 1, tzinfo=UTC)
    kwh = Decimal(lasts // timedelta(minutes=30))
    return Charge((Stretch(start, start + lasts, Phase.CHARGING, Decimal(lasts.total_seconds()), kwh),), "UTC")


def _of_quarters(size: int) -> Tariff:
    """Makes a tariff of a price for every quarter of an hour from 1 June on, and a fee: as real ones of 97 elements."""
    elements = []
    for number in range(size - 1):
        begin = datetime(2026, 6, 1, tzinfo=UTC) + timedelta(minutes=15 * number)
        end, day = begin + timedelta(minutes=15), timedelta(days=1)
        elements.append(
            element(
                energy(f"0.{2000 + number}"),
                start_time=f"{begin:%H:%M}",
                end_time=f"{end:%H:%M}",
                start_date=f"{begin:%Y-%m-%d}",
                end_date=f"{begin + day:%Y-%m-%d}",
            )
        )
    return tariff(*elements, element(flat("0.50")))


def _best(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(_ROUNDS):
        begun = time.process_time()
        work()
        best = min(best, time.process_time() - begun)
    return best
