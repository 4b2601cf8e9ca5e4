"""How the sandbox Hubject is told who its partners are, what played CPOs have, and what goes wrong in pulls.

| request | what it does |
| --- | --- |
| `GET /_sandbox/partners` | who is registered, and where their gateways are |
| `POST /_sandbox/partners` | registers some, or tells their new URLs: `[{"provider", "url", "sub_providers"}]`, \
`[{"operator", "url"}]` |
| `GET`, `POST`, `DELETE /_sandbox/contracts` | who has none (`Contract`); what is said last counts; everybody has all |
| `GET /_sandbox/network` | how many EVSEs there are, of whom |
| `POST /_sandbox/network?operator=&name=` | EvseDataRecords of played CPOs, NDJSON; or a published file, as it is |
| `DELETE /_sandbox/network` | withdraws the EVSEs of a JSON list of EvseIDs; without a body, all of played CPOs |
| `POST /_sandbox/multiply` | `{"times": 6}` or `{"evses": 1000000}`: repeats them under other parties |
| `POST /_sandbox/changes` | `{"insert": 1, "update": 5, "delete": 2, "seed": 1}`: changes so many, drawn by lot |
| `POST /_sandbox/statuses` | a list of EvseStatusRecords, a published file, or `{"shuffle": 1000, "seed": 1}` |
| `/_sandbox/pull-faults`, `/_sandbox/pricing-products`, `/_sandbox/evse-pricing` | see `pull_faults`, `pricing` |
"""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Annotated, Any, Final

import pydantic_core
from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from adapters.core.sandbox import PREFIX, SANDBOX
from adapters.hubject.sandbox import loading
from adapters.hubject.sandbox.partners import Contract, Partner, Provider
from adapters.hubject.sandbox.pull_faults import FAULTS
from adapters.hubject.sandbox.state import HubjectSandbox
from mappings.canonical.ids import EvseId, PartyId

_AT_ONCE: Final = 500
"""Records that are taken before anybody else is served."""
_CONTRACTS: Final = TypeAdapter(list[Contract])


class _Registration(BaseModel):
    """A partner: an EMP, or a CPO."""

    model_config = ConfigDict(extra="forbid")

    provider: PartyId | None = None
    operator: PartyId | None = None
    url: str | None = None
    sub_providers: frozenset[PartyId] | None = None

    @model_validator(mode="after")
    def _one(self) -> "_Registration":
        if (self.provider is None) is (self.operator is None):
            raise ValueError("provider or operator is needed")
        return self


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


_REGISTRATIONS: Final = TypeAdapter(list[_Registration])


def routes() -> list[web.RouteDef]:
    """Gives the control routes."""
    return [
        web.get(f"{PREFIX}/partners", _partners),
        web.post(f"{PREFIX}/partners", _register),
        web.get(f"{PREFIX}/contracts", _contracts),
        web.post(f"{PREFIX}/contracts", _agree),
        web.delete(f"{PREFIX}/contracts", _agree_to_all),
        web.get(f"{PREFIX}/network", _network),
        web.post(f"{PREFIX}/network", _load),
        web.delete(f"{PREFIX}/network", _withdraw),
        web.post(f"{PREFIX}/multiply", _multiply),
        web.post(f"{PREFIX}/changes", _change),
        web.post(f"{PREFIX}/statuses", _statuses),
        web.get(f"{PREFIX}/pull-faults", _pull_faults),
        web.post(f"{PREFIX}/pull-faults", _arm),
        web.delete(f"{PREFIX}/pull-faults", _disarm),
        web.post(f"{PREFIX}/pricing-products", _set_products),
        web.delete(f"{PREFIX}/pricing-products", _forget_products),
        web.post(f"{PREFIX}/evse-pricing", _set_evse_pricing),
        web.delete(f"{PREFIX}/evse-pricing", _forget_evse_pricing),
    ]


def sandbox_of(request: web.Request) -> HubjectSandbox:
    """Gives the sandbox that a request is for."""
    sandbox = request.app[SANDBOX]
    assert isinstance(sandbox, HubjectSandbox)  # noqa: S101
    return sandbox


def problem(status: int, text: str) -> web.Response:
    """Makes the answer to an order that makes no sense."""
    return web.json_response({"detail": text}, status=status)


async def _partners(request: web.Request) -> web.Response:
    sandbox = sandbox_of(request)
    told: list[dict[str, Any]] = [
        {"operator": key, "url": partner.url or sandbox.gateway} for key, partner in sandbox.partners.items()
    ]
    told += [{"provider": key, "url": provider.url} for key, provider in sandbox.providers.items()]
    return web.json_response(told)


async def _register(request: web.Request) -> web.Response:
    sandbox = sandbox_of(request)
    try:
        registrations = _REGISTRATIONS.validate_json(await request.read())
    except ValidationError as error:
        return problem(400, str(error))
    for each in registrations:
        if each.provider is not None:
            known = sandbox.providers.get(each.provider.normal, Provider(each.provider))
            subs = known.sub_providers if each.sub_providers is None else each.sub_providers
            sandbox.providers[each.provider.normal] = replace(known, url=each.url, sub_providers=subs)
        elif each.operator is not None:
            partner = sandbox.partners.get(each.operator.normal, Partner(each.operator))
            sandbox.partners[each.operator.normal] = replace(partner, url=each.url)
    return await _partners(request)


async def _contracts(request: web.Request) -> web.Response:
    return web.json_response([each.model_dump(mode="json") for each in sandbox_of(request).contracts])


async def _agree(request: web.Request) -> web.Response:
    try:
        sandbox_of(request).contracts += _CONTRACTS.validate_json(await request.read())
    except ValidationError as error:
        return problem(400, str(error))
    return await _contracts(request)


async def _agree_to_all(request: web.Request) -> web.Response:
    sandbox_of(request).contracts.clear()
    return web.json_response([])


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


async def _pull_faults(request: web.Request) -> web.Response:
    return web.json_response(sandbox_of(request).pull_faults.shown())


async def _arm(request: web.Request) -> web.Response:
    try:
        sandbox_of(request).pull_faults.add(FAULTS.validate_json(await request.read()))
    except ValidationError as error:
        return problem(400, str(error))
    return await _pull_faults(request)


async def _disarm(request: web.Request) -> web.Response:
    sandbox_of(request).pull_faults.clear()
    return web.json_response([])


async def _set_products(request: web.Request) -> web.Response:
    sandbox = sandbox_of(request)
    try:
        sandbox.pricing.set_products(sandbox.wall(), pydantic_core.from_json(await request.read()))
    except (ValueError, TypeError, KeyError) as error:
        return problem(400, f"no list of PricingProductDataType: {error!r}")
    return web.json_response({})


async def _forget_products(request: web.Request) -> web.Response:
    sandbox_of(request).pricing.forget_products()
    return web.json_response({})


async def _set_evse_pricing(request: web.Request) -> web.Response:
    sandbox = sandbox_of(request)
    try:
        sandbox.pricing.set_evses(sandbox.wall(), pydantic_core.from_json(await request.read()))
    except (ValueError, TypeError, KeyError) as error:
        return problem(400, f"no list of OperatorEVSEPricing: {error!r}")
    return web.json_response({})


async def _forget_evse_pricing(request: web.Request) -> web.Response:
    sandbox_of(request).pricing.forget_evses()
    return web.json_response({})
