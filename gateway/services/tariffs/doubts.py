"""What is to be doubted of a tariff that is written: it is stored as it is, and whoever wrote it is told."""

import asyncio
from collections.abc import Sequence
from typing import Final

from gateway.pricing.defects import find
from gateway.pricing.notes import NoteKind
from mappings.canonical.tariffs import Tariff
from mappings.report import Issue, IssueKind

_MANY: Final = 50
"""Elements of a tariff that is looked at beside the event loop."""

_MEANT: Final = frozenset({NoteKind.OVERLAP})
"""What is a way to write a tariff: the earlier element counts."""


async def with_doubts(tariff: Tariff, issues: Sequence[Issue]) -> Sequence[Issue]:
    """Adds to the issues of a tariff what is wrong with it in itself, unless the field has an issue already."""
    notes = find(tariff) if len(tariff.elements) <= _MANY else await asyncio.to_thread(find, tariff)
    noted = {issue.field for issue in issues}
    doubts = [
        Issue(IssueKind.SUSPECT, note.field, note.detail)
        for note in notes
        if note.kind not in _MEANT and note.field not in noted
    ]
    return [*issues, *doubts] if doubts else issues
