"""How the sandbox Hubject is told what played CPOs have.

| request | what it does |
| --- | --- |
| `GET /_sandbox/network` | how many EVSEs there are, of whom |
| `POST /_sandbox/network?operator=&name=` | EvseDataRecords of played CPOs, NDJSON; or a published file, as it is |
| `DELETE /_sandbox/network` | withdraws the EVSEs of a JSON list of EvseIDs; without a body, all of played CPOs |
| `POST /_sandbox/multiply` | `{"times": 6}` or `{"evses": 1000000}`: repeats them under other parties |
| `POST /_sandbox/changes` | `{"insert": 1, "update": 5, "delete": 2, "seed": 1}`: changes so many, drawn by lot |
| `POST /_sandbox/statuses` | a list of EvseStatusRecords, a published file, or `{"shuffle": 1000, "seed": 1}` |
"""

import asyncio
from collections import Counter
from typing import Annotated, Final

import pydantic_core
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adapters.core.sandbox import PREFIX
from adapters.hubject.sandbox import loading
from adapters.hubject.sandbox.control import problem, sandbox_of
from mappings.canonical.ids import EvseId

_AT_ONCE: Final = 500
"""Records that are taken before anybody else is served."""


class _Multiply(BaseModel):
    """Attributes: times: How many networks there are then, with the one that is there. evses: How many EVSEs."""

    model_config = ConfigDict(extra="forbid")

    times: Annotated[int, Field(ge=1, le=10_000)] | None = None
    evses: Annotated[int, Field(ge=1, le=5_000_000)] | None = None


class _Changes(BaseModel):
    """How many EVSEs are changed."""

    model_config = ConfigDict(extra="forbid")

    insert: Annotated[int, Field(ge=0)] = 0
    update: Annotated[int, Field(ge=0)] = 0
    delete: Annotated[int, Field(ge=0)] = 0
    seed: int = 0


class _Shuffle(BaseModel):
    """How many statuses are changed."""

    model_config = ConfigDict(extra="forbid")

    shuffle: Annotated[int, Field(ge=0)]
    seed: int = 0


def routes() -> list[web.RouteDef]:
    """Gives the control routes."""
    return [
        web.get(f"{PREFIX}/network", _network),
        web.post(f"{PREFIX}/network", _load),
        web.delete(f"{PREFIX}/network", _withdraw),
        web.post(f"{PREFIX}/multiply", _multiply),
        web.post(f"{PREFIX}/changes", _change),
        web.post(f"{PREFIX}/statuses", _statuses),
    ]


async def _network(request: web.Request) -> web.Response:
    network = sandbox_of(request).network
    evses: Counter[tuple[str, bool]] = Counter()
    for operator, rows in network.by_operator():
        evses[operator.id, operator.played] += len(rows)
    told = [{"operator": id, "played": played, "evses": number} for (id, played), number in evses.items()]  # noqa: A001
    return web.json_response({"evses": len(network), "version": network.version, "operators": told})


async def _load(request: web.Request) -> web.Response:
    network = sandbox_of(request).network
    operator, name = request.query.get("operator"), request.query.get("name")
    taken = skipped = lines = 0
    rest = bytearray()

    def take(line: bytes) -> None:
        nonlocal taken, skipped
        if line.strip():
            records = loading.data_records(pydantic_core.from_json(line))
            loaded = loading.load(network, records, operator, name)
            taken, skipped = taken + loaded.records, skipped + loaded.skipped

    try:
        async for chunk in request.content.iter_any():
            rest += chunk
            if b"\n" not in chunk:
                continue
            *whole, last = rest.split(b"\n")
            rest = last
            for line in whole:
                take(bytes(line))
                lines += 1
                if lines % _AT_ONCE == 0:
                    await asyncio.sleep(0)
        take(bytes(rest))
    except ValueError as error:
        return problem(400, f"line {lines + 1}: {error}")
    return web.json_response({"records": taken, "skipped": skipped, "evses": len(network)})


async def _withdraw(request: web.Request) -> web.Response:
    network, raw = sandbox_of(request).network, await request.read()
    try:
        given = pydantic_core.from_json(raw) if raw else None
    except ValueError as error:
        return problem(400, str(error))
    if given is None:
        keys = [network.key(row) for row in network.rows() if network.owner(row).played]
    elif isinstance(given, list) and all(isinstance(each, str) for each in given):
        keys = [EvseId(each).normal for each in given]
    else:
        return problem(400, "a list of EvseIDs is needed")
    for key in keys:
        network.withdraw(key)
    return web.json_response({"evses": len(network)})


async def _multiply(request: web.Request) -> web.Response:
    network = sandbox_of(request).network
    try:
        asked = _Multiply.model_validate_json(await request.read())
    except ValidationError as error:
        return problem(400, str(error))
    if (asked.times is None) is (asked.evses is None):
        return problem(400, "times or evses is needed")
    for _ in loading.multiplied(network, asked.evses or len(network) * (asked.times or 1)):
        await asyncio.sleep(0)
    return web.json_response({"evses": len(network)})


async def _change(request: web.Request) -> web.Response:
    try:
        asked = _Changes.model_validate_json(await request.read())
    except ValidationError as error:
        return problem(400, str(error))
    numbers = asked.model_dump(exclude={"seed"})
    return web.json_response(loading.changed(sandbox_of(request).network, numbers, asked.seed))


async def _statuses(request: web.Request) -> web.Response:
    network = sandbox_of(request).network
    try:
        given = pydantic_core.from_json(await request.read())
        if isinstance(given, dict) and "shuffle" in given:
            asked = _Shuffle.model_validate(given)
            return web.json_response({"set": loading.shuffled_statuses(network, asked.shuffle, asked.seed)})
    except ValueError as error:
        return problem(400, str(error))
    unknown = []
    done = 0
    for record in loading.status_records(given):
        text, status = record["EvseID"], record["EvseStatus"]
        if not isinstance(text, str) or not isinstance(status, str):
            return problem(400, f"no EvseStatusRecord: {record}")
        if network.set_status(EvseId(text).normal, status):
            done += 1
        else:
            unknown.append(text)
    return web.json_response({"set": done, "unknown": unknown})
