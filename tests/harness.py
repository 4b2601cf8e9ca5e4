"""A gateway in this process, with both sandbox hubs on loopback, and builders of a small network."""

import asyncio
import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from adapters.core.connection import Mode, Scope
from adapters.core.faults import Fault
from adapters.core.sandbox import SANDBOX, Sandbox, SandboxServer
from adapters.gireve.sandbox import SandboxSettings, create
from adapters.hubject.sandbox import HubjectSandbox, Partner, Provider, run
from gateway.app import App, assembled, now, running
from gateway.outbox.equality import Equality, compare
from gateway.services.ports import PutResult, StatusOutcome
from gateway.settings import Settings
from gateway.store.pool import Record
from gateway.store.secrets import Cipher
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.locations import (
    Connector,
    ConnectorFormat,
    ConnectorStandard,
    Evse,
    EvseStatus,
    EvseStatusReport,
    GeoPoint,
    Location,
    PowerType,
)
from mappings.canonical.parties import Party, Role
from mappings.canonical.tariffs import PriceComponent, Tariff, TariffDimension, TariffElement
from mappings.canonical.texts import Business
from tests.ports import free_port

AT = datetime(2026, 1, 1, tzinfo=UTC)
"""When the network was last changed, before any status."""

PARTY = PartyId("NL*ABC")
OTHER = PartyId("NL*XYZ")
KEY = Cipher.new_key()
TOKEN_A = SandboxSettings().token
ADMIN = "a key for everything, in tests"

DEFAULTS = {
    "hotline": "+31201234567",
    "accessibility": "Free publicly accessible",
    "open_24_hours": True,
    "renewable_energy": False,
    "calibration_law": "Not Available",
    "authentication_modes": ["REMOTE"],
    "payment_options": ["Contract"],
    "house_number": "1",
    "connector_format": "SOCKET",
}
KINDS = {"gireve": ("locations", "tariffs"), "hubject": ("evse_data", "evse_status")}
PRICES = ("pricing_products", "evse_pricing")
"""What Hubject has beside these where prices are pushed."""

WHO = "test"

PATIENCE = 60.0
"""Seconds after which a test no longer waits for what comes within one where the machine has nothing else to do."""


def later(seconds: float) -> datetime:
    """A moment after `AT`."""
    return AT + timedelta(seconds=seconds)


def evse(uid: str = "U1", evse_id: str | None = "NL*ABC*E1", at: datetime = AT, **changes: Any) -> Evse:
    """An EVSE with one socket."""
    connector = Connector(
        id="1",
        standard=ConnectorStandard.IEC_62196_T2,
        format=ConnectorFormat.SOCKET,
        power_type=PowerType.AC_3_PHASE,
        max_voltage=230,
        max_amperage=32,
        max_power=Decimal(22_000),
        tariff_ids=tuple(changes.pop("tariffs", ())),
        last_updated=AT,
    )
    fields: dict[str, Any] = {
        "uid": uid,
        "evse_id": None if evse_id is None else EvseId(evse_id),
        "status": EvseStatus.AVAILABLE,
        "connectors": (connector,),
        "last_updated": at,
    }
    return Evse.model_validate(fields | changes)


def location(id_: str = "L1", *evses: Evse, party: PartyId = PARTY, **changes: Any) -> Location:
    """A location; with the EVSE `U1` named after the location if none is given."""
    given = evses or (evse("U1", f"{party}*E{id_}"),)
    fields: dict[str, Any] = {
        "party": party,
        "id": id_,
        "publish": True,
        "address": "Straat 1",
        "city": "Utrecht",
        "postal_code": "1234AB",
        "country": "NLD",
        "coordinates": GeoPoint(latitude=Decimal("52.1"), longitude=Decimal("5.1")),
        "time_zone": "Europe/Amsterdam",
        "operator": Business(name="Op"),
        "owner": Business(name="Ow"),
        "evses": given,
        "last_updated": max(one.last_updated for one in given),
    }
    return Location.model_validate(fields | changes)


