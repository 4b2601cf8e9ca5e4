"""What the pages of a pull named, and whether that can be all there is.

Lists are read page by page while they change. A record slips from one page to the one that was read already whenever
one that stood before it is taken out or moved; it is then named by no page, though it is there. So nothing follows from
a pull's end unless the names that were read add up.
"""

from array import array
from collections.abc import Set
from typing import Final

from adapters.core.outcomes import OutcomeUnknown
from adapters.core.roaming import PulledPage, PullFailed

_LEAST: Final = 2
"""Records of a page that may not say the same as the page before: a single one may have slipped back."""

Print = tuple[tuple[str, int | None, int, int], ...]
"""What a pull named and what that said, by list; equal where two pulls of one process read the same."""


class Seen:
    """Names on the pages of one pull. A hub's list may be given in several parts (`PulledPage.part`)."""

    def __init__(self) -> None:
        self._parts: dict[str, _Part] = {}
        self.pages = 0

    def add(self, page: PulledPage) -> None:
        """Notes a page.

        Raises:
            PullFailed: It names what the page before named: the hub heeds no cursor, and its pages would never end.
        """
        self.pages += 1
        self._parts.setdefault(page.part, _Part()).add(page)

    def adds_up(self, *, full: bool, tells_gone: bool, gone: Set[int]) -> bool:
        """Tells whether nothing can have been overlooked; work for a thread where much was named.

        Args:
            full: Everything was asked for; else what changed, from which nothing is ever taken out.
            tells_gone: Whatever was taken out since the pull began is in `gone`; so what else was named is there.
            gone: Hashes of keys.
        """
        return all(part.adds_up(full=full, tells_gone=tells_gone, gone=gone) for part in self._parts.values())

    def print(self) -> Print | None:
        """Gives what was read, in short; work for a thread. None where the hub's own count did not stand still.

        Whatever made a record slip was read before, and was changed or taken out after that. So two pulls that read the
        same overlooked nothing, whatever the hub says of how many there are.
        """
        if not all(part.stood for part in self._parts.values()):
            return None
        return tuple((name, part.last, *part.named()) for name, part in sorted(self._parts.items()))

    @property
    def nothing(self) -> bool:
        """No page named anything."""
        return not any(part.keys or part.unreadable for part in self._parts.values())


class _Part:
    def __init__(self) -> None:
        self.keys = array("q")
        self._contents = array("q")
        self.unreadable = 0
        self.last: int | None = None
        self._pages = 0
        self._totals = set[int | None]()
        self._fell = False
        self._page: list[int] = []

    def add(self, page: PulledPage) -> None:
        keys = [hash(record.key) for record in page.records]
        if len(keys) >= _LEAST and keys == self._page:
            raise PullFailed(OutcomeUnknown("the hub gives the same page again and again"))
        self._page = keys
        self.keys.extend(keys)
        self._contents.extend(hash((record.key, record.digest)) for record in page.records)
        self.unreadable += len(page.unreadable)
        self._fell |= self.last is not None and page.total is not None and page.total < self.last
        self._totals.add(page.total)
        self.last = page.total
        self._pages += 1

    def adds_up(self, *, full: bool, tells_gone: bool, gone: Set[int]) -> bool:
        if self._pages == 1 and (not full or self.last is None):
            return True  # there is no other page from which anything could have slipped
        if None in self._totals or self.last is None or self._fell:
            return False
        # What was put in and taken out between two pages leaves the total as it was: only who tells what was taken out
        # may let it rise.
        if full and not tells_gone and not self.stood:
            return False
        different = set(self.keys)
        different.difference_update(gone)
        return len(different) + self.unreadable >= self.last

    @property
    def stood(self) -> bool:
        """Every page said the same of how many there are."""
        return len(self._totals) == 1

    def named(self) -> tuple[int, int]:
        """Gives how many records there were, and what they said as a number."""
        mixed = 0
        for content in set(self._contents):
            mixed ^= content
        return len(set(self.keys)) + self.unreadable, mixed
