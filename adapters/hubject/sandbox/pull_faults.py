"""What can go wrong while an EMP pulls, on command; beside the faults that every sandbox commits.

| request | what it does |
| --- | --- |
| `GET`, `POST`, `DELETE /_sandbox/pull-faults` | the armed ones; a list of `PullFault` to arm; disarms all |
"""

import copy
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Annotated, Any, Final

import pydantic_core
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class PullFaultKind(StrEnum):
    """What goes wrong."""

    CHANGING_PAGES = "changing_pages"
    """After every page but the last, its first played EVSE is withdrawn: what follows moves up by one, so that the next
    page begins one too late."""
    OVERLAPPING_PAGES = "overlapping_pages"
    """Every page begins with the last record of the page before."""
    LAST_PAGE_FAILS = "last_page_fails"
    """The last page is answered with HTTP `status`."""
    TOTAL_PAGES = "total_pages"
    """`totalPages` is wrong by `by`; everything else is true, but for `last` where it is to lie `along`."""
    DELTAS_OUT_OF_ORDER = "deltas_out_of_order"
    """The newest changes come first, each followed by an older, stale state of the same EVSE."""
    UNKNOWN_DELETE = "unknown_delete"
    """A delta ends with the deletion of an EVSE that was never there."""
    INVALID_RECORDS = "invalid_records"
    """Every record whose place is a multiple of `every` is spoilt, in turn by each of `SPOILS`."""
    STATUS_SHAPE = "status_shape"
    """Statuses are answered in another of the forms that were seen: `shape`."""


class StatusShape(StrEnum):
    """Forms of the answer to PullEvseStatus."""

    LIST = "list"
    """`EvseStatuses` is the list itself, as the table of OICP's text has it."""
    RECORDS = "records"
    """The records alone, as ByID answers."""
    CAPITALS = "capitals"
    """`EVSEStatuses` with `EVSEStatusRecord` and `EVSEStatus`, as Hubject's customers publish it."""


class PullFault(BaseModel):
    """One fault.

    Attributes:
        count: How many times at most.
        by, along, status, every, shape: As the kinds say.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: PullFaultKind
    count: Annotated[int, Field(ge=1)] | None = None
    by: int = -1
    along: bool = False
    status: Annotated[int, Field(ge=400, le=599)] = 500
    every: Annotated[int, Field(ge=1)] = 10
    shape: StatusShape = StatusShape.LIST


FAULTS: Final = TypeAdapter(list[PullFault])


class PullFaults:
    """The faults that are armed."""

    def __init__(self) -> None:
        self._armed: list[tuple[PullFault, list[int]]] = []

    def add(self, faults: Iterable[PullFault]) -> None:
        """Arms faults, after those that are armed."""
        self._armed += [(fault, [0]) for fault in faults]

    def clear(self) -> None:
        """Ends all faults."""
        self._armed.clear()

    def shown(self) -> list[dict[str, object]]:
        """Lists the faults that may still happen, with how often they did."""
        return [
            {**fault.model_dump(mode="json", exclude_defaults=True), "kind": fault.kind, "hits": hits[0]}
            for fault, hits in self._armed
            if fault.count is None or hits[0] < fault.count
        ]

    def drawn(self, kind: PullFaultKind) -> PullFault | None:
        """Gives the fault of a kind that happens now, which counts as having happened; None for none."""
        for fault, hits in self._armed:
            if fault.kind is kind and (fault.count is None or hits[0] < fault.count):
                hits[0] += 1
                return fault
        return None


def _null_lists(record: dict[str, Any]) -> None:
    record["Plugs"] = record["ValueAddedServices"] = record["PaymentOptions"] = None


def _power_as_text(record: dict[str, Any]) -> None:
    for facility in record.get("ChargingFacilities") or []:
        facility["power"] = str(facility.pop("Power", 22))
        facility["powertype"] = facility.pop("PowerType", None)


def _no_place(record: dict[str, Any]) -> None:
    record["GeoCoordinates"] = {"Google": "None None"}


def _no_address(record: dict[str, Any]) -> None:
    record.pop("Address", None)


def _nonsense(record: dict[str, Any]) -> None:
    record["EvseID"] = "?"


def _other_types(record: dict[str, Any]) -> None:
    record["IsOpen24Hours"] = "yes"
    record["ChargingStationNames"] = {"lang": "en"}


SPOILS: Final[tuple[Callable[[dict[str, Any]], None], ...]] = (
    _null_lists,
    _power_as_text,
    _no_place,
    _no_address,
    _nonsense,
    _other_types,
)
NO_RECORD: Final = b"null"
"""What stands after all `SPOILS` in the place of a record, before they begin anew."""


def spoilt(raw: bytes, turn: int) -> bytes:
    """Spoils a record of EVSE data in one of the ways that there are."""
    turn %= len(SPOILS) + 1
    if turn == len(SPOILS):
        return NO_RECORD
    record = pydantic_core.from_json(raw)
    SPOILS[turn](record)
    return pydantic_core.to_json(record)


def reshaped(body: dict[str, Any], shape: StatusShape) -> dict[str, Any]:
    """Gives an answer of statuses by operator in another form."""
    told = copy.copy(body)
    blocks = told.pop("EvseStatuses")["OperatorEvseStatus"]
    match shape:
        case StatusShape.LIST:
            return {"EvseStatuses": blocks} | told
        case StatusShape.RECORDS:
            records = [record for block in blocks for record in block["EvseStatusRecord"]]
            return {"EVSEStatusRecords": {"EvseStatusRecord": records}} | told
        case StatusShape.CAPITALS:
            return {
                "EVSEStatuses": [
                    {field: value for field, value in block.items() if field != "EvseStatusRecord"}
                    | {
                        "EVSEStatusRecord": [
                            {"EvseID": record["EvseID"], "EVSEStatus": record["EvseStatus"]}
                            for record in block["EvseStatusRecord"]
                        ]
                    }
                    for block in blocks
                ]
            } | told