def tariff(id_: str = "T1", price: str = "0.5", party: PartyId = PARTY, **changes: Any) -> Tariff:
    """A tariff with a price for energy."""
    component = PriceComponent(type=TariffDimension.ENERGY, price=Decimal(price), step_size=1)
    fields: dict[str, Any] = {
        "party": party,
        "id": id_,
        "currency": "EUR",
        "elements": (TariffElement(price_components=(component,)),),
        "last_updated": AT,
    }
    return Tariff.model_validate(fields | changes)


def report(
    status: EvseStatus | str, at: datetime | None, location_id: str = "L1", uid: str = "U1", party: PartyId = PARTY
) -> EvseStatusReport:
    """A report by the EVSE's key."""
    return EvseStatusReport(status=EvseStatus(status), at=at, party=party, location_id=location_id, evse_uid=uid)


def report_by_id(status: EvseStatus | str, at: datetime | None, evse_id: str) -> EvseStatusReport:
    """A report by the EVSE's public id."""
    return EvseStatusReport(status=EvseStatus(status), at=at, evse_id=EvseId(evse_id))


async def eventually(
    condition: Callable[[], bool | Awaitable[bool]], what: str = "the condition", seconds: float = PATIENCE
) -> None:
    """Waits until something holds.

    Raises:
        AssertionError: It does not within the time.
    """
    end = time.monotonic() + seconds
    while True:
        holds = condition()
        if await holds if inspect.isawaitable(holds) else holds:
            return
        assert time.monotonic() < end, f"not in {seconds:g} s: {what}"
        await asyncio.sleep(0.01)


