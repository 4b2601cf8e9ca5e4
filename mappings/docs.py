"""Pages for `docs/mappings/`, written from the tables that the translations themselves use."""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any

from mappings.tables import EnumTable, FieldRule, FieldTable, NotRepresentable


def page(
    title: str,
    fields: Sequence[FieldTable],
    enums: Sequence[tuple[str, EnumTable[Any, Any]]],
    notes: str = "",
) -> str:
    """Writes one protocol's page as Markdown: fields with rule and loss, enums with loss, and the loss table alone.

    Args:
        title: Heading of the page, as `OCPI 2.2.1`.
        fields: The tables of fields, each under its own heading.
        enums: The enum tables, each with the heading it shall stand under.
        notes: Markdown to stand between the heading and the tables.

    Returns:
        The page, ending in one newline; the same for the same tables, so that a test can compare it with the file.
    """
    parts = [f"# {title}", "Generated from the tables in `mappings/`; change those, not this page."]
    if notes.strip():
        parts.append(notes.strip())
    for table in fields:
        parts.append(f"## {table.protocol}")
        for model, rules in _by_model(table):
            parts += [f"### {model}", _field_rows(rules)]
    if enums:
        parts.append("## Values")
        for heading, enum in enums:
            parts += [f"### {heading}", _enum_rows(enum)]
    parts += ["## What is lost on the way out", _losses(fields, enums)]
    return "\n\n".join(parts) + "\n"


def _by_model(table: FieldTable) -> Iterator[tuple[str, list[FieldRule]]]:
    grouped: dict[str, list[FieldRule]] = {}
    for rule in table.rules:
        grouped.setdefault(rule.field.partition(".")[0], []).append(rule)
    yield from grouped.items()


def _field_rows(rules: Iterable[FieldRule]) -> str:
    rows = [(_code(r.field.partition(".")[2]), _wire(r.wire), r.rule or "as it is", r.lost or "") for r in rules]
    return _table(("canonical", "wire", "rule", "lost on the way out"), rows)


def _enum_rows(enum: EnumTable[Any, Any]) -> str:
    said = [(_code(row.canonical), _wire(row.wire), row.lost) for row in enum.rows()]
    parts = [_table(("canonical", "wire", "lost on the way out"), said)]
    # What the wire distinguishes and the canonical enum does not cannot be seen from the canonical side.
    merged = [(_code(wire), _wire(canonical)) for wire, canonical in _one_way_in(enum)]
    if merged:
        parts.append(_table(("wire, read only", "canonical"), merged))
    return "\n\n".join(parts)


def _one_way_in(enum: EnumTable[Any, Any]) -> Iterator[tuple[str, str]]:
    sent = {(row.wire, row.canonical) for row in enum.rows()}
    for member in enum.wire:
        try:
            canonical: StrEnum = enum.to_canonical(member.value)
        except NotRepresentable:
            yield member.value, "—"
            continue
        if (member.value, canonical.value) not in sent:
            yield member.value, canonical.value


def _losses(fields: Sequence[FieldTable], enums: Sequence[tuple[str, EnumTable[Any, Any]]]) -> str:
    rows = [(_code(rule.field), rule.lost) for table in fields for rule in table.rules if rule.lost]
    rows += [
        (f"{heading} {_code(row.canonical)}", row.lost) for heading, enum in enums for row in enum.rows() if row.lost
    ]
    return _table(("what", "loss"), rows) if rows else "Nothing."


def _wire(text: str) -> str:
    return _code(text) if text and text != "—" else "—"


def _code(text: str) -> str:
    return f"`{text}`"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [_line(head), _line(["---"] * len(head)), *(_line(row) for row in rows)]
    return "\n".join(lines)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
