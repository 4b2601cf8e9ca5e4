"""Conditions by which the store gives only what a caller sees, so that pages are cut from just that."""

from collections.abc import Sequence
from typing import Any, Final

from gateway.agreements.sight import Limits, Sight
from mappings.canonical.locations import EvseStatus

_UNKNOWN: Final = f"'{EvseStatus.UNKNOWN.value}'"

WAYS: Final = """(
                SELECT * FROM catalogue_evse WHERE preferred AND evse_key = e.evse_key
                UNION ALL
                SELECT * FROM catalogue_evse WHERE NOT preferred AND NOT removed AND evse_key = e.evse_key
            )"""
"""The ways to an entry `e`."""

_NEWEST: Final = """(
            SELECT w.{what} FROM {ways} w WHERE {sees} AND {hears} ORDER BY w.status_at DESC LIMIT 1
        )"""
_SPEAKS: Final = """({sees_e} AND (e.preferred AND NOT e.shared OR e.shared AND e.no = (
            SELECT w.no FROM {ways} w JOIN connection o ON o.id = w.connection_id WHERE {sees_w}
            ORDER BY o.rank, w.last_updated DESC, w.connection_id, w.no LIMIT 1)))"""
_OUTSIDE: Final = "({e}.connection_id, {e}.party) NOT IN (SELECT * FROM unnest({networks}))"
_IN_GROUPS: Final = """EXISTS (
            SELECT FROM evse_group_member m JOIN unnest({groups}) AS g(connection_id, party, group_id) USING (group_id)
            WHERE m.evse_key = {e}.evse_key AND g.connection_id = {e}.connection_id AND g.party = {e}.party)"""


class Arguments(list[Any]):
    """The arguments of a statement that is being written."""

    def take(self, value: Any, type_: str) -> str:
        """Adds an argument and gives how the statement names it."""
        self.append(value)
        return f"${len(self)}::{type_}"


class Screen:
    """Writes conditions on rows of `catalogue_evse`; each argument is taken once, however often it is asked for."""

    def __init__(self, sight: Sight, arguments: Arguments) -> None:
        self._places = _Limited(sight.places, arguments)
        self._statuses = _Limited(sight.statuses, arguments)

    def sees(self, alias: str) -> str:
        """Gives the condition that a way is seen."""
        return self._places.has(alias)

    def outside(self, alias: str) -> str:
        """Gives the condition that a row, of locations too, is of a network that is seen whole."""
        return self._places.outside(alias)

    def entry(self) -> str:
        """Gives the condition that some way to the entry `e`, a preferred row, is seen."""
        return f"""({self.sees("e")} OR e.shared AND EXISTS (
            SELECT FROM catalogue_evse w
            WHERE NOT w.preferred AND NOT w.removed AND w.evse_key = e.evse_key AND {self.sees("w")}))"""

    def status(self, alias: str) -> str:
        """Gives the status of a way that is seen, as far as it is told."""
        return f"CASE WHEN {self._statuses.has(alias)} THEN {alias}.status ELSE {_UNKNOWN} END"

    def status_at(self, alias: str) -> str:
        """Gives since when a way has the status that is told; null where nobody told."""
        return f"CASE WHEN isfinite({alias}.status_at) AND {self._statuses.has(alias)} THEN {alias}.status_at END"

    def newest(self, what: str) -> str:
        """Gives a column, of the way to the entry `e` that has the newest status of those that are seen and told."""
        return _NEWEST.format(what=what, ways=WAYS, sees=self.sees("w"), hears=self._statuses.has("w"))

    def entry_status(self) -> str:
        """Gives the status of the entry `e`."""
        return f"""CASE WHEN e.shared THEN coalesce({self.newest("status")}, {_UNKNOWN}) ELSE {self.status("e")} END"""

    def speaks(self) -> str:
        """Gives the condition that of the ways that are seen, the way `e` speaks for its entry."""
        return _SPEAKS.format(ways=WAYS, sees_e=self.sees("e"), sees_w=self.sees("w"))


class _Limited:
    """The networks of which not everything is had."""

    def __init__(self, limits: Limits, arguments: Arguments) -> None:
        self._limits = limits
        self._arguments = arguments
        self._taken: tuple[str, str] | None = None

    def outside(self, alias: str) -> str:
        """Gives the condition that a row is of a network all of which is had."""
        if not self._limits:
            return "true"
        networks, _ = self._taken = self._taken or self._take()
        return _OUTSIDE.format(e=alias, networks=networks)

    def has(self, alias: str) -> str:
        """Gives the condition that a row is of what is had."""
        outside = self.outside(alias)
        if self._taken is None:
            return outside
        _, groups = self._taken
        return f"({outside} OR {_IN_GROUPS.format(e=alias, groups=groups)})" if groups else outside

    def _take(self) -> tuple[str, str]:
        def named(rows: Sequence[tuple[object, ...]], *types: str) -> str:
            columns = zip(*rows, strict=True)
            return ", ".join(
                self._arguments.take(list(column), type_) for column, type_ in zip(columns, types, strict=True)
            )

        networks = named(list(self._limits), "int[]", "text[]")
        grouped = [(*network, group) for network, groups in self._limits.items() for group in sorted(groups)]
        return networks, named(grouped, "int[]", "text[]", "text[]") if grouped else ""
