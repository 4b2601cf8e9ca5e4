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
    for each in fields:
        parts.append(f"## {each.protocol}")
        for model, rules in _by_model(each):
            parts += [f"### {model}", _field_rows(rules)]
    if enums:
        parts.append("## Values")
        for heading, enum in enums:
            parts += [f"### {heading}", _enum_rows(enum)]
    parts += ["## What is lost on the way out", _losses(fields, enums)]
    return "\n\n".join(parts) + "\n"


def _by_model(fields: FieldTable) -> Iterator[tuple[str, list[FieldRule]]]:
    grouped: dict[str, list[FieldRule]] = {}
    for rule in fields.rules:
        grouped.setdefault(rule.field.partition(".")[0], []).append(rule)
    yield from grouped.items()


def _field_rows(rules: Iterable[FieldRule]) -> str:
    rows = [(code(r.field.partition(".")[2]), code(r.wire), r.rule or "as it is", r.lost or "") for r in rules]
    return table(("canonical", "wire", "rule", "lost on the way out"), rows)


def _enum_rows(enum: EnumTable[Any, Any]) -> str:
    said = [(code(row.canonical), code(row.wire), row.lost) for row in enum.rows()]
    parts = [table(("canonical", "wire", "lost on the way out"), said)]
    # What the wire distinguishes and the canonical enum does not cannot be seen from the canonical side.
    merged = [(code(wire), code(canonical)) for wire, canonical in _one_way_in(enum)]
    if merged:
        parts.append(table(("wire, read only", "canonical"), merged))
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
    rows = [(code(rule.field), rule.lost) for each in fields for rule in each.rules if rule.lost]
    rows += [
        (f"{heading} {code(row.canonical)}", row.lost) for heading, enum in enums for row in enum.rows() if row.lost
    ]
    return table(("what", "loss"), rows) if rows else "Nothing."


def code(text: str) -> str:
    """Writes a text as code, and nothing as a dash."""
    return f"`{text}`" if text and text != "—" else "—"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Writes a table of Markdown."""
    lines = (head, ["---"] * len(head), *rows)
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
