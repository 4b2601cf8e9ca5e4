"""eRoamingPullEvseStatus, …ByID and …ByOperatorID, and the two pulls of prices."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import pydantic_core
from aiohttp import web
from pydantic_core import to_json

from adapters.core.http import compact_json
from adapters.hubject.sandbox.network import Network
from adapters.hubject.sandbox.pages import Asked
from adapters.hubject.sandbox.partners import Provider, Service
from adapters.hubject.sandbox.pull_faults import PullFaultKind, reshaped
from adapters.hubject.sandbox.selections import party, within
from adapters.hubject.sandbox.state import HubjectSandbox, without_nulls
from mappings.canonical.ids import EvseId, PartyId

STATUS, BY_ID, BY_OPERATOR = "pull_evse_status", "pull_evse_status_by_id", "pull_evse_status_by_operator"
PRODUCTS, EVSE_PRICING = "pull_pricing_products", "pull_evse_pricing"


async def statuses(asked: Asked) -> web.Response:
    """Answers eRoamingPullEVSEStatus with the statuses of all operators."""
    sandbox, _, body, _ = asked
    wanted = body.get("EVSEStatus")
    near = within(body["SearchCenter"]) if "SearchCenter" in body else None
    network = sandbox.network

    def meant(row: int) -> bool:
        if wanted is not None and network.status(row) != wanted:
            return False
        return near is None or near(pydantic_core.from_json(b"{" + network.body(row)))

    everything = wanted is None and near is None
    blocks = [
        (operator.id, operator.name, rows if everything else [row for row in rows if meant(row)])
        for operator, rows in network.by_operator()
    ]
    return _by_operator(sandbox, STATUS, blocks)


async def by_operator(asked: Asked) -> web.Response:
    """Answers eRoamingPullEVSEStatusByOperatorID."""
    sandbox, _, body, _ = asked
    operators = {party(text) for text in body["OperatorID"]}
    found = [
        (operator.id, operator.name, rows)
        for operator, rows in sandbox.network.by_operator()
        if party(operator.id) in operators
    ]
    return _by_operator(sandbox, BY_OPERATOR, found)


async def by_id(asked: Asked) -> web.Response:
    """Answers eRoamingPullEVSEStatusByID; what Hubject does not know has the status EvseNotFound."""
    sandbox, _, body, _ = asked
    records = [{"EvseID": text, "EvseStatus": _status(sandbox.network, text)} for text in body["EvseID"]]
    sandbox.counted(BY_ID, "ok")
    return _json({"EVSEStatusRecords": {"EvseStatusRecord": records}, "StatusCode": without_nulls("000")})


def _status(network: Network, evse_id: str) -> str:
    row = network.row(EvseId(evse_id).normal)
    return (None if row is None else network.status(row)) or "EvseNotFound"


def _by_operator(sandbox: HubjectSandbox, name: str, blocks: Iterable[tuple[str, str, Sequence[int]]]) -> web.Response:
    network = sandbox.network
    words = {None: b""} | {status: b',"EvseStatus":%s}' % to_json(status) for status in network.statuses}
    parts = []
    for operator, operator_name, rows in blocks:
        told = [
            b'{"EvseID":%s%s' % (to_json(network.evse_id(row)), word)
            for row in rows
            if (word := words[network.status(row)])
        ]
        if told:
            head = b'{"OperatorID":%s,"OperatorName":%s,' % (to_json(operator), to_json(operator_name or operator))
            parts.append(head + b'"EvseStatusRecord":[' + b",".join(told) + b"]}")
    status = to_json(without_nulls("000"))
    raw = b'{"EvseStatuses":{"OperatorEvseStatus":[%s]},"StatusCode":%s}' % (b",".join(parts), status)
    sandbox.counted(name, "ok")
    if fault := sandbox.pull_faults.drawn(PullFaultKind.STATUS_SHAPE):
        return _json(reshaped(pydantic_core.from_json(raw), fault.shape))
    return web.Response(body=raw, content_type="application/json")


async def products(asked: Asked) -> web.Response:
    """Answers eRoamingPullPricingProductData."""
    sandbox, provider, body, _ = asked
    found = sandbox.pricing.products(provider.provider, _agreed(sandbox, provider, body), _since(body))
    sandbox.counted(PRODUCTS, "ok")
    return _json({"PricingProductData": found, "StatusCode": without_nulls("000")})


async def evse_pricing(asked: Asked) -> web.Response:
    """Answers eRoamingPullEVSEPricing."""
    sandbox, provider, body, _ = asked
    found = sandbox.pricing.evses(provider.provider, _agreed(sandbox, provider, body), _since(body))
    sandbox.counted(EVSE_PRICING, "ok")
    return _json({"EVSEPricing": found, "StatusCode": without_nulls("000")})


def _agreed(sandbox: HubjectSandbox, provider: Provider, body: Mapping[str, Any]) -> list[str]:
    """Gives the operators asked for with whom the EMP has a contract on prices."""
    asked = [PartyId(text) for text in body["OperatorIDs"]]
    return [each.normal for each in asked if sandbox.agreed(provider.provider, Service.PRICING, each)]


def _since(body: Mapping[str, Any]) -> datetime | None:
    return None if "LastCall" not in body else datetime.fromisoformat(body["LastCall"])


def _json(body: Any) -> web.Response:
    return web.Response(body=compact_json(body), content_type="application/json")
