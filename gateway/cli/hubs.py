"""Runs both sandbox hubs on loopback in one process, for the demo, the benchmarks and a user's first day."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue

from adapters.core.sandbox import SandboxServer
from adapters.gireve import sandbox as gireve
from adapters.hubject import sandbox as hubject
from mappings.canonical.ids import PartyId


class HubsOptions(BaseModel):
    """How the sandbox hubs are run.

    Attributes:
        operator: The CPO that Hubject's certificate is bound to; its EVSEs may be anybody's, as a hub operator's.
        provider: The EMP that Hubject knows beside it.
        gireve_port, hubject_port: 0 for any free one.
        certificates: Folder for Hubject's certificates; None runs it without TLS.
        limits: Whether Hubject keeps its published limits.
        quality_seconds: How long Gireve's quality process holds static data back.
        gateway: The gateway's base URL, to which Hubject sends the commands of EMPs, over the connection `hubject`, and
            what it asks and tells an EMP, over `hubject-emp`; without it each command has to say where it goes, and the
            EMP's URL is told by `/_sandbox/partners`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    operator: PartyId = PartyId("FR*RGT")
    provider: PartyId = PartyId("FR*RGT")
    gireve_port: int = 0
    hubject_port: int = 0
    certificates: Path | None = None
    limits: bool = True
    quality_seconds: float = 0.0
    gateway: str | None = None


class Hubs(BaseModel):
    """Where the sandbox hubs listen, and what a connection's settings need.

    Attributes:
        gireve, hubject: Base URLs, without a trailing slash.
        gireve_settings, hubject_settings: Complete settings of a connection to each.
        hubject_emp_settings: Those of an EMP's connection to Hubject.
        gireve_token: The token to register with (OCPI token A).
    """

    model_config = ConfigDict(frozen=True)

    gireve: str
    hubject: str
    gireve_token: str
    gireve_settings: dict[str, object]
    hubject_settings: dict[str, object]
    hubject_emp_settings: dict[str, object]


@asynccontextmanager
async def running_hubs(options: HubsOptions) -> AsyncIterator[Hubs]:
    """Runs both hubs until the block ends."""
    settings = gireve.SandboxSettings(quality_seconds=options.quality_seconds)
    iop = SandboxServer(gireve.create(settings), port=options.gireve_port)
    partner = hubject.Partner(options.operator, sub_operators=None)
    connection = None if options.gateway is None else f"{options.gateway.rstrip('/')}/oicp/hubject"
    emp = hubject.Provider(options.provider, None if connection is None else f"{connection}-emp")
    hbs = hubject.HubjectSandbox([partner], limits=options.limits, gateway=connection, providers=[emp])
    await iop.start()
    try:
        async with hubject.run(hbs, options.certificates, port=options.hubject_port) as listening:
            yield Hubs(
                gireve=iop.url,
                hubject=listening.url,
                gireve_token=settings.token,
                gireve_settings={"sandbox": True, "versions_url": f"{iop.url}/ocpi/versions", **_GIREVE_DEFAULTS},
                hubject_settings={
                    **_hubject(options, listening),
                    "operator_id": options.operator.normal,
                    "operator_name": "Roamgate Demo",
                    "defaults": _HUBJECT_DEFAULTS,
                    **_shown(listening.certificates, lambda made: made.clients[options.operator.normal]),
                },
                hubject_emp_settings={
                    **_hubject(options, listening),
                    "provider_id": options.provider.normal,
                    **_shown(listening.certificates, lambda made: made.providers[options.provider.normal]),
                },
            )
    finally:
        await iop.stop()


def _hubject(options: HubsOptions, listening: hubject.Running) -> dict[str, object]:
    return {
        "sandbox": True,
        "base_url": listening.url,
        # A gateway without TLS sees no certificate: then it is Hubject who calls from this machine.
        "trust_loopback": not (options.gateway or "").startswith("https:"),
    }


def _shown(
    certificates: hubject.Certificates | None, own: Callable[[hubject.Certificates], hubject.Pair]
) -> dict[str, object]:
    if certificates is None:
        return {}
    return {
        "client_certificate": str(own(certificates).certificate),
        "client_key": str(own(certificates).key),
        "ca_file": str(certificates.authority),
        "hub_certificates": [{"fingerprint": certificates.hub.fingerprint()}],
    }


PRICING: dict[str, JsonValue] = {"price": "0.59", "currency": "EUR", "power": "22", "per_minute": 3}
"""What an operator would set as `pricing` of its connection to Hubject for its prices to be pushed. Hubject takes 6
pushes a minute, and a call may need two."""

_GIREVE_DEFAULTS: dict[str, object] = {
    "operator_name": "Roamgate Demo",
    "owner_name": "Roamgate Demo",
    "connector_defaults": {
        "by_standard": {
            "DOMESTIC_E": {"format": "SOCKET", "power_type": "AC_1_PHASE", "max_voltage": 230, "max_amperage": 16},
            "IEC_62196_T2": {"format": "SOCKET", "power_type": "AC_3_PHASE", "max_voltage": 230, "max_amperage": 32},
            "IEC_62196_T2_COMBO": {"format": "CABLE", "power_type": "DC", "max_voltage": 920, "max_amperage": 500},
            "CHADEMO": {"format": "CABLE", "power_type": "DC", "max_voltage": 500, "max_amperage": 125},
        }
    },
}
"""What an operator would state of its own network: French records name neither voltage nor amperage."""

_HUBJECT_DEFAULTS: dict[str, object] = {
    "hotline": "+33123456789",
    "accessibility": "Free publicly accessible",
    "open_24_hours": True,
    "renewable_energy": False,
    "calibration_law": "Not Available",
    "authentication_modes": ["NFC RFID Classic", "REMOTE"],
    "payment_options": ["Contract"],
    "connector_format": "SOCKET",
}
