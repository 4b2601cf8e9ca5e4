"""All EVSEs that EMPs can pull: those that CPO partners pushed, and those of played CPOs; with what changed when.

A million of them shall fit into memory. So an EVSE is a row in parallel arrays, a played one's record is one text of
JSON that is served as it lies there, and the copies that `multiply` makes share the text of what they are copies of.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from pydantic_core import to_json

from mappings.canonical.ids import EvseId

HEAD: Final = ("deltaType", "lastUpdate", "EvseID", "OperatorID", "OperatorName")
"""Fields that are written anew for every answer, and so are no part of what is kept."""
INSERT, UPDATE, DELETE = "insert", "update", "delete"
_NO_STATUS: Final = 255

Kept = bytes | Mapping[str, Any]
"""A record without `HEAD`: JSON where a played CPO has it, or the very object that a partner pushed."""


class Operator(NamedTuple):
    """Whose EVSEs they are.

    Attributes:
        id: OperatorID as answers have it.
        played: Whether the sandbox plays this CPO.
    """

    id: str
    name: str
    played: bool


class Change(NamedTuple):
    """A row of a delta; `delta` is OICP's deltaType."""

    row: int
    delta: str


class Network:
    """The EVSEs.

    Args:
        wall: The time of day, from which `lastUpdate` is.
    """

    def __init__(self, wall: Callable[[], datetime]) -> None:
        self._wall = wall
        self.forget()

    def forget(self) -> None:
        """Forgets everything, as if no EVSE had ever been there."""
        self.version = 0
        """Rises with every change of data; statuses do not count."""
        self.operators: list[Operator] = []
        self.statuses: list[str] = []
        self._rows: dict[str, int] = {}
        self._ids: list[str] = []
        self._kept: list[Kept] = []
        self._heads: list[bytes] = []
        self._of: array[int] = array("I")
        self._updated: array[float] = array("d")
        self._gone = bytearray()
        self._status = bytearray()
        self._numbers: dict[tuple[str, bool], int] = {}
        self._logged_at: array[float] = array("d")
        self._logged_row: array[int] = array("I")
        self._logged_there = bytearray()
        self._live: tuple[int, array[int]] = (-1, array("I"))
        self._grouped: tuple[int, list[tuple[Operator, array[int]]]] = (-1, [])
        self._delta: tuple[int, float, list[Change]] = (-1, 0.0, [])

    def __len__(self) -> int:
        return len(self._ids) - sum(self._gone)

    def operator(self, id: str, name: str, *, played: bool) -> int:  # noqa: A002  # OICP's name
        """Gives the number of an operator, which is made if it is new; an empty name changes none."""
        number = self._numbers.get((id, played))
        if number is None:
            number = self._numbers[id, played] = len(self.operators)
            self.operators.append(Operator(id, name, played))
            self._heads.append(b"")
        elif not name or self.operators[number].name == name:
            return number
        self.operators[number] = Operator(id, name, played)
        self._heads[number] = b'"OperatorID":%s,"OperatorName":%s' % (to_json(id), to_json(name or id))
        self.version += 1
        return number

    def name_of(self, id: str) -> str | None:  # noqa: A002  # OICP's name
        """Gives the name under which an operator's EVSEs are; None for one that has none."""
        return next((each.name for each in self.operators if each.id == id and each.name), None)

    def row(self, key: str) -> int | None:
        """Gives the row of an EVSE that is there, by the normal form of its id."""
        row = self._rows.get(key)
        return None if row is None or self._gone[row] else row

    def key(self, row: int) -> str:
        """Gives the key of a row."""
        return EvseId(self._ids[row]).normal

    def owner(self, row: int) -> Operator:
        """Tells whose EVSE a row is."""
        return self.operators[self._of[row]]

    def evse_id(self, row: int) -> str:
        """Gives an EvseID as it was given."""
        return self._ids[row]

    def kept(self, row: int) -> Kept:
        """Gives what is kept of a row."""
        return self._kept[row]

    def put(self, key: str, evse_id: str, operator: int, kept: Kept) -> None:
        """Adds an EVSE, or replaces what is known of it; one that stays as it was is no change."""
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = len(self._ids)
            self._ids.append(evse_id)
            self._kept.append(kept)
            self._of.append(operator)
            self._updated.append(0.0)
            self._gone.append(0)
            self._status.append(_NO_STATUS)
            self._log(row, there=False)
            return
        there = not self._gone[row]
        if there and self._of[row] == operator and self._ids[row] == evse_id and self._kept[row] == kept:
            return
        self._ids[row], self._kept[row], self._of[row], self._gone[row] = evse_id, kept, operator, 0
        self._log(row, there=there)

    def pushed(self, operator: int, gone: Iterable[str], records: Mapping[str, Mapping[str, Any]]) -> None:
        """Takes what a CPO partner pushed."""
        for key in gone:
            self.withdraw(key)
        for key, record in records.items():
            self.put(key, record["EvseID"], operator, record)

    def told(self, gone: Iterable[str], records: Mapping[str, Mapping[str, Any]]) -> None:
        """Takes the statuses that a CPO partner pushed."""
        for key in gone:
            self.unset_status(key)
        for key, record in records.items():
            self.set_status(key, record["EvseStatus"])

    def withdraw(self, key: str) -> None:
        """Takes an EVSE away, of which the record is kept, since deltas show it; an unknown one is passed over."""
        if (row := self.row(key)) is not None:
            self._gone[row] = 1
            self._log(row, there=True)

    def _log(self, row: int, *, there: bool) -> None:
        # A clock that is set back must not hide changes from a search by time.
        now = max(self._wall().timestamp(), self._logged_at[-1] if self._logged_at else 0.0)
        self._updated[row] = now
        self._logged_at.append(now)
        self._logged_row.append(row)
        self._logged_there.append(there)
        self.version += 1

    def keys_of(self, operator: int) -> list[str]:
        """Lists the EVSEs of an operator that are there."""
        return [key for key, row in self._rows.items() if self._of[row] == operator and not self._gone[row]]

    def set_status(self, key: str, status: str) -> bool:
        """Sets an EVSE's status; False where there is no such EVSE."""
        if (row := self.row(key)) is None:
            return False
        if status not in self.statuses:
            self.statuses.append(status)
        self._status[row] = self.statuses.index(status)
        return True

    def unset_status(self, key: str) -> None:
        """Takes an EVSE's status away."""
        if (row := self._rows.get(key)) is not None:
            self._status[row] = _NO_STATUS

    def status(self, row: int) -> str | None:
        """Gives the status of an EVSE; None where nobody told one."""
        number = self._status[row]
        return None if number == _NO_STATUS else self.statuses[number]

    def rows(self) -> "array[int]":
        """Lists the rows that are there, in an order that stays: a new EVSE comes last."""
        if self._live[0] != self.version:
            gone = self._gone
            self._live = (self.version, array("I", (row for row in range(len(gone)) if not gone[row])))
        return self._live[1]

    def changes(self, since: datetime) -> list[Change]:
        """Compares what is there with what was there at a time (OICP 2.3 EMP, Delta pull)."""
        at = since.timestamp()
        if self._delta[:2] == (self.version, at):
            return self._delta[2]
        before: dict[int, int] = {}
        # What changed in that very instant may not have been seen by whoever pulled then.
        for index in range(bisect_left(self._logged_at, at), len(self._logged_at)):
            before.setdefault(self._logged_row[index], self._logged_there[index])
        found = []
        for row in sorted(before):
            now = not self._gone[row]
            if now or before[row]:
                found.append(Change(row, DELETE if not now else UPDATE if before[row] else INSERT))
        self._delta = (self.version, at, found)
        return found

    def updated(self, row: int) -> float:
        """Tells when a row changed last, seconds since the epoch."""
        return self._updated[row]

    def head(self, row: int, delta: str | None, at: float | None = None) -> bytes:
        """Writes the first fields of a record, with the brace before them and the comma behind.

        Args:
            delta: The deltaType; None leaves it out, as a full pull does.
            at: The lastUpdate; the row's own where it is left out.
        """
        told = b"" if delta is None else b'"deltaType":"%s",' % delta.encode()
        stamp = stamped(int(self._updated[row] if at is None else at))
        return b'{%s"lastUpdate":"%s","EvseID":%s,%s,' % (
            told,
            stamp,
            to_json(self._ids[row]),
            self._heads[self._of[row]],
        )

    def body(self, row: int) -> bytes:
        """Gives the rest of a record, with the brace behind it."""
        kept = self._kept[row]
        if isinstance(kept, bytes):
            return kept[1:]
        return to_json({field: value for field, value in kept.items() if field not in HEAD})[1:]

    def by_operator(self) -> "list[tuple[Operator, array[int]]]":
        """Gives the rows that are there, by operator."""
        if self._grouped[0] != self.version:
            rows: list[array[int]] = [array("I") for _ in self.operators]
            for row in self.rows():
                rows[self._of[row]].append(row)
            told = [(operator, theirs) for operator, theirs in zip(self.operators, rows, strict=True) if theirs]
            self._grouped = (self.version, told)
        return self._grouped[1]


@lru_cache(maxsize=4096)
def stamped(second: int) -> bytes:
    """Writes a time as OICP's lastUpdate is written."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode()
