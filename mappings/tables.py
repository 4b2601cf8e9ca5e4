"""Tables that say how values and fields of two vocabularies correspond, total when they are built.

A table that misses a member fails the import of its module, not a charging session. The pages in `docs/mappings/` are
generated from these tables.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

from pydantic import BaseModel

C = TypeVar("C", bound=StrEnum)
W = TypeVar("W", bound=StrEnum)


class UnmappedValue(ValueError):
    """The peer sent a text that its own vocabulary does not have.

    Attributes:
        text: What the peer sent.
    """

    def __init__(self, vocabulary: str, text: str) -> None:
        self.text = text
        super().__init__(f"{text!r} is not a {vocabulary}")


class NotRepresentable(ValueError):
    """The target vocabulary has no word for a canonical value."""


class TableError(TypeError):
    """A table is not total, or a row that claims to be exact is not; raised when the module is imported."""


@dataclass(frozen=True, slots=True)
class Lossy(Generic[W]):
    """A row that says less than its source: the wire value, and what is lost."""

    value: W
    lost: str


@dataclass(frozen=True, slots=True)
class NotSaid:
    """A row for a value that the other side has no word for, and why."""

    why: str


class Row(NamedTuple):
    """One line of a table, for the generated page and the tests."""

    canonical: str
    wire: str
    lost: str


class EnumTable(Generic[C, W]):
    """The correspondence of two enums, total in both directions.

    Args:
        canonical: The canonical enum; each member needs a row in `to_wire`.
        wire: The protocol's enum; each member needs a row in `from_wire`.
        to_wire: Canonical member to wire member, or `Lossy`, or `NotSaid`.
        from_wire: Wire member to canonical member, or `NotSaid`. Rows that are the plain inverse of an exact row of
            `to_wire` may be left out.

    Raises:
        TableError: A member has no row, or an exact row does not come back as itself.
    """

    def __init__(
        self,
        canonical: type[C],
        wire: type[W],
        to_wire: Mapping[C, W | Lossy[W] | NotSaid],
        from_wire: Mapping[W, C | NotSaid] | None = None,
    ) -> None:
        self.canonical = canonical
        self.wire = wire
        self._to: dict[C, W] = {}
        self._lost: dict[C, str] = {}
        self._not_said: dict[C, str] = {}
        for member, row in to_wire.items():
            if isinstance(row, Lossy):
                self._to[member], self._lost[member] = row.value, row.lost
            elif isinstance(row, NotSaid):
                self._not_said[member] = row.why
            else:
                self._to[member] = row
        exact = {w: c for c, w in self._to.items() if c not in self._lost}
        self._from: dict[W, C] = dict(exact)
        self._not_read: dict[W, str] = {}
        for wire_member, read in (from_wire or {}).items():
            if isinstance(read, NotSaid):
                self._not_read[wire_member] = read.why
            else:
                self._from[wire_member] = read
        self._by_text: dict[str, C] = {str(w.value): c for w, c in self._from.items()}
        self._folded: dict[str, C] = {text.casefold(): c for text, c in self._by_text.items()}
        self._check()

    def _check(self) -> None:
        name = f"{self.canonical.__name__} ↔ {self.wire.__name__}"
        missing: list[StrEnum] = [c for c in self.canonical if c not in self._to and c not in self._not_said]
        missing += [w for w in self.wire if w not in self._from and w not in self._not_read]
        if missing:
            raise TableError(f"{name} has no row for {', '.join(map(str, missing))}")
        for member, value in self._to.items():
            if member not in self._lost and self._from.get(value) is not member:
                raise TableError(f"{name}: {member} claims to be exact but comes back as {self._from.get(value)}")

    def from_canonical(self, member: C) -> W:
        """Gives the wire value.

        Raises:
            NotRepresentable: The wire has no word for it.
        """
        try:
            return self._to[member]
        except KeyError:
            raise NotRepresentable(f"{member} cannot be said: {self._not_said[member]}") from None

    def lost(self, member: C) -> str | None:
        """Says what is lost when this member is sent, None where the row is exact."""
        return self._lost.get(member)

    def to_canonical(self, text: str) -> C:
        """Gives the canonical value of a wire text, exact in spelling.

        Raises:
            UnmappedValue: The text is not in the vocabulary as spelt.
            NotRepresentable: It is, but the canonical model has no word for it.
        """
        try:
            return self._by_text[text]
        except KeyError:
            for wire_member, why in self._not_read.items():
                if wire_member.value == text:
                    raise NotRepresentable(f"{text!r} has no canonical word: {why}") from None
            raise UnmappedValue(self.wire.__name__, text) from None

    def find(self, text: str) -> C | None:
        """Gives the canonical value of a wire text, exact in spelling; else None."""
        return self._by_text.get(text)

    def mend(self, text: str) -> C | None:
        """Gives the canonical value of a text that is right but for its case and surrounding space; else None."""
        return self._folded.get(text.strip().casefold())

    def rows(self) -> Iterator[Row]:
        """Yields each canonical member with its wire value and what is lost."""
        for member in self.canonical:
            if member in self._not_said:
                yield Row(member.value, "—", self._not_said[member])
            else:
                yield Row(member.value, self._to[member].value, self._lost.get(member, ""))


@dataclass(frozen=True, slots=True)
class FieldRule:
    """How one canonical field stands in a protocol.

    Attributes:
        field: Canonical field, `Location.name`.
        wire: The wire field or fields, `ChargingStationNames`; empty where there is none.
        rule: How it is translated, one sentence; empty for a plain copy.
        lost: What is lost on the way out; empty if nothing.
    """

    field: str
    wire: str
    rule: str = ""
    lost: str = ""


class FieldTable:
    """The rules of every field of some canonical models, total when built.

    Args:
        protocol: Name for the page's title.
        models: The canonical models covered; each of their fields needs exactly one rule.
        rules: The rules.

    Raises:
        TableError: A field has no rule, two rules, or does not exist.
    """

    def __init__(self, protocol: str, models: Iterable[type[BaseModel]], rules: Iterable[FieldRule]) -> None:
        self.protocol = protocol
        self.rules: tuple[FieldRule, ...] = tuple(rules)
        wanted = [f"{model.__name__}.{name}" for model in models for name in model.model_fields]
        named = [rule.field for rule in self.rules]
        wrong = (set(wanted) ^ set(named)) | {name for name in named if named.count(name) > 1}
        if wrong:
            raise TableError(f"{protocol}: missing, doubled or unknown field rules: {', '.join(sorted(wrong))}")

    def lossy_fields(self) -> frozenset[str]:
        """Names the canonical fields that do not survive a trip through the protocol unchanged."""
        return frozenset(rule.field for rule in self.rules if rule.lost)
