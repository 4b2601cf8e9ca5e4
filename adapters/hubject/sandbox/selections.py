"""Which EVSEs a request of an EMP means."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import pydantic_core
from pydantic_core import to_json

from adapters.hubject.sandbox import geo
from adapters.hubject.sandbox.network import Change, Network
from mappings.canonical.ids import PartyId

FORM: Final = "GeoCoordinatesResponseFormat"
_MOST_KEPT: Final = 8
_LISTS: Final = ("AuthenticationModes", "Accessibility", "CalibrationLawDataAvailability")
_FLAGS: Final = ("RenewableEnergy", "IsHubjectCompatible", "IsOpen24Hours")

Selected = Sequence[int] | Sequence[Change]
Test = Callable[[Mapping[str, Any]], bool]


class Selections:
    """What requests select, kept while the network stays as it is, since all pages of a pull ask for the same."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._kept: dict[tuple[int, bytes], Selected] = {}

    def of(self, body: Mapping[str, Any]) -> Selected:
        """Gives the rows that a request means: those that are there, or the changes since LastCall."""
        network = self._network
        asked = {field: value for field, value in body.items() if field not in {"ProviderID", FORM}}
        if not asked:
            return network.rows()
        key = (network.version, to_json(asked))
        if (kept := self._kept.get(key)) is None:
            self._kept = {each: value for each, value in self._kept.items() if each[0] == network.version}
            if len(self._kept) >= _MOST_KEPT:
                self._kept.pop(next(iter(self._kept)))
            kept = self._kept[key] = self._selected(asked)
        return kept

    def _selected(self, asked: Mapping[str, Any]) -> Selected:
        network = self._network
        tests = _tests(asked)
        operators = {party(text) for text in asked.get("OperatorIds", ())}

        def meant(row: int) -> bool:
            if operators and party(network.owner(row).id) not in operators:
                return False
            if not tests:
                return True
            record = pydantic_core.from_json(b"{" + network.body(row))
            return all(test(record) for test in tests)

        if (last := asked.get("LastCall")) is None:
            return [row for row in network.rows() if meant(row)]
        changes = network.changes(datetime.fromisoformat(last))
        return [change for change in changes if meant(change.row)] if tests else changes


def party(text: str) -> str:
    """Gives the normal form of an OperatorID; what is none stays as it is."""
    try:
        return PartyId(text).normal
    except ValueError:
        return text


def _tests(asked: Mapping[str, Any]) -> list[Test]:
    tests: list[Test] = []
    if countries := asked.get("CountryCodes"):
        tests.append(lambda record: (record.get("Address") or {}).get("Country") in countries)
    tests += [_among(field, frozenset(asked[field])) for field in _LISTS if asked.get(field)]
    tests += [_equal(field, asked[field]) for field in _FLAGS if field in asked]
    if "SearchCenter" in asked:
        tests.append(within(asked["SearchCenter"]))
    return tests


def _among(field: str, wanted: frozenset[str]) -> Test:
    def test(record: Mapping[str, Any]) -> bool:
        told = record.get(field)
        return not wanted.isdisjoint(told) if isinstance(told, list) else told in wanted

    return test


def _equal(field: str, wanted: bool) -> Test:
    return lambda record: record.get(field) is wanted


def within(search: Mapping[str, Any]) -> Test:
    """Tells which records lie within a SearchCenter."""
    centre, radius = geo.point(search["GeoCoordinates"]), search["Radius"]

    def test(record: Mapping[str, Any]) -> bool:
        at = geo.point(record.get("GeoCoordinates"))
        return at is not None and centre is not None and geo.kilometres(centre, at) <= radius

    return test
