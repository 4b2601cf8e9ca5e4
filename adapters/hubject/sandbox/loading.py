"""Fills the sandbox's network with EVSEs of played CPOs, multiplies them under other parties, and changes some."""

import random
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from string import ascii_uppercase, digits
from typing import Any, Final, NamedTuple

import pydantic_core
from pydantic_core import to_json

from adapters.hubject.sandbox.network import DELETE, HEAD, INSERT, UPDATE, Network
from mappings.canonical.ids import EvseId, PartyId

_DATA_BLOCKS: Final = ("EVSEData", "EvseData", "OperatorEvseData")
_DATA_RECORDS: Final = ("EVSEDataRecord", "EvseDataRecord")
_STATUS_BLOCKS: Final = ("EVSEStatuses", "EvseStatuses", "OperatorEvseStatus")
_STATUS_RECORDS: Final = ("EVSEStatusRecord", "EvseStatusRecord")
_SIGNS: Final = digits + ascii_uppercase
STATUSES: Final = ("Available", "Occupied", "OutOfService", "Reserved", "Unknown")

Record = dict[str, Any]


class Loaded(NamedTuple):
    """How many records were taken, and how many had no EvseID, or no operator that could be told."""

    records: int
    skipped: int


def data_records(value: Any) -> Iterator[Record]:
    """Finds the EvseDataRecords of a parsed text: one itself, a list, a page of an answer, or a published file."""
    return _records(value, _DATA_BLOCKS, _DATA_RECORDS)


def status_records(value: Any) -> Iterator[Record]:
    """Finds the EvseStatusRecords of a parsed text, with the status under `EvseStatus`."""
    for record in _records(value, _STATUS_BLOCKS, _STATUS_RECORDS):
        yield {"EvseID": record.get("EvseID"), "EvseStatus": record.get("EvseStatus") or record.get("EVSEStatus")}


def _records(value: Any, blocks: tuple[str, ...], records: tuple[str, ...]) -> Iterator[Record]:
    if isinstance(value, list):
        for each in value:
            yield from _records(each, blocks, records)
    elif isinstance(value, dict) and "EvseID" in value:
        yield value
    elif isinstance(value, dict):
        about = {field: value[field] for field in ("OperatorID", "OperatorName") if field in value}
        for name in (*blocks, *records, "content"):
            for record in _records(value.get(name), blocks, records):
                yield about | record


def load(network: Network, records: Iterable[Record], operator: str | None, name: str | None) -> Loaded:
    """Takes the EVSEs of played CPOs; a record whose deltaType is `delete` is withdrawn.

    Args:
        operator: Whose those are that name nobody; without it, whoever stands in the EvseID.
        name: The operator's name, where a record tells none.
    """
    taken = skipped = 0
    for record in records:
        text = record.get("EvseID")
        evse_id = EvseId(text) if isinstance(text, str) else None
        whose = record.get("OperatorID") or operator or (evse_id and evse_id.party and evse_id.party.normal)
        body = {field: value for field, value in record.items() if field not in HEAD}
        if evse_id is None or not isinstance(whose, str) or (not body and record.get("deltaType") != DELETE):
            skipped += 1
            continue
        if record.get("deltaType") == DELETE:
            network.withdraw(evse_id.normal)
        else:
            number = network.operator(whose, record.get("OperatorName") or name or "", played=True)
            network.put(evse_id.normal, evse_id.text, number, to_json(body))
        taken += 1
    return Loaded(taken, skipped)


