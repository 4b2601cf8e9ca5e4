from enum import StrEnum

import pytest
from pydantic import BaseModel

from mappings.columns import ColumnRule, ColumnTable, WordRows, page
from mappings.tables import (
    EnumTable,
    FieldRule,
    FieldTable,
    Lossy,
    NotRepresentable,
    NotSaid,
    TableError,
    UnmappedValue,
)


class State(StrEnum):
    FREE = "FREE"
    BUSY = "BUSY"
    BLOCKED = "BLOCKED"
    PLANNED = "PLANNED"


class Wire(StrEnum):
    AVAILABLE = "Available"
    OCCUPIED = "Occupied"
    TAKEN = "Taken"


TO_WIRE: dict[State, Wire | Lossy[Wire] | NotSaid] = {
    State.FREE: Wire.AVAILABLE,
    State.BUSY: Wire.OCCUPIED,
    State.BLOCKED: Lossy(Wire.OCCUPIED, "a parked car looks like a charging one"),
    State.PLANNED: NotSaid("nothing is planned there"),
}
TABLE = EnumTable(State, Wire, TO_WIRE, {Wire.TAKEN: State.BUSY})


class Thing(BaseModel):
    name: str
    size: int


def test_an_exact_row_comes_back_as_itself() -> None:
    assert TABLE.from_canonical(State.FREE) is Wire.AVAILABLE
    assert TABLE.to_canonical("Available") is State.FREE
    assert TABLE.lost(State.FREE) is None


def test_a_lossy_row_says_what_is_lost() -> None:
    assert TABLE.from_canonical(State.BLOCKED) is Wire.OCCUPIED
    assert TABLE.to_canonical("Occupied") is State.BUSY
    assert TABLE.lost(State.BLOCKED) == "a parked car looks like a charging one"


def test_what_the_wire_has_no_word_for_cannot_be_said() -> None:
    with pytest.raises(NotRepresentable, match="nothing is planned there"):
        TABLE.from_canonical(State.PLANNED)


@pytest.mark.parametrize("text", ["available", "Available ", "Free", ""])
def test_a_text_outside_the_vocabulary_is_named(text: str) -> None:
    with pytest.raises(UnmappedValue) as caught:
        TABLE.to_canonical(text)
    assert caught.value.text == text


def test_only_case_and_surrounding_space_are_mended() -> None:
    assert TABLE.mend(" aVAILABLE ") is State.FREE
    assert TABLE.mend("Avail able") is None


def test_the_rows_list_every_canonical_member_with_its_loss() -> None:
    assert [tuple(row) for row in TABLE.rows()] == [
        ("FREE", "Available", ""),
        ("BUSY", "Occupied", ""),
        ("BLOCKED", "Occupied", "a parked car looks like a charging one"),
        ("PLANNED", "—", "nothing is planned there"),
    ]


def test_a_canonical_member_without_a_row_fails_when_the_table_is_built() -> None:
    rows = {member: row for member, row in TO_WIRE.items() if member is not State.PLANNED}
    with pytest.raises(TableError, match="PLANNED"):
        EnumTable(State, Wire, rows, {Wire.TAKEN: State.BUSY})


def test_a_wire_member_without_a_row_fails_when_the_table_is_built() -> None:
    with pytest.raises(TableError, match="Taken"):
        EnumTable(State, Wire, TO_WIRE)


def test_a_row_that_claims_to_be_exact_but_does_not_come_back_fails_when_the_table_is_built() -> None:
    with pytest.raises(TableError, match="claims to be exact"):
        EnumTable(State, Wire, {**TO_WIRE, State.BLOCKED: Wire.OCCUPIED}, {Wire.TAKEN: State.BUSY})
    with pytest.raises(TableError, match="claims to be exact"):
        EnumTable(State, Wire, TO_WIRE, {Wire.TAKEN: State.BUSY, Wire.AVAILABLE: State.BUSY})


@pytest.mark.parametrize(
    "names", [["Thing.name"], ["Thing.name", "Thing.size", "Thing.size"], ["Thing.name", "Thing.size", "Thing.colour"]]
)
def test_a_field_without_rule_with_two_or_that_is_none_fails_when_the_table_is_built(names: list[str]) -> None:
    with pytest.raises(TableError, match="missing, doubled or unknown"):
        FieldTable("things", [Thing], [FieldRule(name, "") for name in names])


def test_a_field_table_names_the_fields_that_do_not_survive() -> None:
    rules = [FieldRule("Thing.name", "title"), FieldRule("Thing.size", "", "", "the wire has no size")]
    assert FieldTable("things", [Thing], rules).lossy_fields() == {"Thing.size"}


@pytest.mark.parametrize("names", [["a"], ["a", "b", "b"], ["a", "b", "c"]])
def test_a_column_without_rule_with_two_or_that_is_none_fails_when_the_table_is_built(names: list[str]) -> None:
    with pytest.raises(TableError, match="missing, doubled or unknown"):
        ColumnTable("rows", ["a", "b"], [ColumnRule(name, "") for name in names])


def test_a_page_of_columns_shows_every_rule_and_word() -> None:
    table = ColumnTable("Rows", ["a", "b"], [ColumnRule("a", "Thing.name"), ColumnRule("b", "", "x | y")])
    text = page("Things", [table], [WordRows("b → size", [("gros", "BIG"), ("nul", "")])], "A note.")
    assert "| `a` | `Thing.name` | as it is |" in text
    assert "| `b` | — | x \\| y |" in text
    assert "| `gros` | `BIG` |\n| `nul` | — |" in text
    assert text.startswith("# Things\n\n")
    assert "\n\nA note.\n\n" in text
    assert text.endswith("|\n")


def test_a_wire_word_that_the_canonical_side_lacks_is_known_but_not_read() -> None:
    table = EnumTable(State, Wire, TO_WIRE, {Wire.TAKEN: NotSaid("says nothing of why")})
    with pytest.raises(NotRepresentable, match="says nothing of why"):
        table.to_canonical("Taken")
    assert table.find("Taken") is None
    assert table.find("Available") is State.FREE
