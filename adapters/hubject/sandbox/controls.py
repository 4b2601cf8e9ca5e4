"""How the sandbox Hubject is told who its partners are, who has contracts, what prices are, what goes wrong in pulls.

| request | what it does |
| --- | --- |
| `GET /_sandbox/partners` | who is registered, where their gateways are, and the hub's own ids of them |
| `POST /_sandbox/partners` | registers some, or tells their new URLs: `[{"provider", "url", "sub_providers"}]`, \
`[{"operator", "url"}]` |
| `GET`, `POST`, `DELETE /_sandbox/contracts` | who has none (`Contract`); what is said last counts; everybody has all |
| `/_sandbox/pull-faults`, `/_sandbox/pricing-products`, `/_sandbox/evse-pricing` | see `pull_faults`, `pricing` |
"""

from dataclasses import replace
from typing import Any, Final

import pydantic_core
from aiohttp import web
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator

from adapters.core.sandbox import PREFIX
from adapters.hubject.sandbox.control import problem, sandbox_of
from adapters.hubject.sandbox.ngp.model import internal_id
from adapters.hubject.sandbox.partners import Contract, Partner, Provider
from adapters.hubject.sandbox.pull_faults import FAULTS
from mappings.canonical.ids import PartyId

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


_REGISTRATIONS: Final = TypeAdapter(list[_Registration])


def routes() -> list[web.RouteDef]:
    """Gives the control routes."""
    return [
        web.get(f"{PREFIX}/partners", _partners),
        web.post(f"{PREFIX}/partners", _register),
        web.get(f"{PREFIX}/contracts", _contracts),
        web.post(f"{PREFIX}/contracts", _agree),
        web.delete(f"{PREFIX}/contracts", _agree_to_all),
        web.get(f"{PREFIX}/pull-faults", _pull_faults),
        web.post(f"{PREFIX}/pull-faults", _arm),
        web.delete(f"{PREFIX}/pull-faults", _disarm),
        web.post(f"{PREFIX}/pricing-products", _set_products),
        web.delete(f"{PREFIX}/pricing-products", _forget_products),
        web.post(f"{PREFIX}/evse-pricing", _set_evse_pricing),
        web.delete(f"{PREFIX}/evse-pricing", _forget_evse_pricing),
    ]


async def _partners(request: web.Request) -> web.Response:
    sandbox = sandbox_of(request)
    told: list[dict[str, Any]] = [
        {"operator": key, "url": partner.url or sandbox.gateway, "id": internal_id(key, emp=False)}
        for key, partner in sandbox.partners.items()
    ]
    told += [
        {"provider": key, "url": provider.url, "id": internal_id(key, emp=True)}
        for key, provider in sandbox.providers.items()
    ]
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
