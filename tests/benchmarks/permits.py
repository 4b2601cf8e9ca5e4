"""How long a hub waits that asks for a driver of ours, among very many whose tokens are stored.

Hubject is played here, by cheap means, at the real route; the gateway is a process of its own.
"""

import json
import random
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from adapters.core.inbound import Window
from gateway.app import App, assembled
from gateway.cli.bench.figures import Figure
from gateway.cli.bench.wire import Wire, wire
from gateway.cli.demo.stage import Stage, stage
from gateway.cli.percentiles import percentile
from gateway.store.pool import Store
from tests.benchmarks.authorise import RATE, SECONDS
from tests.benchmarks.paced import WARM_UP, Post, paced

TOKENS = 5_000_000

_CONNECTIONS = 32
_CHUNK = 250_000
_PAGE = 1_000
_EMSP, _CPO = "FR*RGT", "NL*PRT"
_NAME = "hubject-bench"
_SETTINGS = {
    "sandbox": True,
    "trust_loopback": True,
    "provider_id": _EMSP,
    "base_url": "http://127.0.0.1:9",
    "authentication": False,
}

# As the gateway writes them; what is projected of them to hubs is none of this measurement's.
_FILL = """
INSERT INTO driver_token (party, type, uid, uid_key, contract_key, driver, valid, body, digest, last_updated)
SELECT $1, 'RFID', uid, uid, 'FRRGTC' || serial, 'driver-' || n, true,
    json_build_object('party', $1::text, 'uid', uid, 'type', 'RFID', 'contract_id', 'FR-RGT-C' || serial,
        'issuer', 'RGT', 'valid', true, 'whitelist', 'ALLOWED', 'last_updated', '2026-01-01T00:00:00Z'),
    '\\x00', '2026-01-01T00:00:00Z'
FROM (
    SELECT n, '04' || lpad(upper(to_hex(n)), 12, '0') AS uid, lpad(n::text, 8, '0') AS serial
    FROM generate_series($2::int, $3::int) AS s(n)
) numbered
"""


async def measure(
    url: str, folder: Path, *, tokens: int = TOKENS, rate: float = RATE, seconds: float = SECONDS
) -> list[Figure]:
    """Asks at a rate for drivers picked at random, over plain HTTP; then pulls pages of the list."""
    async with stage(url, folder, limits=False, tls=False) as on_stage:
        await _prepare(on_stage)
        await _fill(on_stage.settings.database_url or url, tokens)
        path = f"/oicp/{_NAME}/api/oicp/charging/v21/operators/{_CPO}/authorize/start"
        async with wire(on_stage.url + path, {"Content-Type": "application/json"}, _CONNECTIONS) as hub:
            post = _asks(hub, tokens)
            await paced(post, rate, WARM_UP)
            took = sorted(await paced(post, rate, seconds))
        name = f"permit: {tokens:,} driver tokens at {rate:g}/s"
        figures = [
            Figure.of(f"{name}, p{100 * share:g}", 1000 * (percentile(took, share) or 0.0), "ms", goal, better="less")
            for share, goal in ((0.5, 5.0), (0.99, None))
        ]
        async with assembled(on_stage.settings) as app:
            await app.links.refresh()
            return [*figures, *await _pull(app, tokens)]


async def _prepare(on_stage: Stage) -> None:
    """Makes the connection before there are tokens, so that there are none to be brought to it."""
    party = {"id": _EMSP, "roles": ["EMSP"], "business": {"name": "RGT"}}
    await on_stage.call("PUT", f"/v1/parties/{_EMSP}", party)
    connection: dict[str, Any] = {"name": _NAME, "hub": "hubject", "mode": "live", "settings": _SETTINGS}
    await on_stage.call("POST", "/v1/connections", connection)


async def _fill(url: str, tokens: int) -> None:
    store = Store(url, size=1)
    await store.open()
    try:
        for first in range(1, tokens + 1, _CHUNK):
            await store.pool.execute(_FILL, _EMSP, first, min(first + _CHUNK - 1, tokens), timeout=600)
        await store.pool.execute("VACUUM ANALYZE driver_token", timeout=600)
    finally:
        await store.close()


def _asks(hub: Wire, tokens: int) -> Post:
    dice = random.Random(1)

    async def post(number: int) -> float:
        card = {"RFIDMifareFamilyIdentification": {"UID": f"04{dice.randint(1, tokens):012X}"}}
        body = {
            "SessionID": str(uuid4()),
            "OperatorID": _CPO,
            "EvseID": f"{_CPO}*E{number % 1000}",
            "Identification": card,
        }
        sent = json.dumps(body, separators=(",", ":")).encode()
        began = time.perf_counter()
        status, answer = await hub.post(sent)
        took = time.perf_counter() - began
        if status != 200 or json.loads(answer)["AuthorizationStatus"] != "Authorized":
            raise RuntimeError(f"{status}: {answer[:500].decode()}")
        return took

    return post


async def _pull(app: App, tokens: int) -> list[Figure]:
    """Pulls pages of all tokens, as over OCPI: the first, the one after it, and one that nobody led up to."""
    link = app.links.by_name(_NAME)
    assert link is not None
    figures = []
    for what, offset in (("the first", 0), ("the next", _PAGE), ("one at the end", tokens - _PAGE)):
        began = time.perf_counter()
        page = await app.drivers.tokens(link.connection, Window(offset, _PAGE))
        took = 1000 * (time.perf_counter() - began)
        if len(page.objects) != _PAGE or page.total != tokens:
            raise RuntimeError(f"{len(page.objects)} of {page.total} tokens at {offset}")
        figures.append(Figure.of(f"tokens pulled: a page of {_PAGE:,}, {what}", took, "ms", better="less"))
    return figures
