"""What goes wrong with the pages that the sandbox IOP lists, when it is told to: `POST /_sandbox/pages`."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from adapters.core.sandbox import PREFIX
from adapters.gireve.sandbox.checks import Refusal
from adapters.gireve.sandbox.serving import problem
from mappings.ocpi.envelope import StatusCode


class Spoilt(BaseModel):
    """One record of a page that is not as it should be.

    Attributes:
        at: Which of the page.
        also: Fields to add, to replace, or, by null, to make null.
        record: What stands in its place; where it is given, even null does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: Annotated[int, Field(ge=0)] = 0
    also: dict[str, JsonValue] = {}
    record: JsonValue = None


class PageFault(BaseModel):
    """What is wrong with the answers to list requests.

    Attributes:
        shift: By how many objects the list has moved when a page after the first is asked for: as if so many of the
            first page had gone (above 0, so that objects are missed) or come (below 0, so that they come again).
        fail_last: HTTP status with which the last page is refused.
        fail_code: OCPI code of that refusal.
        total: What `X-Total-Count` says.
        without: Headers that are left out.
        endless: `Link` leads back to the page that it stands on.
        null_data: `data` is null.
        spoilt: Records that are not as they should be, on every page.
        count: For how many requests; None for all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    module: Literal["locations", "tariffs"] = "locations"
    shift: int = 0
    fail_last: Annotated[int, Field(ge=400, le=599)] | None = None
    fail_code: int = int(StatusCode.SERVER_ERROR)
    total: Annotated[int, Field(ge=0)] | None = None
    without: frozenset[Literal["Link", "X-Total-Count", "X-Limit"]] = frozenset()
    endless: bool = False
    null_data: bool = False
    spoilt: tuple[Spoilt, ...] = ()
    count: Annotated[int, Field(ge=1)] | None = None


_FAULTS: TypeAdapter[list[PageFault]] = TypeAdapter(list[PageFault])


class PageFaults:
    """The faults that are armed, each module's first at work."""

    def __init__(self) -> None:
        self._armed: list[tuple[PageFault, int]] = []

    def routes(self) -> list[web.RouteDef]:
        """Gives the control routes."""
        return [web.post(f"{PREFIX}/pages", self._arm), web.delete(f"{PREFIX}/pages", self._disarm)]

    async def _arm(self, request: web.Request) -> web.Response:
        try:
            asked = _FAULTS.validate_json(await request.read())
        except ValueError as error:
            return problem(400, str(error))
        self._armed += [(each, 0) for each in asked]
        return web.json_response({"armed": len(self._armed)})

    async def _disarm(self, _request: web.Request) -> web.Response:
        self._armed.clear()
        return web.json_response({"armed": 0})

    def drawn(self, module: str) -> PageFault | None:
        """Gives the fault that a list request meets."""
        for index, (fault, hits) in enumerate(self._armed):
            if fault.module == module:
                self._armed[index] = fault, hits + 1
                if fault.count is not None and hits + 1 >= fault.count:
                    del self._armed[index]
                return fault
        return None


def shifted(fault: PageFault | None, keys: Sequence[str], offset: int, limit: int) -> Sequence[str]:
    """Gives the keys of a page."""
    at = offset + (fault.shift if fault is not None and offset else 0)
    return keys[max(at, 0) : max(at + limit, 0)]


def spoilt(
    fault: PageFault, records: list[Any], headers: dict[str, str], here: str
) -> tuple[list[Any] | None, dict[str, str]]:
    """Spoils a page.

    Args:
        here: URL of the page itself.

    Raises:
        Refusal: It is the last page, and that one fails.
    """
    if fault.fail_last is not None and "Link" not in headers:
        raise Refusal(fault.fail_last, fault.fail_code, "the sandbox was told to fail at the end")
    if fault.total is not None:
        headers["X-Total-Count"] = str(fault.total)
    if fault.endless:
        headers["Link"] = f'<{here}>; rel="next"'
    headers = {name: value for name, value in headers.items() if name not in fault.without}
    for each in fault.spoilt:
        if each.at < len(records):
            records[each.at] = _spoilt(records[each.at], each)
    return (None if fault.null_data else records), headers


def _spoilt(record: Any, fault: Spoilt) -> Any:
    if "record" in fault.model_fields_set:
        return fault.record
    return {**record, **fault.also} if isinstance(record, Mapping) else record
