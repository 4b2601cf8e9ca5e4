"""eRoamingPullEvseData: pages of what is there, or of what changed since a time (OICP 2.3 EMP, Delta pull)."""

from typing import Final

import pydantic_core
from aiohttp import web
from pydantic_core import to_json

from adapters.hubject.sandbox import geo
from adapters.hubject.sandbox.network import DELETE, UPDATE, Change, Network, stamped
from adapters.hubject.sandbox.pages import Asked, page_answer, pages_of
from adapters.hubject.sandbox.pull_faults import PullFaultKind, PullFaults, spoilt
from adapters.hubject.sandbox.selections import FORM, Selected

_NOBODYS: Final = -1
"""In the place of a row: the EVSE of `PullFaultKind.UNKNOWN_DELETE`."""
_STALE: Final = "stale"


async def evse_data(asked: Asked) -> web.Response:
    """Answers eRoamingPullEVSEData."""
    sandbox, body, page = asked.sandbox, asked.body, asked.page
    network, faults = sandbox.network, sandbox.pull_faults
    selected = sandbox.selections.of(body)
    if "LastCall" in body:
        selected = _disturbed(network, selected, faults)
    total = len(selected)
    pages = pages_of(page, total)
    if page.number >= pages - 1 and (fault := faults.drawn(PullFaultKind.LAST_PAGE_FAILS)):
        sandbox.counted("pull_evse_data", str(fault.status))
        return web.Response(status=fault.status, text="the sandbox was told to fail")
    start = page.number * page.size
    if start and faults.drawn(PullFaultKind.OVERLAPPING_PAGES):
        start -= 1
    chosen = selected[start : (page.number + 1) * page.size]
    form = body[FORM]
    content = [_record(network, each, form) for each in chosen]
    if fault := faults.drawn(PullFaultKind.INVALID_RECORDS):
        for place in range(-start % fault.every, len(content), fault.every):
            content[place] = spoilt(content[place], (start + place) // fault.every)
    answer = page_answer(content, page, total, faults.drawn(PullFaultKind.TOTAL_PAGES))
    if page.number < pages - 1 and chosen and faults.drawn(PullFaultKind.CHANGING_PAGES):
        _withdraw_one(network, chosen)
    sandbox.counted("pull_evse_data", "ok")
    return answer


def _disturbed(network: Network, selected: Selected, faults: PullFaults) -> Selected:
    reversing, adding = (
        faults.drawn(kind) for kind in (PullFaultKind.DELTAS_OUT_OF_ORDER, PullFaultKind.UNKNOWN_DELETE)
    )
    if reversing is None and adding is None:
        return selected
    changes = [each for each in selected if isinstance(each, Change)]
    if reversing:
        changes.sort(key=lambda each: network.updated(each.row), reverse=True)
        changes = [one for each in changes for one in (each, Change(each.row, _STALE))]
    return [*changes, Change(_NOBODYS, DELETE)] if adding else changes


def _withdraw_one(network: Network, chosen: Selected) -> None:
    for each in chosen:
        row = each.row if isinstance(each, Change) else each
        if row != _NOBODYS and network.owner(row).played:
            network.withdraw(network.key(row))
            return


def _record(network: Network, each: int | Change, form: str) -> bytes:
    row, delta = (each.row, each.delta) if isinstance(each, Change) else (each, None)
    if row == _NOBODYS:
        return _unknown(network, form)
    body = network.body(row)
    if b'"GeoCoordinates":{"%s"' % form.encode() not in body:
        body = _in_form(body, form)
    if delta != _STALE:
        return network.head(row, delta) + body
    # An hour older than the change itself, and another name, so that it is seen where it wins.
    record = pydantic_core.from_json(network.head(row, UPDATE, network.updated(row) - 3600) + body)
    record["ChargingStationNames"] = [{"lang": "en", "value": "stale"}]
    return to_json(record)


def _in_form(body: bytes, form: str) -> bytes:
    record = pydantic_core.from_json(b"{" + body)
    for field in ("GeoCoordinates", "GeoChargingPointEntrance"):
        if (at := geo.point(record.get(field))) is not None:
            record[field] = geo.written(at, form)
    return to_json(record)[1:]


def _unknown(network: Network, form: str) -> bytes:
    """Writes the deletion of an EVSE that never was; but for its id, it is like any other, and the same each time."""
    rows = network.rows()
    body, at = (_in_form(network.body(rows[0]), form), network.updated(rows[0])) if rows else (b"}", 0.0)
    head = b'{"deltaType":"delete","lastUpdate":"%s","EvseID":"DE*NIX*E404",' % stamped(int(at))
    return head + b'"OperatorID":"DE*NIX","OperatorName":"Nobody"' + (b"," if rows else b"") + body
