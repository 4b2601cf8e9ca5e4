"""An EMP's gateway that is called as Hubject calls it, over real TLS."""

import io
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
import trustme
from aiohttp import web
from cryptography import x509

from adapters.core.peers import Peers
from adapters.core.tls import ListenerTls
from adapters.hubject import HUB
from tests.adapters.doubles import Measured, Network, Tokens, connection, gateway
from tests.adapters.doubles_roaming import Homecoming, OwnDrivers
from tests.adapters.hubject.charging import CARD, asking, cdr, note, stopping
from tests.adapters.hubject.provider import driver, provider_settings
from tests.mappings.oicp.charges import SESSION_ID

OPERATOR = "operators/FR*HUB"
START = f"charging/v21/{OPERATOR}/authorize/start"
STOP = f"charging/v21/{OPERATOR}/authorize/stop"
CDR = f"cdrmgmt/v22/{OPERATOR}/charge-detail-record"
NOTE = "notificationmgmt/v11/charging-notifications"

MESSAGES: dict[str, dict[str, Any]] = {
    START: asking(SessionID=SESSION_ID),
    STOP: stopping(SESSION_ID),
    CDR: cdr(SESSION_ID),
    NOTE: note(SESSION_ID),
}


@dataclass
class Called:
    """An EMP's gateway that Hubject calls.

    Attributes:
        hub: Hubject's certificate.
        answers: What was said, in order.
    """

    url: str
    authority: trustme.CA
    hub: trustme.LeafCert
    registry: Tokens
    drivers: OwnDrivers
    received: Homecoming
    measured: Measured
    answers: list[dict[str, Any]] = field(default_factory=list)

    def change(self, **changes: Any) -> None:
        real = {"base_url": "https://service-qa.hubject.com", "sandbox": False, "client_certificate": "ours.pem"}
        changed = provider_settings(**(real | {"hub_certificates": [{"subject": self.subject}]} | changes))
        self.registry.connection = replace(self.registry.connection, settings=changed.model_dump(mode="json"))

    async def post(
        self,
        path: str,
        body: Any,
        *,
        shown: trustme.LeafCert | None = None,
        headers: dict[str, str] | None = None,
        root: str = "/oicp/hubject-test",
    ) -> dict[str, Any]:
        """Calls as the holder of a certificate. What is answered is judged by the EMP's OpenAPI."""
        context: ssl.SSLContext | bool = True
        if self.url.startswith("https"):
            context = ssl.create_default_context()
            self.authority.configure_trust(context)
            if shown is not None:
                shown.configure_cert(context)
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        connector = aiohttp.TCPConnector(ssl=context)
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.post(f"{self.url}{root}/{path}", data=io.BytesIO(raw), headers=headers) as answer,
        ):
            assert answer.status == 200
            said: dict[str, Any] = json.loads(await answer.text())
            self.answers.append(said)
            return said

    async def code(self, path: str, body: Any, **options: Any) -> str:
        """Calls as Hubject; gives the code of the answer."""
        said = await self.post(path, body, **({"shown": self.hub} | options))
        code: str = said["StatusCode"]["Code"]
        good = said["AuthorizationStatus"] == "Authorized" if "AuthorizationStatus" in said else said["Result"]
        assert good is (code == "000")
        return code

    @property
    def untouched(self) -> bool:
        """Whether the gateway was asked and told nothing."""
        drivers, received = self.drivers, self.received
        return not (drivers.asked or drivers.asked_to_stop or received.cdrs or received.pieces)

    @property
    def subject(self) -> str:
        own = x509.load_pem_x509_certificate(self.hub.cert_chain_pems[0].bytes())
        return own.subject.rfc4514_string()


@asynccontextmanager
async def calling(folder: Path, peers: Peers, *, tls: bool) -> AsyncIterator[Called]:
    authority = trustme.CA()
    server = authority.issue_cert("127.0.0.1")
    hub = authority.issue_cert(common_name="hub.example", organization_name="Hub, Inc.")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    server.private_key_and_cert_chain_pem.write_to_path(str(folder / "tls.pem"))
    drivers, received, measured = OwnDrivers(driver(CARD)), Homecoming(), Measured()
    registry = Tokens(connection("hubject", {}))
    app = web.Application()
    made = gateway(
        Network([]), registry, measured, "https://gateway.test", drivers=drivers, received=received, peers=peers
    )
    assert HUB.routes is not None
    app.add_routes(HUB.routes(made))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    context = ListenerTls(folder / "ca.pem", folder / "tls.pem", None).context if tls else None
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    url = f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
    called = Called(url, authority, hub, registry, drivers, received, measured)
    called.change()
    try:
        yield called
    finally:
        await runner.cleanup()
