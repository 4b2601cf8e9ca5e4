"""What writing one object needs, whatever its kind: the object's key against the path, merge patches, revisions."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeAlias, TypeVar

from aiohttp import web
from pydantic import BaseModel
from pydantic_core import from_json, to_json

from gateway.complaints import FieldError, guard
from gateway.http import bodies
from gateway.http.problems import Problem
from gateway.http.routing import Call, adapter_of, respond
from gateway.http.v1.shapes import Written
from gateway.services.ports import Conflict, PutResult
from mappings.report import Issue

M = TypeVar("M", bound=BaseModel)
R = TypeVar("R")

Batch: TypeAlias = Sequence[tuple[M, Sequence[Issue]]]
"""Objects with the issues met before they came here."""


class Stored(Protocol):
    """An object as it is stored."""

    @property
    def revision(self) -> int:
        """Rises with every change of it."""


_TRIES = 5
"""How often a patch is applied anew when somebody else changed the object between reading and writing."""


def demand_same(value: BaseModel, **expected: object) -> None:
    """Raises the problem 422 unless the object's own key is the one in the address."""
    faults = [
        FieldError(field=name, detail=f"is {given}, but the address says {wanted}")
        for name, wanted in expected.items()
        if (given := getattr(value, name)) != wanted
    ]
    if faults:
        raise Problem("invalid", "The object is not the one that the address names", faults)


def merge(target: Any, patch: Any) -> Any:
    """Applies a JSON merge patch (RFC 7396, section 2)."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged


async def read_patch(call: Call) -> dict[str, Any]:
    """Reads a merge patch, which has to be an object."""
    body = await bodies.read(call.request)
    if faults := guard(body):
        raise Problem("invalid", "The patch holds what cannot be stored", faults)
    try:
        patch = from_json(body)
    except ValueError as error:
        raise Problem("damaged-body", f"The patch is no JSON that can be read: {error}") from error
    if not isinstance(patch, dict):
        raise Problem("invalid", "A patch is a JSON object", [FieldError(field="", detail="is no JSON object")])
    return patch


def patched(value: M, patch: dict[str, Any], now: datetime) -> M:
    """Gives the object with a patch applied; where it changes, it was last updated now unless the patch says otherwise.

    Raises:
        Problem: 422, naming the fields of the result that make no sense.
    """
    adapter = adapter_of(type(value))
    before = adapter.dump_python(value, mode="json", exclude_none=True)
    merged = merge(before, patch)
    if merged != before and "last_updated" not in patch:
        merged["last_updated"] = now.isoformat()
    result: M = bodies.parse(to_json(merged), adapter)
    return result


async def written_over(write: Callable[[], Awaitable[R]]) -> R:
    """Writes what depends on what is stored, anew whenever somebody else was quicker.

    Raises:
        Conflict: Somebody else was quicker every time.
    """
    for _ in range(_TRIES - 1):
        try:
            return await write()
        except Conflict:
            continue
    return await write()


def answer_written(result: PutResult) -> web.Response:
    """Answers a write: 201 for a new object, else 200."""
    return respond(Written.of(result), Written, 201 if result.outcome == "created" else 200)


def answer_stored(value: BaseModel, revision: int, updated: datetime) -> web.Response:
    """Answers a read with the object itself, its revision as `ETag`."""
    response = respond(value, type(value), headers={"ETag": f'"{revision}"'})
    response.last_modified = updated
    return response


async def expected_revision(call: Call, read: Callable[[], Awaitable[Stored | None]]) -> int | None:
    """Gives the revision that a write has to find, as `If-Match` says; None where any will do.

    Args:
        read: Reads what is stored, only where it matters.
    """
    if not call.request.if_match:
        return None
    stored = await read()
    demand_revision(call, stored.revision if stored else None)
    return stored.revision if stored else None


def demand_revision(call: Call, revision: int | None) -> None:
    """Raises the problem 412 where the caller expects another revision (RFC 9110, If-Match).

    Args:
        revision: The stored one; None where nothing is stored, which nobody can expect.
    """
    expected = call.request.if_match
    if not expected:
        return
    if revision is None:
        raise Problem("revision", "Nothing is stored under this key")
    if not any(tag.value in (str(revision), "*") and not tag.is_weak for tag in expected):
        raise Problem("revision", f"The stored revision is {revision}", headers={"ETag": f'"{revision}"'})
