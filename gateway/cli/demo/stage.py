"""Sets the stage: a database, both sandbox hubs and a gateway, each a process of its own, and the connections made."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import aiohttp
from pydantic import JsonValue

from gateway.cli.demo import network
from gateway.cli.demo.network import OPERATORS
from gateway.cli.demo.processes import Child, Failed, answers, exists, free_port, started
from gateway.cli.hubs import PRICING, Hubs
from gateway.settings import Settings
from gateway.store.migrate import migrate
from gateway.store.pool import Store
from gateway.store.secrets import Cipher
from mappings.canonical.ids import PartyId

HUBS = ("gireve", "hubject")
"""Names of the demo's connections; each is named after its hub."""


EMSPS = {"gireve": PartyId("FR*EVP"), "hubject": PartyId("DE*DRV")}
"""Whose drivers come over which hub."""

OWN_EMSP = PartyId("FR*RGT")
"""Our own, whose drivers roam over both hubs and at home."""

PARTNER = PartyId.of(*network.PARTNER[:2])
"""The CPO behind both hubs at whose stations they charge."""

HOME = "home"
"""Name of the own network's connection."""

_KNOWN_EMSPS = {"gireve": "emsps", "hubject": "providers"}


class Refused(Failed):
    """The gateway or a hub did not do what the demo asked; the text is the answer."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What stands on the stage.

    Attributes:
        settings: Of the gateway, with which its database can also be read from here.
        gateway: The gateway's process, to be killed and started again.
        http: A session with the key for everything.
    """

    settings: Settings
    gateway: Child
    hubs: Hubs
    http: aiohttp.ClientSession

    @property
    def url(self) -> str:
        """The gateway's URL, without a trailing slash."""
        return self.settings.public_url

    async def call(self, method: str, path: str, body: JsonValue = None, *, may_refuse: bool = False) -> Any:
        """Asks the gateway; gives None for a no where there may be one.

        Raises:
            Refused: It answered with an error; where it may refuse, with one of its own.
        """
        async with self.http.request(method, f"{self.url}{path}", json=body) as answer:
            if may_refuse and 400 <= answer.status < 500:
                return None
            if answer.status >= 400:
                raise Refused(f"{method} {path}: {answer.status} {await answer.text()}")
            return await answer.json()

    async def drive(
        self, hub: str, what: str, body: JsonValue = None, *, method: str = "POST", may_fail: bool = False
    ) -> Any:
        """Tells a sandbox hub to do something; gives its answer.

        Raises:
            Refused: It would not, or, unless it may fail, what it did came to nothing.
        """
        try:
            async with self.http.request(method, self._control(hub, what), json=body, ssl=False) as answer:
                if answer.status >= 400 and not (may_fail and answer.status >= 500):
                    raise Refused(f"{hub}: {await answer.text()}")
                return await answer.json()
        except aiohttp.ClientError:
            if not may_fail:
                raise
            return None  # it is down

    async def load(self, hub: str, what: str, lines: bytes) -> None:
        """Gives a sandbox hub a file to play with.

        Raises:
            Refused: It would not take it.
        """
        async with self.http.post(self._control(hub, what), data=lines, ssl=False) as answer:
            if answer.status >= 400:
                raise Refused(f"{hub}: {await answer.text()}")

    async def arm(self, hub: str, faults: list[JsonValue]) -> None:
        """Lets a sandbox hub fail."""
        await self.drive(hub, "faults", faults)

    async def memory(self, hub: str, kind: str) -> AsyncIterator[dict[str, Any]]:
        """Reads what a sandbox hub remembers of a kind: `key` and `record` of each."""
        url = self._control(hub, f"memory?kind={kind}")
        async with self.http.get(url, ssl=False, read_bufsize=2**22) as answer:
            async for line in answer.content:
                yield json.loads(line)

    def _control(self, hub: str, what: str) -> str:
        return f"{getattr(self.hubs, hub)}/_sandbox/{what}"

    async def connect(self, *, prices: bool = False) -> None:
        """Makes a party for each operator and a live connection to each hub, registered.

        Args:
            prices: Our prices are pushed to Hubject, too, which takes few such pushes a minute: until all is told, a
                minute may pass.
        """
        for country, code, name in OPERATORS:
            party = f"{country}*{code}"
            roles: JsonValue = ["CPO", "EMSP"] if PartyId(party) == OWN_EMSP else ["CPO"]
            await self.call("PUT", f"/v1/parties/{party}", {"id": party, "roles": roles, "business": {"name": name}})
        for hub in HUBS:
            settings = {**getattr(self.hubs, f"{hub}_settings"), _KNOWN_EMSPS[hub]: [EMSPS[hub].normal]}
            if hub == "gireve":
                settings["roles"] = ["CPO", "EMSP"]
            elif prices:
                # As fast as Hubject allows: nobody waits longer for a demo because of a push that has to be made twice.
                settings["pricing"] = {**PRICING, "per_minute": 6}
            connection: dict[str, Any] = {"name": hub, "hub": hub, "mode": "live", "settings": settings}
            await self.call("POST", "/v1/connections", connection)
        partners: JsonValue = [PARTNER.normal]
        emp: dict[str, Any] = {
            "hub": "hubject",
            "settings": {**self.hubs.hubject_emp_settings, "pricing_operators": partners},
        }
        own: dict[str, Any] = {"hub": HOME, "settings": {"emsps": [OWN_EMSP.normal]}}
        for name, made in (("hubject-emp", emp), (HOME, own)):
            await self.call("POST", "/v1/connections", {"name": name, "mode": "live", **made})
        await self.call("POST", "/v1/connections/gireve/register", {"token": self.hubs.gireve_token})


