"""Whether a hub has what it should: its memory equals the acknowledged projection, and that the wanted one.

A sandbox hub shows its memory; the comparison is the judge of the demo, the end-to-end tests and the benchmarks.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

from adapters.core.adapter import Item
from gateway.outbox.projecting import Link
from gateway.outbox.repository import Claimed, Outbox

_NAMED = 20
"""Keys that differ are named up to this number."""


@dataclass(slots=True)
class Equality:
    """One operation at one connection.

    Attributes:
        wanted: Things that the hub should have and can be told.
        acknowledged: Things that it acknowledged.
        remembered: Things that it says it has.
        unsent: Keys whose acknowledged content is not the wanted one.
        strayed: Keys whose content at the hub is not the acknowledged one.
    """

    operation: str
    wanted: int = 0
    acknowledged: int = 0
    remembered: int = 0
    unsent: list[str] = field(default_factory=list)
    strayed: list[str] = field(default_factory=list)
    differences: int = 0

    @property
    def equal(self) -> bool:
        """Whether all three are the same."""
        return self.differences == 0

    def note(self, keys: list[str], key: str) -> None:
        """Notes a difference."""
        self.differences += 1
        if len(keys) < _NAMED:
            keys.append(key)


async def compare(outbox: Outbox, link: Link, operation: str, memory: AsyncIterator[tuple[str, Any]]) -> Equality:
    """Compares what is wanted, what was acknowledged and what a hub remembers.

    Args:
        memory: The hub's records by wire key.
    """
    result = Equality(operation)
    acknowledged: dict[str, bytes] = {}
    place = (link.connection.id, operation, link.connection.scope)
    refers_to = link.adapter.profile.operations[operation].refers_to
    async for chunk in outbox.everything(*place, refers_to=refers_to):
        wanted = _render(link, operation, [claimed for claimed, refused in chunk if not refused])
        result.wanted += len(wanted)
        for claimed, refused in chunk:
            key, accepted = claimed.item.key, claimed.item.accepted or None
            if accepted is not None:
                acknowledged[key] = accepted
            if not refused and wanted.get(key) != accepted:
                result.note(result.unsent, key)
    result.acknowledged = len(acknowledged)
    async for key, record in memory:
        result.remembered += 1
        accepted = acknowledged.pop(key, None)
        if accepted is None or link.adapter.fingerprint(operation, key, record) != accepted:
            result.note(result.strayed, key)
    for key in acknowledged:
        result.note(result.strayed, key)
    return result


def _render(link: Link, operation: str, chunk: list[Claimed]) -> dict[str, bytes]:
    """Gives the fingerprints of the wanted content, as if the hub had nothing yet."""
    lanes: dict[str, list[Claimed]] = {}
    for claimed in chunk:
        if not claimed.item.gone:
            lanes.setdefault(claimed.item.lane, []).append(claimed)
    fingerprints: dict[str, bytes] = {}
    for lane in lanes.values():
        unknown = [_unsent(claimed) for claimed in lane]
        plan = link.adapter.plan(operation, unknown)
        for call in plan.calls:
            fingerprints |= {one.item.key: one.fingerprint for one in call.settles}
        fingerprints |= {one.item.key: one.fingerprint for one in plan.unchanged}
    # An empty one says that there should be nothing.
    return {key: fingerprint for key, fingerprint in fingerprints.items() if fingerprint}


def _unsent(claimed: Claimed) -> Item:
    return replace(claimed.item, accepted=None, sent_as=None, attempts=0)
