"""Who may speak to the NGP API, how often, and what goes wrong on purpose."""

import ssl
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from adapters.core.tls import client_context
from adapters.hubject.sandbox import HubjectSandbox, Partner, Provider, run
from mappings.canonical.ids import PartyId
from tests.adapters.hubject.network import HUB_CPO
from tests.adapters.hubject.ngp.judge import judge
from tests.adapters.hubject.ngp.test_offers import upload
from tests.adapters.hubject.ngp.trading import (
    ASSIGN,
    ATTACHMENTS,
    CONTRACTS,
    EMS,
    INFO,
    NETWORKS,
    OFFERS,
    Trade,
    trading,
)


async def test_a_certificate_speaks_for_its_own_party_alone(tmp_path: Path) -> None:
    sandbox = HubjectSandbox([Partner(HUB_CPO), Partner(PartyId("FR*OTH"))], providers=[Provider(EMS)])
    async with run(sandbox, tmp_path) as running:
        certificates = running.certificates
        assert certificates is not None
        trust = certificates.authority

        def shown(pair: Any) -> ssl.SSLContext:
            return client_context(trust, pair.certificate, pair.key)

        async def status(context: ssl.SSLContext, path: str) -> int:
            async with aiohttp.ClientSession(running.url) as session, session.get(path, ssl=context) as answer:
                return answer.status

        cpo, emp = shown(certificates.clients["FR*HUB"]), shown(certificates.providers["NL*EMS"])
        assert await status(cpo, INFO) == 200
        assert await status(cpo, INFO.replace("*", "%2A")) == 200
        assert await status(cpo, INFO.replace("HUB", "OTH")) == 403
        assert await status(emp, INFO) == 403
        assert await status(cpo, CONTRACTS) == 403
        assert await status(emp, CONTRACTS) == 200
        assert await status(emp, CONTRACTS.replace("FR*HUB", "XX*NIX")) == 404
        # The hub's own certificate is bound to nobody.
        assert await status(shown(certificates.hub), INFO) == 401
        nobody = ssl.create_default_context(cafile=str(trust))
        assert await status(nobody, INFO) == 400
        # People have a browser, and no certificate.
        assert await status(nobody, "/portal/cpos/FR*HUB") == 200


async def test_an_unregistered_party_is_not_found(trade: Trade) -> None:
    for path in (
        INFO.replace("FR*HUB", "XX*NIX"),
        INFO.replace("FR*HUB", "nobody"),
        CONTRACTS.replace("NL-EMS", "XX-X"),
    ):
        status, answer = await trade.ask("GET", path)
        assert status == 404
        judge("cpo-evse", "FaultBody", answer)


@pytest.mark.parametrize(
    ("method", "path"), [("POST", NETWORKS), ("PUT", ASSIGN), ("POST", OFFERS), ("PUT", f"{OFFERS}/x")]
)
async def test_what_is_no_json_is_refused(trade: Trade, method: str, path: str) -> None:
    async with trade.session.request(method, path, data=b"{") as answer:
        assert answer.status == 400
        assert (await answer.json())["validationErrors"][0]["fieldReference"] == "body"


async def test_the_published_limits_are_kept() -> None:
    async with trading(evses=(), limits=True) as trade:
        assert [(await upload(trade))[0] for _ in range(7)] == [201] * 6 + [429]
        assert [(await trade.ask("GET", INFO))[0] for _ in range(51)] == [200] * 50 + [429]
        path = f"{CONTRACTS}/service-offers/a/networks/b/groups/c/evses"
        assert [(await trade.ask("GET", path))[0] for _ in range(61)] == [404] * 60 + [429]
        # Each operation and party has its own.
        assert (await trade.ask("GET", INFO.replace("HUB", "OTH")))[0] == 200


async def test_faults_hit_offers_as_everything_else(trade: Trade) -> None:
    await trade.do("faults", [{"kind": "refuse", "path": "service-offers", "count": 1}])
    status, answer = await trade.ask("GET", INFO)
    assert status == 400
    judge("cpo-evse", "FaultBody", answer)
    await trade.do("faults", [{"kind": "refuse", "path": "networks", "code": "409", "count": 1}])
    assert (await trade.ask("POST", NETWORKS, {}))[0] == 409
    await trade.do("faults", [{"kind": "drop", "path": "networks", "count": 1}])
    body = {"evseNetworkName": "All", "evseGroups": [{"groupName": "A", "evseIds": []}]}
    with pytest.raises(aiohttp.ClientError):
        await trade.ask("POST", NETWORKS, body)
    # It was acted upon, so that the repetition is refused.
    assert await trade.wrong("POST", NETWORKS, body) == {"evseNetworkName"}
    await trade.do("faults", [{"kind": "throttle", "path": ATTACHMENTS.replace("*", "."), "count": 1}])
    async with trade.session.post(ATTACHMENTS) as throttled:
        assert throttled.status == 429


async def test_requests_are_counted_and_taken_offers_receipted(trade: Trade) -> None:
    await trade.subscribed(await trade.offer(await trade.network(["FR*HUB*E1"])))
    await trade.ask("POST", OFFERS, {})
    _, counts = await trade.ask("GET", "/_sandbox/counts")
    assert counts["requests"]["ngp_create_offer"] == {"400": 1, "ok": 1}
    async with trade.session.get("/_sandbox/receipts") as answer:
        text = await answer.text()
    assert text.count('"operation":"ngp_offers"') == text.count('"operation":"ngp_subscriptions"') == 1
