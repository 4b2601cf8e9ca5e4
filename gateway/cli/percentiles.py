"""Percentiles, said one way by the demo and by the benchmarks."""

from collections.abc import Sequence


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """Gives a value that this share of the others, sorted, stays under; None without any."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else None
