"""Reads single values of the French files: booleans, numbers, dates, moments, phone numbers, words.

Each reader raises `ValueError` where a text has no one right reading, and nothing else.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from mappings.canonical import phones
from mappings.tables import TableError

W = TypeVar("W", bound=StrEnum)
T = TypeVar("T")

_FLAGS = {
    **dict.fromkeys(("true", "1", "1.0", "vrai", "oui", "yes", "t", "o", "y"), True),
    **dict.fromkeys(("false", "0", "0.0", "faux", "non", "no", "f", "n"), False),
}
_NUMBER = re.compile(r"[-+]?\d{1,15}(?:[.,]\d{0,40})?(?:[eE][-+]?\d{1,2})?", re.ASCII)
_ISO_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ].{0,30})?", re.ASCII)
_FRENCH_DATE = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?:[T ](.{0,30}))?", re.ASCII)

_TRUNK_OVERSEAS = {
    **dict.fromkeys(("0590", "0690", "0691"), "+590"),
    **dict.fromkeys(("0594", "0694"), "+594"),
    **dict.fromkeys(("0596", "0696", "0697"), "+596"),
    **dict.fromkeys(("0262", "0263", "0692", "0693", "0269", "0639"), "+262"),
}
"""Country codes of the overseas departments by the first four digits of a national number (numbering plan, ARCEP)."""


class Read(NamedTuple, Generic[T]):
    """A value, and how the text had to be mended to read it; None where it was right."""

    value: T
    mended: str | None = None


@lru_cache(maxsize=8192)
def fold(text: str) -> str:
    """Gives a text without accents, case and punctuation, single spaces: `Hors-Service` is `hors service`."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(re.split(r"[^a-z0-9]+", bare.casefold())).strip()


class WordTable(Generic[W, T]):
    """What each word of a closed column means, total when built; in only.

    Args:
        wire: The column's words.
        rows: The meaning of each word; None where the canonical vocabulary has none.

    Raises:
        TableError: A word has no row.
    """

    def __init__(self, wire: type[W], rows: Mapping[W, T]) -> None:
        missing = [word for word in wire if word not in rows]
        if missing:
            raise TableError(f"{wire.__name__} has no row for {', '.join(missing)}")
        self.wire = wire
        self.rows = dict(rows)
        self._words = Words(wire)

    def read(self, text: str) -> Read[T]:
        """Gives the meaning of a text, mended where only case, accents or punctuation differ.

        Raises:
            ValueError: The text is not a word of the column.
        """
        word = self._words.read(text)
        return Read(self.rows[word.value], word.mended)


class Words(Generic[W]):
    """The words of a closed column, found whatever their case, accents and punctuation."""

    def __init__(self, wire: type[W]) -> None:
        self._exact = {word.value: Read(word) for word in wire}
        self._folded = {fold(word.value): word for word in wire}

    def read(self, text: str) -> Read[W]:
        """Gives the word.

        Raises:
            ValueError: There is none.
        """
        if exact := self._exact.get(text):
            return exact
        word = self._folded.get(fold(text))
        if word is None:
            raise ValueError(f"{text[:100]!r} is not a word of this column")
        return Read(word, f"read as {word.value}")


def flag(text: str) -> bool:
    """Reads a boolean in the spellings that exports use (`True`, `1`, `VRAI`, `non`)."""
    try:
        return _FLAGS[text.casefold()]
    except KeyError:
        raise ValueError("not true or false") from None


def number(text: str) -> Decimal:
    """Reads a number with a point or a comma; spaces may group digits."""
    bare = re.sub(r"\s+", "", text)
    if not _NUMBER.fullmatch(bare):
        raise ValueError("not a number")
    return Decimal(bare.replace(",", "."))


def day(text: str) -> Read[date]:
    """Reads a date: `YYYY-MM-DD`, a time after it ignored, or day first with `/` or `.`, as French exports write it."""
    if match := _ISO_DATE.fullmatch(text):
        return Read(date(int(match[1]), int(match[2]), int(match[3])))
    if match := _FRENCH_DATE.fullmatch(text):
        return Read(date(int(match[3]), int(match[2]), int(match[1])), "read day first")
    raise ValueError("not a date")


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """Gives the zone of an IANA name."""
    return ZoneInfo(name)


def midnight(when: date, time_zone: str) -> datetime:
    """Gives the start of a local day, in UTC; raises ValueError at the ends of the calendar."""
    try:
        return datetime.combine(when, time(), zone(time_zone)).astimezone(UTC)
    except OverflowError:
        raise ValueError("not a date of this age") from None


def moment(text: str, time_zone: str) -> Read[datetime]:
    """Reads a moment in ISO 8601 (`T` or a space, any fraction, `Z` or an offset), or day first, and gives it in UTC.

    A text without an offset is local time of `time_zone`, an IANA name. In the hour that a change to winter time
    repeats, the first pass is taken, and said.
    """
    mended = None
    if match := _FRENCH_DATE.fullmatch(text):
        text = f"{match[3]}-{match[2]:0>2}-{match[1]:0>2}" + (f"T{match[4]}" if match[4] else "")
        mended = "read day first"
    if ":" not in text:
        raise ValueError("not a date with a time")
    try:
        value = datetime.fromisoformat(text)
        if value.tzinfo is None:
            value = value.replace(tzinfo=zone(time_zone))
            if value.utcoffset() != value.replace(fold=1).utcoffset() and mended is None:
                mended = "no offset, in an hour that the change of season repeats or skips: the earlier offset is taken"
        return Read(value.astimezone(UTC), mended)
    except (ValueError, OverflowError):
        raise ValueError("not a moment in ISO 8601") from None


def phone(text: str) -> Read[str]:
    """Reads a phone number as E.164: `tel:+33-1-76-31-06-84`, `00 33 1 …`, `01 76 31 06 84` (French where national)."""
    bare, mended = phones.bare(text), None
    if bare.startswith("00"):
        bare, mended = phones.international(bare), "international prefix 00"
    elif re.fullmatch(r"0[1-9][0-9]{8}", bare):
        bare, mended = _TRUNK_OVERSEAS.get(bare[:4], "+33") + bare[1:], "national number"
    elif re.fullmatch(r"33[1-9][0-9]{8}", bare):
        bare, mended = "+" + bare, "no + before the country code"
    if re.fullmatch(r"\+330[1-9][0-9]{8}", bare):
        bare, mended = "+33" + bare[4:], "trunk 0 after the country code"
    if not re.fullmatch(r"\+[1-9][0-9]{7,14}", bare) or (bare.startswith("+33") and len(bare) != 12):
        raise ValueError("not a phone number of E.164")
    return Read(bare, mended)
