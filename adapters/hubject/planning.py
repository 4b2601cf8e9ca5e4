"""Turns claimed projections of any kind into pushes. Pure.

Hubject describes its actions at PushAuthenticationData and says that the pushes of EVSEs work alike: an insert is
refused whole if a record is there already, an update if one is not. So the action follows from whether the hub has
accepted the record before; where that is in doubt, `pushing.py` mends it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from adapters.core.adapter import Call, Item, Plan, Rendered
from adapters.core.digest import digest
from mappings.canonical.locations import EvseStatus
from mappings.oicp.v2_3.vocabulary import ActionType
from mappings.oicp.v2_3.wire import Record
from mappings.report import Issue, Refused


def size(call: Call) -> int:
    """Counts the records in a call."""
    return len(next(part for part in _parts(call) if isinstance(part, list)))


def with_action(call: Call, action: str) -> Record:
    """Gives the body of a call with another action."""
    return {**_body(call), "ActionType": action}


def _body(call: Call) -> Record:
    if not isinstance(call.body, dict):
        raise TypeError("a push of Hubject's is an object")
    return call.body


def _parts(call: Call) -> Iterator[object]:
    for value in _body(call).values():
        if isinstance(value, dict):
            yield from value.values()


class Written(NamedTuple):
    """An item with the record that the hub shall hold, or why there is none."""

    item: Item
    record: Record | Refused
    issues: Sequence[Issue]


class Kind(NamedTuple):
    """What differs between the operations.

    Attributes:
        most: Records in a push.
        write: Renders items, in any order.
        message: Makes the body of a push.
        name: Gives by what Hubject will know a record.
        tombstone: Makes the record that deletes what Hubject knows by a name.
        known_as: Gives the name under which Hubject has a gone item, or may have it; None if it surely has not.
    """

    operation: str
    path: str
    most: int
    write: Callable[[Sequence[Item]], Iterator[Written]]
    message: Callable[[ActionType, list[Record]], Record]
    name: Callable[[Record], str]
    tombstone: Callable[[str], Record]
    known_as: Callable[[Item], str | None]


def make_plan(kind: Kind, items: Sequence[Item], *, full_load: bool) -> Plan:
    """Makes the plan for `items`; see `adapters.core.adapter.Adapter.plan`.

    Deletes come first, then what is named anew (a delete and an insert), updates, and inserts. What is gone and
    what the hub may never have had is settled without a call.

    Args:
        full_load: One fullLoad carries everything that can be said, and settles the gone as well. What the hub has
            and that can no longer be said falls out of it. Where there is nothing to carry but what was refused, or
            nothing at all, there is no call, since it would take everything off.
    """
    plan = Plan()
    gone: list[Item] = []
    alive: list[Item] = []
    for item in items:
        (gone if item.gone or item.status is EvseStatus.REMOVED else alive).append(item)
    if full_load:
        _replace_all(plan, kind, gone, alive)
        return plan
    deletes: list[tuple[Record, Rendered]] = []
    for item in gone:
        if (known_as := kind.known_as(item)) is None:
            plan.unchanged.append(Rendered(item, b"", None))
        else:
            deletes.append((kind.tombstone(known_as), Rendered(item, b"", None)))
    renamed: list[tuple[Record, Rendered]] = []
    updates: list[tuple[Record, Rendered]] = []
    inserts: list[tuple[Record, Rendered]] = []
    for record, rendered in _rendered(plan, kind, kind.write(alive)):
        item = rendered.item
        if item.sent_as is None:
            inserts.append((record, rendered))
        elif item.sent_as != rendered.sent_as:
            renamed.append((record, rendered))
        elif item.accepted == rendered.fingerprint:
            plan.unchanged.append(rendered)
        else:
            updates.append((record, rendered))
    plan.calls.extend(_calls(kind, ActionType.DELETE, deletes))
    for batch in _batches(renamed, kind.most):
        stale = [kind.tombstone(rendered.item.sent_as) for _, rendered in batch if rendered.item.sent_as is not None]
        plan.calls.append(_call(kind, ActionType.DELETE, stale, ()))
        plan.calls.extend(_calls(kind, ActionType.INSERT, batch))
    plan.calls.extend(_calls(kind, ActionType.UPDATE, updates))
    plan.calls.extend(_calls(kind, ActionType.INSERT, inserts))
    return plan


def _replace_all(plan: Plan, kind: Kind, gone: Sequence[Item], alive: Sequence[Item]) -> None:
    said = list(_rendered(plan, kind, kind.write(alive)))
    if said or (gone and not plan.refused):
        settled = [rendered for _, rendered in said] + [Rendered(item, b"", None) for item in gone]
        records = [record for record, _ in said]
        plan.calls.append(_call(kind, ActionType.FULL_LOAD, records, settled))


def _rendered(plan: Plan, kind: Kind, written: Iterable[Written]) -> Iterator[tuple[Record, Rendered]]:
    """Puts the refused where they belong and gives the others with what the hub will hold of them."""
    for item, record, issues in written:
        if isinstance(record, Refused):
            plan.refused.append((item, record))
        else:
            yield record, Rendered(item, digest(record), kind.name(record), tuple(issues))


def _calls(kind: Kind, action: ActionType, pairs: Sequence[tuple[Record, Rendered]]) -> Iterator[Call]:
    for batch in _batches(pairs, kind.most):
        yield _call(kind, action, [record for record, _ in batch], [rendered for _, rendered in batch])


def _batches(pairs: Sequence[tuple[Record, Rendered]], most: int) -> Iterator[Sequence[tuple[Record, Rendered]]]:
    return (pairs[start : start + most] for start in range(0, len(pairs), most))


def _call(kind: Kind, action: ActionType, records: list[Record], settles: Iterable[Rendered]) -> Call:
    body = kind.message(action, records)
    return Call(kind.operation, action.value, kind.path, body, tuple(settles))