@asynccontextmanager
async def stage(database_url: str, folder: Path, *, limits: bool = True, tls: bool = True) -> AsyncIterator[Stage]:
    """Starts everything on an empty database, and stops it at the end.

    Args:
        folder: Where logs and certificates are written.
        limits: Whether Hubject keeps its published limits.
        tls: Whether Hubject is spoken to by mutual TLS.
    """
    settings = _settings(database_url)
    store = Store(database_url)
    await store.open()
    await migrate(store, "before")
    await migrate(store, "after")
    await store.close()
    async with AsyncExitStack() as stack:
        hubs = await _start_hubs(stack, folder, settings.public_url, limits=limits, tls=tls)
        child = Child(["run"], _environment(settings), answers(f"{settings.public_url}/readyz"), folder / "gateway.log")
        await stack.enter_async_context(started(child))
        # A sandbox's authority is its own; what is asked of it here are control requests on loopback.
        headers = {"Authorization": f"Bearer {settings.admin_key}"}
        session = aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=3600))
        http = await stack.enter_async_context(session)
        yield Stage(settings, child, hubs, http)


def _settings(database_url: str) -> Settings:
    port = free_port()
    return Settings(
        host="127.0.0.1",
        port=port,
        public_url=f"http://127.0.0.1:{port}",
        database_url=database_url,
        secret_key=Cipher.new_key(),
        admin_key=token_urlsafe(32),
    )


def _environment(settings: Settings) -> dict[str, str]:
    return {
        "ROAMGATE_HOST": settings.host,
        "ROAMGATE_PORT": str(settings.port),
        "ROAMGATE_PUBLIC_URL": settings.public_url,
        "DATABASE_URL": settings.database_url or "",
        "ROAMGATE_SECRET_KEY": settings.secret_key,
        "ROAMGATE_ADMIN_KEY": settings.admin_key or "",
    }


async def _start_hubs(stack: AsyncExitStack, folder: Path, gateway: str, *, limits: bool, tls: bool) -> Hubs:
    gireve, hubject, shown = free_port(), free_port(), folder / "hubs.json"
    arguments = ["sandbox", "--gireve-port", str(gireve), "--hubject-port", str(hubject), "--show", str(shown)]
    arguments += ["--gateway", gateway]
    if tls:
        arguments += ["--certificates", str(folder / "certificates")]
    if not limits:
        arguments += ["--no-limits"]
    child = Child(arguments, {}, exists(shown), folder / "hubs.log")
    await stack.enter_async_context(started(child))
    return Hubs.model_validate_json(shown.read_text())
