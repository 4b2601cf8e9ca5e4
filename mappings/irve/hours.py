"""Reads the column `horaires`, opening hours in the manner of OpenStreetMap's `opening_hours`.

The schema's own example is `Mo-Fr 08:00-12:00,Mo-Fr 14:00-18:00,Th 08:00-18:00`. What is read: `24/7`; days as ranges
and lists, English or French; times with `:` or `h`; `,` adds to a day, `;` replaces the days it names, `off` closes
them; an end at or before its beginning is on the next day. Any other word makes the whole text unread.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from mappings.canonical.locations import Hours, RegularHours
from mappings.irve.values import fold
from mappings.report import IssueKind

_DAY_NAMES = (
    ("mo", "mon", "monday", "lu", "lun", "lundi"),
    ("tu", "tue", "tues", "tuesday", "ma", "mar", "mardi"),
    ("we", "wed", "wednesday", "me", "mer", "mercredi"),
    ("th", "thu", "thur", "thurs", "thursday", "je", "jeu", "jeudi"),
    ("fr", "fri", "friday", "ve", "ven", "vendredi"),
    ("sa", "sat", "saturday", "sam", "samedi"),
    ("su", "sun", "sunday", "di", "dim", "dimanche"),
)
_DAYS = {name: index for index, names in enumerate(_DAY_NAMES) for name in names}
_SCHEMA_DAYS = frozenset(names[0].capitalize() for names in _DAY_NAMES)
_ALWAYS = frozenset(
    {
        "24 24",
        "24h 24",
        "24 24 7 7",
        "24h 24 7j 7",
        "7j 7 24h 24",
        "7 7 24 24",
        "24h 24h",
        "24 7j",
        "24h 7j",
        "24 24 7j 7",
    }
)
_CLOSED = frozenset({"off", "closed", "ferme", "fermé"})
_TOKEN = re.compile(r"\s*(?:(?P<time>\d{1,2}[:hH]\d{2})|(?P<word>[A-Za-zÀ-ÿ]+)|(?P<mark>[-–;,]))", re.ASCII)
_MINUTES = 24 * 60
_Span = tuple[int, int]


class HoursRead(NamedTuple):
    """Opening hours, None where the text was not understood, and what was done about the text."""

    hours: Hours | None
    kind: IssueKind | None = None
    detail: str = ""


@lru_cache(maxsize=4096)
def opening_hours(text: str) -> HoursRead:
    """Reads opening hours; never raises."""
    if text == "24/7":
        return HoursRead(Hours(twentyfourseven=True))
    if fold(text) == "24 7" or fold(text) in _ALWAYS:
        return HoursRead(Hours(twentyfourseven=True), IssueKind.MENDED, "read as 24/7")
    try:
        reader = _Reader(text)
        week = reader.week()
    except ValueError as error:
        return HoursRead(None, IssueKind.UNKNOWN, f"opening hours not understood: {error}")
    regular = tuple(
        RegularHours(weekday=weekday + 1, begin=_clock(begin), end=_clock(end))
        for weekday, spans in enumerate(week)
        for begin, end in _joined(spans)
    )
    whole = all(_joined(spans) == [(0, _MINUTES)] for spans in week)
    hours = Hours(twentyfourseven=True) if whole else Hours(twentyfourseven=False, regular=regular)
    if reader.holidays:
        return HoursRead(hours, IssueKind.LEFT_OUT, "the rule for public holidays has no date")
    if reader.mended:
        return HoursRead(hours, IssueKind.MENDED, "words or times not written as the schema has them")
    return HoursRead(hours)


class _Reader:
    """Walks over the text once: days, then their times, then the next days."""

    def __init__(self, text: str) -> None:
        if len(text) > 2000:
            raise ValueError("too long")
        self.mended = False
        self.holidays = False
        self._tokens = list(self._scan(text.strip()))
        self._at = 0

    def _scan(self, text: str) -> list[tuple[str, str]]:
        tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise ValueError(f"at {text[at : at + 20]!r}")
            tokens.append((match.lastgroup or "", match[match.lastgroup or 0]))
            at = match.end()
        return tokens

    def _peek(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _mark(self, marks: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at][1] in marks:
            self._at += 1
            return True
        return False

    def week(self) -> list[list[_Span]]:
        week: list[list[_Span]] = [[] for _ in range(7)]
        replaces = False
        while self._peek():
            days = self._days()
            spans = self._spans()
            if replaces:
                for weekday in days:
                    week[weekday] = []
            for weekday in days:
                for begin, end in spans:
                    _add(week, weekday, begin, end)
            replaces = self._mark(";")
            if not replaces:
                self._mark(",")
        if not any(week):
            raise ValueError("no hours in it")
        return week

    def _days(self) -> list[int]:
        """Reads `Mo-Fr`, `Mo,We`, `PH`, or nothing, which means every day."""
        if self._peek() != "word":
            return list(range(7))
        days: list[int] = []
        while self._peek() == "word" and not self._closed():
            word = self._take()
            if word.casefold() in {"ph", "sh"}:
                self.holidays = True
            else:
                first = self._day(word)
                last = self._day(self._take()) if self._mark("-–") and self._peek() == "word" else first
                days += [weekday % 7 for weekday in range(first, last + 1 if last >= first else last + 8)]
            self._mark(",")
        return days

    def _closed(self) -> bool:
        return self._peek() == "word" and self._tokens[self._at][1].casefold() in _CLOSED

    def _day(self, word: str) -> int:
        if word not in _SCHEMA_DAYS:
            self.mended = True
        try:
            return _DAYS[fold(word)]
        except KeyError:
            raise ValueError(f"{word[:20]!r} is no day") from None

    def _spans(self) -> list[_Span]:
        if self._closed():
            self._at += 1
            return []
        spans: list[_Span] = []
        while self._peek() == "time":
            begin = self._time()
            if not self._mark("-–") or self._peek() != "time":
                raise ValueError("a time without its end")
            end = self._time()
            spans.append((begin, end if end > begin else end + _MINUTES))
            # A comma is followed by more times of these days, or by the next days.
            if self._at + 1 < len(self._tokens) and self._tokens[self._at][1] == ",":
                self._at += self._tokens[self._at + 1][0] == "time"
        if not spans:
            raise ValueError("days without hours")
        return spans

    def _time(self) -> int:
        hours, minutes = re.split(r"[:hH]", self._take())
        value = int(hours) * 60 + int(minutes)
        if int(minutes) > 59 or value > _MINUTES:
            raise ValueError(f"{hours}:{minutes} is no time of day")
        return value


def _add(week: list[list[_Span]], weekday: int, begin: int, end: int) -> None:
    if begin >= _MINUTES:
        begin, end, weekday = begin - _MINUTES, end - _MINUTES, (weekday + 1) % 7
    week[weekday].append((begin, min(end, _MINUTES)))
    if end > _MINUTES:
        week[(weekday + 1) % 7].append((0, end - _MINUTES))


def _joined(spans: list[_Span]) -> list[_Span]:
    """Sorts spans and joins those that touch or overlap."""
    joined: list[_Span] = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return joined


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
