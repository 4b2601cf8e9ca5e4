"""Reads a JSON object strictly, and mends or leaves out what is wrong by a table of rules, only where something is.

A wire model states the types strictly. An object that keeps them, as nearly all do, is read in one pass of the
validator. For one that does not, the validator tells where, and a table tells what becomes of the place: the four rules
for the unknown (a value kept beside the model, a list member or a structural part left out, a record refused).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json

from mappings.report import Issue, IssueKind, Refused, Report

T = TypeVar("T")
Path = tuple[str | int, ...]

UNREAD = "\x00"
"""Prefix under which the raw value of a field that could not be read stays in the wire object, for `unknown`."""

_NAMES = re.compile(r"\w+")
_ROUNDS = 12  # each round mends every fault the validator sees; a mended value may show one more beneath it


class Rule(Enum):
    """What becomes of a place whose value cannot be read."""

    REFUSE = "the record is refused"
    SET_ASIDE = "the value is kept beside the model"
    LEAVE_OUT = "the list member is left out"


@dataclass(frozen=True, slots=True)
class Instead:
    """The value is kept beside the model, and this one stands in its place: the vocabulary's own word for unknown."""

    value: str


Rules = Mapping[str, Rule | Instead]
"""Rule by path, list indices written `[]` (`evses[].connectors[].format`); the longest that fits a fault holds."""


def show(path: Path) -> str:
    """Writes a path as `evses[0].connectors[1].standard`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else part)
    return text


class Reader(Generic[T]):
    """Reads objects of one wire model.

    Args:
        model: The strict wire model, a TypedDict.
        rules: What becomes of which fault; where no rule fits, the record is refused.
        secret: Fields whose values no issue shows, nor those of what is inside them.
    """

    def __init__(self, model: type[T], rules: Rules, secret: frozenset[str] = frozenset()) -> None:
        self._adapter: TypeAdapter[T] = TypeAdapter(model)
        self._rules = rules
        self._secret = secret

    def read(self, data: bytes | str | Mapping[str, Any], report: Report) -> T:
        """Reads JSON text, or an object that was parsed from JSON.

        Raises:
            Refused: Not a JSON object, or a fault that no rule lets pass.
        """
        try:
            if isinstance(data, (bytes, str)):
                return self._adapter.validate_json(data)
            return self._adapter.validate_python(data)
        except ValidationError as error:
            faults = error.errors(include_url=False, include_context=False)
        if not self._secret:
            return self._read_mended(data, faults, report)
        told = len(report.issues)
        try:
            return self._read_mended(data, faults, report)
        except Refused as refused:
            refused.issues[told:] = map(self._hidden, refused.issues[told:])
            raise
        finally:
            report.issues[told:] = map(self._hidden, report.issues[told:])

    def _hidden(self, issue: Issue) -> Issue:
        if issue.field and self._secret.isdisjoint(_NAMES.findall(issue.field)):
            return issue
        detail = "mended" if issue.kind is IssueKind.MENDED else issue.detail
        return issue._replace(value=None, detail=detail)

    def _read_mended(self, data: bytes | str | Mapping[str, Any], faults: list[ErrorDetails], report: Report) -> T:
        raw = self._parse(data, faults, report)
        for _ in range(_ROUNDS):
            self._mend(raw, faults, report)
            try:
                return self._adapter.validate_python(raw)
            except ValidationError as error:
                faults = error.errors(include_url=False, include_context=False)
        raise _refusal(raw, faults[0], report)

    @staticmethod
    def _parse(data: bytes | str | Mapping[str, Any], faults: list[ErrorDetails], report: Report) -> dict[str, Any]:
        if faults[0]["type"] == "json_invalid":
            raise report.refuse("", faults[0]["msg"])
        if not isinstance(data, (bytes, str)):
            return (
                {key: _copy(item) for key, item in data.items()}
                if isinstance(data, Mapping)
                else _no_object(report, data)
            )
        raw = from_json(data)
        return raw if isinstance(raw, dict) else _no_object(report, raw)

    def _mend(self, raw: dict[str, Any], faults: list[ErrorDetails], report: Report) -> None:
        done: set[Path] = set()
        leave_out: dict[Path, tuple[ErrorDetails, Any]] = {}
        for fault in faults:
            path = _existing(raw, fault)
            # A union reports each of its branches, and a fault inside of what was set aside is gone with it.
            if any(path[: len(other)] == other for other in done):
                continue
            value = _get(raw, path)
            if _mended(raw, path, value, fault["type"], report):
                done.add(path)
                continue
            at, rule = self._rule(path)
            done.add(at)
            if rule is Rule.LEAVE_OUT:
                leave_out[at] = fault, value
            elif rule is Rule.REFUSE:
                raise _refusal(raw, fault, report)
            else:
                _set_aside(raw, at, rule, fault, report)
        for at in sorted(leave_out, key=lambda p: tuple(str(part).zfill(9) for part in p), reverse=True):
            fault, value = leave_out[at]
            detail = f"left out: {show(_existing(raw, fault)[len(at) :]) or 'it'} {_said(fault)}"
            _get(raw, at[:-1]).pop(at[-1])
            report.add(IssueKind.LEFT_OUT, show(at), detail, value)

    def _rule(self, path: Path) -> tuple[Path, Rule | Instead]:
        for end in range(len(path), 0, -1):
            name = "".join("[]" if isinstance(part, int) else f".{part}" for part in path[:end])[1:]
            if (rule := self._rules.get(name)) is not None:
                return path[:end], rule
        return path, Rule.REFUSE


def _no_object(report: Report, value: object) -> dict[str, Any]:
    raise report.refuse("", "not a JSON object", value)


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _existing(raw: Any, fault: ErrorDetails) -> Path:
    """The fault's path as far as it leads through the object; a missing key is its last part."""
    path: list[str | int] = []
    for part in fault["loc"]:
        if isinstance(raw, dict) and isinstance(part, str):
            path.append(part)
            if part not in raw:
                break
            raw = raw[part]
        elif isinstance(raw, list) and isinstance(part, int):
            path.append(part)
            raw = raw[part]
        else:
            break  # the name of a union's branch
    return tuple(path)


