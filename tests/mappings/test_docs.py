from enum import StrEnum

from pydantic import BaseModel

from mappings.docs import page
from mappings.tables import EnumTable, FieldRule, FieldTable, Lossy, NotSaid


class Thing(BaseModel):
    name: str
    colour: str


class Colour(StrEnum):
    RED = "red"
    PINK = "pink"
    PLAID = "plaid"


class WireColour(StrEnum):
    RED = "RED"
    CRIMSON = "CRIMSON"


FIELDS = FieldTable(
    "Things",
    (Thing,),
    (FieldRule("Thing.name", "title"), FieldRule("Thing.colour", "", "a | b", "the wire is colour-blind")),
)
COLOURS = EnumTable(
    Colour,
    WireColour,
    {
        Colour.RED: WireColour.RED,
        Colour.PINK: Lossy(WireColour.RED, "the white in it"),
        Colour.PLAID: NotSaid("no word"),
    },
    {WireColour.CRIMSON: Colour.RED},
)


def test_a_page_says_every_field_value_and_loss() -> None:
    text = page("Toy", [FIELDS], [("Colour", COLOURS)], notes="A note.")
    assert text.startswith("# Toy\n\n")
    assert "A note." in text
    assert "| `name` | `title` | as it is |  |" in text
    assert "| `colour` | — | a \\| b | the wire is colour-blind |" in text
    assert "| `pink` | `RED` | the white in it |" in text
    assert "| `plaid` | — | no word |" in text
    assert "| `CRIMSON` | `red` |" in text
    assert "| Colour `pink` | the white in it |" in text
    assert text.endswith("|\n")


def test_a_page_is_the_same_each_time() -> None:
    assert page("Toy", [FIELDS], [("Colour", COLOURS)]) == page("Toy", [FIELDS], [("Colour", COLOURS)])


def test_a_protocol_that_loses_nothing_says_so() -> None:
    plain = FieldTable("Things", (Thing,), (FieldRule("Thing.name", "title"), FieldRule("Thing.colour", "colour")))
    assert page("Toy", [plain], []).endswith("Nothing.\n")
