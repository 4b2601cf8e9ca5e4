"""Brings a record to the OpenAPI's spelling of its field names, whatever spelling it came in.

The text of OICP, its OpenAPI, its versions and the public dumps spell many fields differently (`ChargingStationId` and
`ChargingStationID`, `Power` and `power`, `EvseStatus` and `EVSEStatus`, `SubOperatorName` and `SuboperatorName`), and
write `null` for what is absent. Nothing is lost by reading them all, so nothing is reported.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from mappings.oicp.v2_3 import wire_charging, wire_pricing
from mappings.oicp.v2_3.wire import (
    Address,
    ChargingFacility,
    EvseDataRecord,
    EvseStatusRecord,
    PullEvseDataRecord,
    Record,
    WireModel,
)


def _spellings(model: type[WireModel]) -> dict[str, str]:
    names = [str(field.alias) for field in model.model_fields.values()]
    # The exact names too, since most records are spelt right and a network has a great many.
    return {name.casefold(): name for name in names} | {name: name for name in names}


_MODELS: tuple[type[WireModel], ...] = (
    EvseDataRecord,
    EvseStatusRecord,
    PullEvseDataRecord,
    Address,
    ChargingFacility,
    *(
        model
        for module in (wire_charging, wire_pricing)
        for model in vars(module).values()
        if isinstance(model, type) and issubclass(model, WireModel)
    ),
)
_SPELLINGS = {model: _spellings(model) for model in _MODELS}
_EXACT = {model: frozenset(spellings.values()) for model, spellings in _SPELLINGS.items()}


def fields(model: type[WireModel], value: Mapping[Any, Any]) -> tuple[Record, Record]:
    """Sorts a foreign object's fields.

    Returns:
        Those of the model under the OpenAPI's names, and those that it does not know; neither holds nulls.
    """
    if value.keys() <= _EXACT[model]:
        # As nearly all objects are.
        return {key: inner for key, inner in value.items() if inner is not None}, {}
    spellings = _SPELLINGS[model]
    known: Record = {}
    unknown: Record = {}
    for key, inner in value.items():
        if inner is None:
            continue
        name = spellings.get(key) or spellings.get(str(key).strip().casefold())
        if name is None:
            unknown[str(key)] = inner
        # Where both spellings are there, the OpenAPI's wins.
        elif name not in known or key == name:
            known[name] = inner
    return known, unknown


def operators(dump: Any, kind: str) -> Iterable[tuple[str | None, str | None, list[Any]]]:
    """Walks the operators of a public dump or a message, as (OperatorID, OperatorName, records).

    Read are `{"EVSEData": [{"OperatorID", "OperatorName", "EVSEDataRecord"}]}`, the `OperatorEvseData` of a push, the
    `EvseData` of an older pull and the pages of a newer one, in any case of the names; for statuses likewise, and the
    `EVSEStatusRecords` of an answer by id.

    Args:
        dump: The parsed JSON.
        kind: `Data` or `Status`.
    """
    records = f"evse{kind}record".casefold()
    wanted = {f"{name}evse{kind}".casefold() for name in ("", "operator")} | {f"evse{kind}es".casefold(), "content"}
    wanted.add(f"evse{kind}records".casefold())
    stack: list[Any] = [dump]
    while stack:
        value = stack.pop()
        if isinstance(value, list):
            stack.extend(reversed(value))
        elif isinstance(value, Mapping):
            names = {str(key).casefold(): inner for key, inner in value.items()}
            if isinstance(names.get(records), list):
                yield _text(names.get("operatorid")), _text(names.get("operatorname")), names[records]
            elif "evseid" in names:
                yield _text(names.get("operatorid")), _text(names.get("operatorname")), [value]
            else:
                stack.extend(inner for name, inner in names.items() if name in wanted)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() else None
