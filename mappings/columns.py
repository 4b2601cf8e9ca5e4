"""Tables of what becomes of every column of a file that is only read, and their page for `docs/mappings/`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mappings import docs
from mappings.tables import TableError


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """What becomes of one column.

    Attributes:
        column: The column's name.
        field: Canonical field or fields, `Location.hotline`; `Evse.unknown` where the text is kept beside the model.
        rule: How it is read, one sentence; empty for a plain copy.
    """

    column: str
    field: str
    rule: str = ""


class ColumnTable:
    """The rules of every column of a file, total when built.

    Args:
        protocol: Name for the page's heading.
        columns: The columns of the file; each needs exactly one rule.
        rules: The rules.

    Raises:
        TableError: A column has no rule, two rules, or does not exist.
    """

    def __init__(self, protocol: str, columns: Iterable[str], rules: Iterable[ColumnRule]) -> None:
        self.protocol = protocol
        self.rules: tuple[ColumnRule, ...] = tuple(rules)
        named = [rule.column for rule in self.rules]
        wrong = (set(columns) ^ set(named)) | {name for name in named if named.count(name) > 1}
        if wrong:
            raise TableError(f"{protocol}: missing, doubled or unknown column rules: {', '.join(sorted(wrong))}")


@dataclass(frozen=True, slots=True)
class WordRows:
    """What the words of a closed column become: each word and its canonical value, empty where there is none."""

    heading: str
    rows: Sequence[tuple[str, str]]


def page(title: str, columns: Sequence[ColumnTable], words: Sequence[WordRows], notes: str = "") -> str:
    """Writes the page as Markdown: the columns with their rules, then the words.

    Returns:
        The page, ending in one newline; the same for the same tables, so that a test can compare it with the file.
    """
    parts = [f"# {title}", "Generated from the tables in `mappings/`; change those, not this page.", notes.strip()]
    for each in columns:
        rules = [(docs.code(r.column), docs.code(r.field), r.rule or "as it is") for r in each.rules]
        parts += [f"## {each.protocol}", docs.table(("column", "canonical", "rule"), rules)]
    if words:
        parts.append("## Values")
        for word in words:
            rows = [(docs.code(text), docs.code(value)) for text, value in word.rows]
            parts += [f"### {word.heading}", docs.table(("word", "canonical"), rows)]
    return "\n\n".join(filter(None, parts)) + "\n"
