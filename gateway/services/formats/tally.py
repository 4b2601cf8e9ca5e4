"""What an import counts."""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final, TypeVar

from gateway.services.ports import ImportRefusal, ImportReport, IssueCount, RefusalReason
from mappings.report import Issue, IssueKind

SHOWN: Final = 200
"""Refusals that are listed one by one."""

_MOST_KINDS: Final = 2_000
"""Reasons and fields counted apart; names of unknown fields are whatever a file holds."""
_LISTED: Final = 500

_INDEX: Final = re.compile(r"\[\d+\]")
# A row's number in its file says nothing of the field.
_ROW: Final = re.compile(r"^(?:rows|records)\[\d+\]\.")

K = TypeVar("K")

Count = Callable[[str, Issue, int], None]
"""Counts an issue of a protocol so many times."""


@lru_cache(maxsize=16384)
def _field(path: str) -> str:
    return _INDEX.sub("[]", _ROW.sub("", path))


class Tally:
    """Counts of one import.

    Args:
        count: Takes the issues for the metrics.
    """

    def __init__(self, count: Count) -> None:
        self._count = count
        self.read = 0
        self.locations = 0
        self.evses = 0
        self.tariffs = 0
        self.statuses = 0
        self.skipped = 0
        self.refused = 0
        self.outcomes: Counter[str] = Counter()
        self._refusals: list[ImportRefusal] = []
        self._reasons: Counter[tuple[str, str]] = Counter()
        self._issues: Counter[tuple[str, IssueKind]] = Counter()
        self._unsaid: Counter[tuple[str, str, IssueKind]] = Counter()

    def note(self, protocol: str, issues: Iterable[Issue]) -> None:
        """Counts what a translation lost."""
        for issue in issues:
            field = _field(issue.field)
            self._issues[_bounded(self._issues, (field, issue.kind), ("(others)", issue.kind))] += 1
            self._unsaid[protocol, field, issue.kind] += 1

    def refuse(self, line: int, field: str, detail: str, count: int = 1) -> None:
        """Counts records that were refused."""
        self.refused += count
        if len(self._refusals) < SHOWN:
            self._refusals.append(ImportRefusal(line, field, detail))
        self._reasons[_bounded(self._reasons, (_field(field), detail), ("", "(other reasons)"))] += count

    def refuse_all(self, protocol: str, line: int, issues: list[Issue]) -> None:
        """Counts one record that its translation refused; the last issue is the reason."""
        reason = issues[-1]
        self.refuse(line, _ROW.sub("", reason.field), reason.detail)
        self.note(protocol, issues)

    def say(self) -> None:
        """Hands on to the metrics what was counted since the last time."""
        unsaid, self._unsaid = self._unsaid, Counter()
        for (protocol, field, kind), count in unsaid.items():
            self._count(protocol, Issue(kind, field, ""), count)

    def report(self, form: str, seconds: float) -> ImportReport:
        """Gives what came of the import so far."""
        return ImportReport(
            format=form,
            read=self.read,
            locations=self.locations,
            evses=self.evses,
            tariffs=self.tariffs,
            statuses=self.statuses,
            created=self.outcomes["created"],
            updated=self.outcomes["updated"],
            unchanged=self.outcomes["unchanged"],
            refused=self.refused,
            refusals=tuple(self._refusals),
            issues=[
                IssueCount("", field, kind, count)
                for (field, kind), count in self._issues.most_common(_LISTED)
                if kind is not IssueKind.REFUSED
            ],
            seconds=round(seconds, 3),
            skipped=self.skipped,
            reasons=[
                RefusalReason(field, detail, count) for (field, detail), count in self._reasons.most_common(_LISTED)
            ],
        )


def _bounded(counter: Counter[K], key: K, other: K) -> K:
    return key if key in counter or len(counter) < _MOST_KINDS else other
