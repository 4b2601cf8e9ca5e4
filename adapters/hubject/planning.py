"""Turns claimed projections of any kind into pushes. Pure.

Hubject describes its actions at PushAuthenticationData and says that the pushes of EVSEs work alike: an insert is
refused whole if a record is there already, an update if one is not. So the action follows from whether the hub has
accepted the record before; where that is in doubt, `pushing.py` mends it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeAlias

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


def singles(call: Call) -> Iterator[Call]:
    """Gives a call for each of the records in a call whose body is but its action and its records."""
    for name, value in _body(call).items():
        if isinstance(value, list):
            for record in value:
                yield replace(call, body={**_body(call), name: [record]})


def _parts(call: Call) -> Iterator[object]:
    for value in _body(call).values():
        if isinstance(value, dict):
            yield from value.values()
        else:
            yield value


class Written(NamedTuple):
    """An item with the record that the hub shall hold, or why there is none."""

    item: Item
    record: Record | Refused
    issues: Sequence[Issue]


class Turn(NamedTuple):
    """What turns what Hubject has of an item into what it shall have, where that goes by another name."""

    deleted: Sequence[Record]
    updated: Sequence[Record]
    inserted: Sequence[Record]


def _all_alike(_: Record) -> str:
    return ""


class Kind(NamedTuple):
    """What differs between the operations. A record is what an item says; a message may make several of one.

    Attributes:
        most: Items in a push.
        write: Renders items, in any order.
        message: Makes the body of a push.
        name: Gives by what Hubject will know a record.
        tombstone: Makes the record that deletes what Hubject knows by a name.
        known_as: Gives the name under which Hubject has a gone item, or may have it; None if it surely has not.
        common: Gives what all records of one push have in common.
        turn: Makes a record of what Hubject has by a name; None where that is deleted, and the record inserted.
        withdrawn: What can no longer be said is deleted, not left as it was said before.
    """

    operation: str
    path: str
    most: int
    write: Callable[[Sequence[Item]], Iterator[Written]]
    message: Callable[[ActionType, list[Record]], Record]
    name: Callable[[Record], str]
    tombstone: Callable[[str], Record]
    known_as: Callable[[Item], str | None]
    common: Callable[[Record], str] = _all_alike
    turn: Callable[[str, Record], Turn] | None = None
    withdrawn: bool = False


_Pair: TypeAlias = tuple[Record, Rendered]


def make_plan(kind: Kind, items: Sequence[Item], *, full_load: bool) -> Plan:
    """Makes the plan for `items`; see `adapters.core.adapter.Adapter.plan`.

    Deletes come first, then what is named anew (`Turn`), updates, and inserts. What is gone and what the hub may never
    have had is settled without a call.

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
    renamed: list[_Pair] = []
    updates: list[_Pair] = []
    inserts: list[_Pair] = []
    tried: list[_Pair] = []
    for record, rendered in _rendered(plan, kind, kind.write(alive)):
        item = rendered.item
        if item.sent_as is None:
            # What may be there already keeps what surely is not from being inserted, and the other way round.
            (tried if item.attempts else inserts).append((record, rendered))
        elif item.sent_as != rendered.sent_as:
            renamed.append((record, rendered))
        elif item.accepted == rendered.fingerprint:
            plan.unchanged.append(rendered)
        else:
            updates.append((record, rendered))
    plan.calls.extend(_calls(kind, ActionType.DELETE, [*_deletes(plan, kind, gone)]))
    for batch in _batches(kind, renamed):
        plan.calls.extend(_turned(kind, batch))
    plan.calls.extend(_calls(kind, ActionType.UPDATE, updates))
    plan.calls.extend(_calls(kind, ActionType.INSERT, tried))
    plan.calls.extend(_calls(kind, ActionType.INSERT, inserts))
    return plan


def _replace_all(plan: Plan, kind: Kind, gone: Sequence[Item], alive: Sequence[Item]) -> None:
    said = list(_rendered(plan, kind, kind.write(alive)))
    if said or (gone and not plan.refused):
        settled = [rendered for _, rendered in said] + [Rendered(item, b"", None) for item in gone]
        records = [record for record, _ in said]
        plan.calls.append(_call(kind, ActionType.FULL_LOAD, records, settled))


def _rendered(plan: Plan, kind: Kind, written: Iterable[Written]) -> Iterator[_Pair]:
    """Puts the refused where they belong and gives the others with what the hub will hold of them."""
    for item, record, issues in written:
        if isinstance(record, Refused):
            plan.refused.append((item, record))
        else:
            yield record, Rendered(item, digest(record), kind.name(record), tuple(issues))


def _deletes(plan: Plan, kind: Kind, gone: Sequence[Item]) -> Iterator[_Pair]:
    """Settles of the gone, and where `Kind.withdrawn` of the refused, what Hubject surely has not; deletes the rest."""
    for item in gone:
        if (known_as := kind.known_as(item)) is None:
            plan.unchanged.append(Rendered(item, b"", None))
        else:
            yield kind.tombstone(known_as), Rendered(item, b"", None)
    if not kind.withdrawn:
        return
    refused = [*plan.refused]
    plan.refused.clear()
    for item, why in refused:
        if (known_as := kind.known_as(item)) is None:
            plan.refused.append((item, why))
        else:
            yield kind.tombstone(known_as), Rendered(item, b"", None, refused=why)


def _calls(kind: Kind, action: ActionType, pairs: Sequence[_Pair]) -> Iterator[Call]:
    for batch in _batches(kind, pairs):
        yield _call(kind, action, [record for record, _ in batch], [rendered for _, rendered in batch])


def _turned(kind: Kind, batch: Sequence[_Pair]) -> Iterator[Call]:
    """Makes the calls after which Hubject has things by their new names; the last one settles them."""
    turns = []
    for record, rendered in batch:
        before = rendered.item.sent_as or ""
        turns.append(kind.turn(before, record) if kind.turn else Turn([kind.tombstone(before)], [], [record]))
    steps = (
        (ActionType.DELETE, [record for turn in turns for record in turn.deleted]),
        (ActionType.UPDATE, [record for turn in turns for record in turn.updated]),
        (ActionType.INSERT, [record for turn in turns for record in turn.inserted]),
    )
    *ahead, last = [(action, records) for action, records in steps if records]
    for action, records in ahead:
        yield _call(kind, action, records, ())
    yield _call(kind, *last, [rendered for _, rendered in batch])


def _batches(kind: Kind, pairs: Sequence[_Pair]) -> Iterator[Sequence[_Pair]]:
    alike: dict[str, list[_Pair]] = {}
    for pair in pairs:
        alike.setdefault(kind.common(pair[0]), []).append(pair)
    for group in alike.values():
        yield from (group[start : start + kind.most] for start in range(0, len(group), kind.most))


def _call(kind: Kind, action: ActionType, records: list[Record], settles: Iterable[Rendered]) -> Call:
    body = kind.message(action, records)
    return Call(kind.operation, action.value, kind.path, body, tuple(settles))