def _get(raw: Any, path: Path) -> Any:
    for part in path:
        raw = raw.get(part) if isinstance(raw, dict) else raw[part]
    return raw


def _said(fault: ErrorDetails) -> str:
    if fault["type"] == "missing":
        return "is missing"
    if fault["type"] in {"int_type", "float_type"}:  # of a union, whose first branch alone is known here
        return "cannot be read (it is not a number)"
    return f"cannot be read ({fault['msg']})"


def _refusal(raw: Any, fault: ErrorDetails, report: Report) -> Refused:
    path = _existing(raw, fault)
    return report.refuse(show(path), _said(fault), _get(raw, path))


def _set_aside(raw: dict[str, Any], at: Path, rule: Rule | Instead, fault: ErrorDetails, report: Report) -> None:
    holder, key = _get(raw, at[:-1]), at[-1]
    value = holder.pop(key, None)
    if value is not None:
        holder[f"{UNREAD}{key}"] = value
    if isinstance(rule, Instead):
        holder[key] = rule.value
    report.add(IssueKind.UNKNOWN, show(at), f"{_said(fault)}; taken as unknown", value)


def _mended(raw: dict[str, Any], path: Path, value: Any, fault: str, report: Report) -> bool:
    """Puts a value right that has one right reading in the wanted type."""
    if not path:
        return False
    holder = _get(raw, path[:-1])
    # A database's own name for the id, left in by an export.
    if fault == "missing" and path[-1] == "id" and isinstance(holder.get("_id"), str):
        value = right = holder.pop("_id")
    else:
        right = _right_reading(value, fault)
    if right is None:
        return False
    holder[path[-1]] = right
    report.add(IssueKind.MENDED, show(path), f"read as {str(right)[:40]!r}", value)
    return True


def _right_reading(value: Any, fault: str) -> Any:
    if fault == "list_type":
        return [] if value is None else ([value] if isinstance(value, (str, dict)) else None)
    if fault.startswith("string_"):
        return _text(value)
    if fault == "bool_type" and isinstance(value, str):
        return {"true": True, "false": False}.get(value.strip().casefold())
    if fault in {"int_type", "float_type"}:
        return _number(value, whole=fault == "int_type")
    return None


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value.strip() if value != value.strip() else None
    if isinstance(value, dict) and value.keys() == {"$date"} and isinstance(value["$date"], str):
        return value["$date"]  # a database's own form of a date, left in by an export
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _number(value: Any, *, whole: bool) -> int | float | None:
    if not isinstance(value, (str, float)):
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    if not number.is_finite() or len(number.as_tuple().digits) > 18 or abs(number.adjusted()) > 18:
        return None
    if number == number.to_integral_value():
        return int(number)
    # A union of int and float reports the int first; a text that is no whole number is mended to a float there too.
    return float(number) if not whole or isinstance(value, str) else None