class _Parties:
    """Parties that nobody has."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = frozenset(taken)
        self._free: dict[str, Iterator[str]] = {}

    def another(self, country: str) -> str | None:
        """Gives one of a country that was not given before; None where there is none left."""
        free = self._free.setdefault(country, self._of(country))
        return next((each for each in free if each not in self._taken), None)

    def _of(self, country: str) -> Iterator[str]:
        signs = digits if country.startswith("+") else _SIGNS
        return (f"{country}*{''.join(code)}" for code in product(reversed(signs), signs, signs))


def multiplied(network: Network, evses: int) -> Iterator[None]:
    """Repeats what played CPOs have under parties that nobody has, until there are so many EVSEs.

    A country has a thousand parties by DIN, and some 46,000 by ISO; EVSEs of one where none is left are left out.

    Yields:
        Now and then, since it takes some seconds for a million.
    """
    played = [(row, EvseId(network.evse_id(row)).party) for row in network.rows() if network.owner(row).played]
    rows = [row for row, party in played if party is not None]
    free = _Parties({operator.id for operator in network.operators} | {str(party) for _, party in played})
    there = len(network)
    while rows and there < evses:
        given: dict[PartyId, str | None] = {}
        before = there
        for row in rows[: evses - there]:
            there += _copied(network, row, given, free)
            if there % 2000 == 0:
                yield
        if there == before:
            return


def _copied(network: Network, row: int, given: dict[PartyId, str | None], free: _Parties) -> bool:
    evse_id, owner = EvseId(network.evse_id(row)), network.owner(row)

    def other(party: PartyId) -> str | None:
        if party not in given:
            given[party] = free.another(party.country)
        return given[party]

    assert evse_id.party is not None  # noqa: S101
    if (whose := other(evse_id.party)) is None:
        return False
    instance = evse_id.instance if whose.startswith("+") else f"E{evse_id.instance}"
    copied = EvseId(f"{whose}*{instance}")
    try:
        operator = other(PartyId(owner.id)) or whose
    except ValueError:
        operator = whose
    number = network.operator(operator, f"{owner.name or owner.id} ({operator})"[:100], played=True)
    network.put(copied.normal, copied.text, number, network.kept(row))
    if (status := network.status(row)) is not None:
        network.set_status(copied.normal, status)
    return True


def changed(network: Network, numbers: Mapping[str, int], seed: int) -> dict[str, list[str]]:
    """Changes played EVSEs that are drawn by lot.

    Args:
        numbers: How many, by deltaType.

    Returns:
        The EvseIDs concerned, by deltaType.
    """
    dice = random.Random(seed)  # noqa: S311  # it shall be the same every time
    rows = [row for row in network.rows() if network.owner(row).played]
    drawn = dice.sample(rows, min(sum(numbers.values()), len(rows)))
    told: dict[str, list[str]] = {delta: [] for delta in (INSERT, UPDATE, DELETE)}
    for delta, evse_ids in told.items():
        for _ in range(min(numbers.get(delta, 0), len(drawn))):
            evse_ids.append(_changed(network, drawn.pop(), delta, seed))
    return told


def _changed(network: Network, row: int, delta: str, seed: int) -> str:
    evse_id, owner = network.evse_id(row), network.owner(row)
    number = network.operator(owner.id, owner.name, played=True)
    if delta == DELETE:
        network.withdraw(network.key(row))
    elif delta == UPDATE:
        record = pydantic_core.from_json(b"{" + network.body(row))
        record["AdditionalInfo"] = [{"lang": "en", "value": f"changed {seed} {network.version}"}]
        network.put(network.key(row), evse_id, number, to_json(record))
    else:
        evse_id = f"{evse_id[:28]}*{network.version}"
        network.put(EvseId(evse_id).normal, evse_id, number, network.kept(row))
    return evse_id


def shuffled_statuses(network: Network, number: int, seed: int) -> int:
    """Gives so many played EVSEs, drawn by lot, another status; gives how many there were."""
    dice = random.Random(seed)  # noqa: S311  # it shall be the same every time
    rows = network.rows()
    done = 0
    for _ in range(number if rows else 0):
        row = rows[dice.randrange(len(rows))]
        if network.owner(row).played:
            others = [status for status in STATUSES if status != network.status(row)]
            network.set_status(network.key(row), dice.choice(others))
            done += 1
    return done
