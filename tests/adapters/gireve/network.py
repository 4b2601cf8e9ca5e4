"""A small network for the tests of Gireve, and a sandbox with a gateway's side registered to it."""

import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import aiohttp
from aiohttp import web

from adapters.core import ocpi
from adapters.core.hub import Gateway
from adapters.core.sandbox import SANDBOX, Sandbox, SandboxServer
from adapters.gireve.registration import register
from adapters.gireve.sandbox import SandboxSettings, create
from adapters.gireve.server import Inbound
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.locations import (
    Capability,
    Connector,
    ConnectorFormat,
    ConnectorStandard,
    Evse,
    EvseStatus,
    GeoPoint,
    Location,
    PowerType,
)
from mappings.canonical.parties import Party, Role
from mappings.canonical.tariffs import PriceComponent, Tariff, TariffDimension, TariffElement, TariffType
from mappings.canonical.texts import Business
from tests.adapters import doubles

AT = datetime(2026, 6, 7, 18, 40, 7, tzinfo=UTC)
ABC, XYZ = PartyId("FR*ABC"), PartyId("FR*XYZ")
EMSP = PartyId("DE*MP1")
TOKEN_A = "token-a-of-the-tests"


def connector(key: str = "1", tariffs: Sequence[str] = ("T1",), **changes: Any) -> Connector:
    fields: dict[str, Any] = {
        "id": key,
        "standard": ConnectorStandard.IEC_62196_T2,
        "format": ConnectorFormat.SOCKET,
        "power_type": PowerType.AC_3_PHASE,
        "max_voltage": 400,
        "max_amperage": 32,
        "max_power": Decimal(22_000),
        "tariff_ids": tuple(tariffs),
        "last_updated": AT,
    }
    return Connector(**(fields | changes))


def evse(uid: str, status: EvseStatus = EvseStatus.AVAILABLE, **changes: Any) -> Evse:
    fields: dict[str, Any] = {
        "uid": uid,
        "evse_id": EvseId(f"FR*ABC*E{uid}"),
        "status": status,
        "capabilities": (Capability.RFID_READER, Capability.REMOTE_START_STOP_CAPABLE),
        "connectors": (connector(),),
        "last_updated": AT,
    }
    return Evse(**(fields | changes))


def location(key: str = "LOC1", evses: Sequence[Evse] | None = None, **changes: Any) -> Location:
    fields: dict[str, Any] = {
        "party": ABC,
        "id": key,
        "publish": True,
        "name": "Gare de l'Est",
        "address": "Place du 11 Novembre 1918",
        "city": "Paris",
        "postal_code": "75010",
        "country": "FRA",
        "coordinates": GeoPoint(latitude=Decimal("48.8768"), longitude=Decimal("2.3592")),
        "evses": tuple(evses) if evses is not None else (evse("1"), evse("2", EvseStatus.CHARGING)),
        "operator": Business(name="ABC Charge"),
        "owner": Business(name="Ville de Paris"),
        "time_zone": "Europe/Paris",
        "last_updated": AT,
    }
    return Location(**(fields | changes))


def tariff(key: str = "T1", target: PartyId | None = None, price: str = "0.35", **changes: Any) -> Tariff:
    fields: dict[str, Any] = {
        "party": ABC,
        "id": key,
        "target": target,
        "currency": "EUR",
        "type": TariffType.REGULAR,
        "elements": (
            TariffElement(
                price_components=(PriceComponent(type=TariffDimension.ENERGY, price=Decimal(price), step_size=1),)
            ),
        ),
        "start": AT,
        "last_updated": AT,
    }
    return Tariff(**(fields | changes))


def with_status(place: Location, uid: str, status: EvseStatus, seconds: int = 60) -> Location:
    """The location after a status report, stamps risen as the gateway raises them."""
    at = AT + timedelta(seconds=seconds)
    evses = tuple(
        each.model_copy(update={"status": status, "last_updated": at}) if each.uid == uid else each
        for each in place.evses
    )
    return place.model_copy(update={"evses": evses, "last_updated": at})


PARTY = Party(id=ABC, roles=frozenset({Role.CPO}), business=Business(name="ABC Charge"))


@dataclass
class Pair:
    """A sandbox IOP and a gateway's side of the contract, both on loopback."""

    iop: SandboxServer
    sandbox: Sandbox
    gateway: Gateway
    network: doubles.Network
    commands: doubles.Orders
    tokens: doubles.Cards
    charges: doubles.Book
    registry: doubles.Tokens
    measured: doubles.Measured
    session: aiohttp.ClientSession

    async def drive(self, path: str, body: Any = None) -> tuple[int, Any]:
        """Makes a control request to the sandbox."""
        async with self.session.post(f"{self.iop.url}/_sandbox/{path}", json=body if body is not None else {}) as got:
            return got.status, await got.json()

    async def ask(self, path: str, token: str | None = None, method: str = "GET", **more: Any) -> tuple[int, Any, Any]:
        """Calls the gateway's side as IOP would; gives HTTP status, body and headers."""
        headers = ocpi.headers(token) if token is not None else {}
        headers |= more.pop("headers", {})
        url = path if path.startswith("http") else self.gateway.public_url + path
        async with self.session.request(method, url, headers=headers, **more) as got:
            return got.status, await got.json(), got.headers

    async def register(self) -> None:
        """Registers, begun by the gateway."""
        await register(self.registry.connection, self.gateway, TOKEN_A)


@asynccontextmanager
async def pair(
    sandbox_settings: SandboxSettings | None = None, network: doubles.Network | None = None, **settings: Any
) -> AsyncIterator[Pair]:
    """Starts both sides, not yet registered."""
    app = create(sandbox_settings or SandboxSettings(token=TOKEN_A))
    iop = SandboxServer(app)
    await iop.start()
    runner = web.AppRunner(web.Application())
    session = aiohttp.ClientSession()
    try:
        fields = {"versions_url": f"{iop.url}/ocpi/versions", "sandbox": True} | settings
        registry = doubles.Tokens(doubles.connection("gireve", fields))
        measured = doubles.Measured()
        known = network or doubles.Network([PARTY], [location()], [tariff()])
        bound = socket.create_server(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        commands, tokens, charges = doubles.Orders(), doubles.Cards(), doubles.Book()
        gateway = doubles.gateway(known, registry, measured, url, commands=commands, tokens=tokens, charges=charges)
        runner.app.add_routes(Inbound(gateway).routes())
        await runner.setup()
        await web.SockSite(runner, bound).start()
        yield Pair(iop, app[SANDBOX], gateway, known, commands, tokens, charges, registry, measured, session)
    finally:
        await session.close()
        await runner.cleanup()
        await iop.stop()