class Services:
    """A gateway's services with the words of these tests."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def put(self, *locations: Location, **options: Any) -> list[PutResult]:
        """Writes locations in one batch."""
        return await self.app.services.publishing.put_locations([(one, ()) for one in locations], WHO, **options)

    async def put_tariffs(self, *tariffs: Tariff) -> list[PutResult]:
        """Writes tariffs in one batch."""
        return await self.app.services.publishing.put_tariffs([(one, ()) for one in tariffs], WHO)

    async def withdraw(self, location_id: str, party: PartyId = PARTY) -> bool:
        """Withdraws a location."""
        return await self.app.services.publishing.withdraw_location(party, location_id, WHO)

    async def report(self, *reports: EvseStatusReport, parties: Iterable[PartyId] | None = None) -> list[StatusOutcome]:
        """Reports statuses in one call."""
        allowed = None if parties is None else frozenset(parties)
        return await self.app.services.statuses.report(reports, allowed)

    async def status(self, location_id: str = "L1", uid: str = "U1", party: PartyId = PARTY) -> EvseStatus:
        """The stored status of an EVSE."""
        stored = await self.app.services.network.location(party, location_id)
        assert stored is not None
        return next(one.status for one in stored.location.evses if one.uid == uid)

    async def rows(self, operation: str | None = None, connection: str | None = None) -> dict[tuple[str, str], Record]:
        """The projections, by operation and key."""
        found = await self.app.store.fetch(
            "SELECT p.*, e.location_id, e.uid FROM projection p JOIN connection c ON c.id = p.connection_id"
            " LEFT JOIN evse e ON e.no = p.evse_no"
            " WHERE ($1::text IS NULL OR operation = $1) AND ($2::text IS NULL OR c.name = $2)",
            operation,
            connection,
        )
        return {(row["operation"], row["key"]): row for row in found}

    async def connect(
        self, name: str, settings: dict[str, Any], *, mode: Mode = Mode.LIVE, scope: Scope | None = None
    ) -> None:
        """Makes a connection named after its hub, and for an EMP with `-emp` behind it."""
        hub = name.removesuffix("-emp")
        await self.app.services.connections.create(name, hub, mode, scope or Scope(), settings, WHO)


NOWHERE = {
    "gireve": {"sandbox": True, "versions_url": "http://127.0.0.1:9/ocpi/versions"},
    "hubject": {
        "sandbox": True,
        "operator_id": str(PARTY),
        "operator_name": "ABC",
        "base_url": "http://127.0.0.1:9",
        "defaults": DEFAULTS,
    },
}
"""Settings of connections to hubs that are never called."""


@asynccontextmanager
async def idle(database_url: str, *hubs: str, pool_size: int = 10) -> AsyncIterator[Services]:
    """A gateway that serves and dispatches nothing, with live connections to hubs that nobody calls."""
    settings = Settings(database_url=database_url, secret_key=KEY, pool_size=pool_size)
    async with assembled(settings) as app:
        services = Services(app)
        await app.links.refresh()
        for hub in hubs:
            await services.connect(hub, NOWHERE[hub])
        yield services


@dataclass
class Rig(Services):
    """A running gateway and its hubs.

    Attributes:
        gireve, hubject: The sandboxes' states.
        settings: What a connection to each hub needs.
        public_url: Where the hubs reach the gateway.
    """

    app: App
    gireve: Sandbox
    hubject: HubjectSandbox
    servers: dict[str, SandboxServer]
    settings: dict[str, dict[str, Any]]
    public_url: str
    database_url: str
    peers: list[App] = field(default_factory=list)

    def sandbox(self, hub: str) -> Sandbox:
        """A hub's state."""
        return self.hubject if hub.startswith("hubject") else self.gireve

    def fail(self, hub: str, kind: str, **fault: Any) -> None:
        """Tells a hub to fail."""
        self.sandbox(hub).faults.add([Fault.model_validate({"kind": kind, **fault})])

    def mend(self, *hubs: str) -> None:
        """Ends a hub's faults; those of both without a name."""
        for hub in hubs or ("gireve", "hubject"):
            self.sandbox(hub).faults.clear()

    def memory(self, kind: str) -> dict[str, Any]:
        """What a hub remembers of a kind."""
        return next(one.memory[kind] for one in (self.gireve, self.hubject) if kind in one.memory)

    def statuses(self, key: str) -> list[str]:
        """The statuses of an EVSE that a hub was told, in order; `key` as the hub has it."""
        return [
            one.value
            for one in (*self.gireve.receipts, *self.hubject.receipts)
            if one.key == key and one.operation in {"locations", "evse_status"}
        ]

    async def quiet(self, seconds: float = PATIENCE) -> None:
        """Waits until nothing is left to do."""
        await eventually(self.app.outbox.quiet, "quiet", seconds)

    async def equality(self, hub: str, kind: str) -> Equality:
        """Compares wanted, acknowledged and remembered."""

        async def remembered() -> AsyncIterator[tuple[str, Any]]:
            for key, record in list(self.sandbox(hub).memory[kind].items()):
                yield key, record

        link = self.app.links.by_name(hub)
        assert link is not None
        return await compare(self.app.outbox, link, kind, remembered())

    async def assert_equal(self, *hubs: str) -> None:
        """Makes sure that hubs have what they should; both without a name."""
        for hub in hubs or tuple(self.settings):
            priced = PRICES if "pricing" in self.settings[hub] else ()
            for kind in (*KINDS.get(hub, ()), *priced):
                found = await self.equality(hub, kind)
                assert found.equal, found

    async def settled(self, *hubs: str, seconds: float = PATIENCE) -> None:
        """Waits for quiet, then makes sure that hubs have what they should."""
        await self.quiet(seconds)
        await self.assert_equal(*hubs)

    async def letters(self) -> dict[str, tuple[str | None, str]]:
        """The dead letters: code and text by key."""
        page = await self.app.services.deliveries.dead_letters(None, None, 1000)
        return {letter.key: (letter.code, letter.text) for letter in page.items}

    async def state(self, hub: str) -> tuple[str, str | None]:
        """A connection's state and why."""
        view = await self.app.services.connections.get(hub)
        return view.state.value, view.why


