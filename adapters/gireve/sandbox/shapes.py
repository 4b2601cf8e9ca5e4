"""How the sandbox IOP says what an object of OCPI has to look like: rules for one value, and tables of them.

Written to the text of OCPI 2.2.1 alone, so that a misreading of the gateway's own models is seen here. Unknown fields
are passed over, as a receiver does.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from adapters.gireve.sandbox.checks import Wrong

Rule: TypeAlias = Callable[[Any, str], None]
"""Judges one value; raises `Wrong` with its path."""

_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z?")
_PRINTABLE = re.compile(r"[ -~]*")


def in_time(stamp: Any) -> str:
    """Writes a stamp so that texts compare as times do: as it comes, `00.5Z` would be before `00Z`.

    What is no stamp is written as it is.
    """
    return str(stamp).removesuffix("Z")


class Field(NamedTuple):
    """One field of an object.

    Attributes:
        rule: What its value must be.
        needed: Whether it must be there; null is as good as nothing.
    """

    rule: Rule
    needed: bool = True


Shape: TypeAlias = Mapping[str, Field]


def needs(rule: Rule) -> Field:
    """A field that must be there (cardinality 1 or +)."""
    return Field(rule)


def may(rule: Rule) -> Field:
    """A field that may be left out (cardinality ? or *)."""
    return Field(rule, needed=False)


def checked(wire: Any, shape: Shape, path: str = "") -> Mapping[str, Any]:
    """Judges an object by its shape, and gives it back.

    Raises:
        Wrong: A field is missing or is not what it must be.
    """
    if not isinstance(wire, Mapping):
        raise Wrong(f"{path or 'body'} is not an object")
    for name, field in shape.items():
        value = wire.get(name)
        if value is not None:
            field.rule(value, f"{path}{name}")
        elif field.needed:
            raise Wrong(f"Missing required field: {path}{name}")
    return wire


def text(longest: int) -> Rule:
    """OCPI's string."""

    def rule(value: Any, path: str) -> None:
        if not isinstance(value, str) or not value or len(value) > longest:
            raise Wrong(f"{path} is not a text of 1 to {longest} characters")

    return rule


def ci_string(longest: int) -> Rule:
    """OCPI's CiString: printable ASCII only."""

    def rule(value: Any, path: str) -> None:
        text(longest)(value, path)
        if not _PRINTABLE.fullmatch(value):
            raise Wrong(f"{path} is not printable ASCII")

    return rule


def exactly(length: int) -> Rule:
    """A text of one length, such as a country's code."""

    def rule(value: Any, path: str) -> None:
        if not isinstance(value, str) or len(value) != length:
            raise Wrong(f"{path} has not {length} characters")

    return rule


def stamp(value: Any, path: str) -> None:
    """OCPI's DateTime: UTC, with or without a `Z`, never with an offset."""
    if not isinstance(value, str) or not _STAMP.fullmatch(value):
        raise Wrong(f"{path} is not a time in UTC")


def number(least: float | None = None) -> Rule:
    """A JSON number, not a text that shows one."""

    def rule(value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Wrong(f"{path} is not a number")
        if least is not None and value < least:
            raise Wrong(f"{path} is less than {least:g}")

    return rule


def whole(least: int = 0) -> Rule:
    """A whole number."""

    def rule(value: Any, path: str) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise Wrong(f"{path} is not a whole number from {least}")

    return rule


def boolean(value: Any, path: str) -> None:
    """True or false."""
    if not isinstance(value, bool):
        raise Wrong(f"{path} is neither true nor false")


def one_of(*words: str) -> Rule:
    """A word of an enum."""

    def rule(value: Any, path: str) -> None:
        if value not in words:
            raise Wrong(f"{path} is none of {', '.join(words)}")

    return rule


def inner(shape: Shape) -> Rule:
    """An object."""

    def rule(value: Any, path: str) -> None:
        checked(value, shape, f"{path}.")

    return rule


def many(each: Rule, *, least: int = 0) -> Rule:
    """A list."""

    def rule(value: Any, path: str) -> None:
        if not isinstance(value, list) or len(value) < least:
            raise Wrong(f"{path} is not a list of at least {least}")
        for index, member in enumerate(value):
            each(member, f"{path}[{index}]")

    return rule
