"""Figures: what was measured, against which goal; as a table and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure.

    Attributes:
        value: None where there was nothing to measure.
        goal: The bound, in the same unit; None for a figure that is only told.
        ok: Whether the goal is met; None without one.
    """

    name: str
    value: float | None
    unit: str
    goal: float | None = None
    ok: bool | None = None

    @classmethod
    def of(
        cls, name: str, value: float | None, unit: str, goal: float | None = None, *, better: Literal["more", "less"]
    ) -> "Figure":
        """Makes a figure and holds it against its goal, which it shall reach from above or below."""
        if value is None:
            return cls(name, None, unit, goal, None if goal is None else False)
        ok = None if goal is None else value >= goal if better == "more" else value <= goal
        return cls(name, round(value, 4), unit, goal, ok)


def show(figures: Sequence[Figure], console: Console) -> None:
    """Prints a table."""
    table = Table(title="Figures")
    for name in ("figure", "value", "unit", "goal", "met"):
        table.add_column(name, justify="left" if name in {"figure", "unit"} else "right")
    for one in figures:
        met = "" if one.ok is None else "[green]yes[/]" if one.ok else "[red]no[/]"
        value = "" if one.value is None else f"{one.value:,.0f}" if abs(one.value) >= 1000 else f"{one.value:.4g}"
        table.add_row(one.name, value, one.unit, "" if one.goal is None else f"{one.goal:,g}", met)
    console.print(table)


def write(figures: Sequence[Figure], path: Path) -> None:
    """Writes the figures as a JSON list; those of other names that the file has already stay."""
    kept = [one for one in _read(path) if one["name"] not in {figure.name for figure in figures}]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(kept + [asdict(figure) for figure in figures], indent=1) + "\n")


def _read(path: Path) -> list[dict[str, object]]:
    return list(json.loads(path.read_text())) if path.exists() else []