@asynccontextmanager
async def rig(
    database_url: str,
    *hubs: str,
    mode: Mode = Mode.LIVE,
    scope: Scope | None = None,
    register: bool = True,
    partners: Sequence[Partner] = (Partner(PARTY, sub_operators=None),),
    folder: Path | None = None,
    delay: float = 0.0,
    gireve_settings: dict[str, Any] | None = None,
    hubject_settings: dict[str, Any] | None = None,
    hubject_emp_settings: dict[str, Any] | None = None,
    ask_next_after: float = 2.0,
    emsp: PartyId | None = None,
    clock: Callable[[], datetime] = now,
) -> AsyncIterator[Rig]:
    """Runs a gateway against sandbox hubs, both if none is named, with a connection to each.

    Args:
        register: Whether Gireve is registered with.
        folder: Where certificates are written for Hubject; None for plain HTTP.
        delay: Seconds that Gireve is away.
        ask_next_after: As in the gateway's settings.
        clock: The gateway's.
        emsp: Our EMSP: then Gireve's connection plays both roles, and there are `hubject-emp` and `home`, too.
    """
    async with AsyncExitStack() as stack:
        iop = create(SandboxSettings(delay_seconds=delay, retry_seconds=0.2))
        gireve = SandboxServer(iop)
        await gireve.start()
        stack.push_async_callback(gireve.stop)
        port = free_port()
        public_url = f"http://127.0.0.1:{port}"
        providers = [] if emsp is None else [Provider(emsp, f"{public_url}/oicp/hubject-emp")]
        sandbox = HubjectSandbox(partners, limits=False, gateway=f"{public_url}/oicp/hubject", providers=providers)
        hubject = await stack.enter_async_context(run(sandbox, folder))
        settings = {
            "gireve": {
                "sandbox": True,
                "versions_url": gireve.url + "/ocpi/versions",
                "operator_name": "ABC",
                "owner_name": "ABC",
                **(gireve_settings or {}),
            },
            "hubject": {
                "sandbox": True,
                "operator_id": str(PARTY),
                "operator_name": "ABC",
                "base_url": hubject.url,
                "defaults": DEFAULTS,
                # The sandbox keeps no limits here; Hubject's would make the tests wait.
                "data_per_minute": 60_000,
                "status_per_minute": 60_000,
                "notifications_per_minute": 60_000,
                "cdrs_per_minute": 60_000,
                "trust_loopback": True,
                **_certificate(hubject),
                **(hubject_settings or {}),
            },
        }
        if emsp is not None:
            settings["gireve"] = {"roles": ["CPO", "EMSP"], **settings["gireve"]}
            settings["hubject-emp"] = {
                "sandbox": True,
                "provider_id": emsp.normal,
                "base_url": hubject.url,
                "data_per_minute": 60_000,
                "status_per_minute": 60_000,
                "authentication_per_minute": 60_000,
                "trust_loopback": True,
                **_certificate(hubject, emsp),
                **(hubject_emp_settings or {}),
            }
            settings["home"] = {"emsps": [emsp.normal]}
        app, _ = await stack.enter_async_context(
            running(
                Settings(
                    host="127.0.0.1",
                    port=port,
                    public_url=public_url,
                    database_url=database_url,
                    secret_key=KEY,
                    admin_key=ADMIN,
                    ask_next_after=ask_next_after,
                ),
                clock,
            )
        )
        made = Rig(
            app,
            iop[SANDBOX],
            sandbox,
            {"gireve": gireve, "hubject": hubject.server},
            {hub: settings[hub] for hub in (hubs or tuple(settings))},
            public_url,
            database_url,
        )
        for party, role in ((PARTY, Role.CPO), (OTHER, Role.CPO), *([(emsp, Role.EMSP)] if emsp else [])):
            business = Business(name=str(party))
            await app.services.network.put_party(Party(id=party, roles=frozenset({role}), business=business), WHO)
        for hub, values in made.settings.items():
            await made.connect(hub, values, mode=mode, scope=scope)
            if hub == "gireve" and register:
                await app.services.connections.register("gireve", TOKEN_A, WHO)
        yield made


def _certificate(hubject: Any, emsp: PartyId | None = None) -> dict[str, str]:
    if hubject.certificates is None:
        return {}
    made = hubject.certificates
    pair = made.clients[PARTY.normal] if emsp is None else made.providers[emsp.normal]
    return {
        "client_certificate": str(pair.certificate),
        "client_key": str(pair.key),
        "ca_file": str(hubject.certificates.authority),
    }


@asynccontextmanager
async def replica(of: Rig) -> AsyncIterator[App]:
    """Runs another gateway on the same database."""
    settings = Settings(
        host="127.0.0.1", port=0, public_url=of.public_url, database_url=of.database_url, secret_key=KEY
    )
    async with running(settings) as (app, _):
        yield app
