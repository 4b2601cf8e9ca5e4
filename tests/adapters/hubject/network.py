"""A small network, and what the gateway keeps of it, for the tests of Hubject."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from adapters.core.adapter import Call, Item, Plan, Rendered
from adapters.core.outcomes import Delivered
from adapters.hubject.adapter import HubjectAdapter
from adapters.hubject.settings import Settings
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.locations import (
    Accessibility,
    AuthenticationMode,
    CalibrationLaw,
    Connector,
    ConnectorFormat,
    ConnectorStandard,
    Evse,
    EvseStatus,
    GeoPoint,
    Hours,
    Location,
    PaymentOption,
    PowerType,
)
from mappings.canonical.tariffs import PriceComponent, Tariff, TariffDimension, TariffElement
from mappings.oicp.v2_3.defaults import OperatorDefaults
from tests.adapters.doubles import Measured, compared

AT = datetime(2026, 6, 7, 18, 40, 7, tzinfo=UTC)
NOW = datetime(2026, 6, 8, tzinfo=UTC)
"""What the adapters' clock says."""
HUB_CPO, SUB_ONE, SUB_TWO = PartyId("FR*HUB"), PartyId("FR*ONE"), PartyId("FR*TWO")
DEFAULTS = OperatorDefaults(
    hotline="+33123456789",
    accessibility=Accessibility.FREE,
    open_24_hours=True,
    renewable_energy=False,
    calibration_law=CalibrationLaw.NOT_AVAILABLE,
    authentication_modes=(AuthenticationMode.REMOTE,),
    payment_options=(PaymentOption.CONTRACT,),
)

PRICING = {"price": "0.6", "currency": "EUR", "power": "22", "per_minute": 60_000}


def settings(**changes: Any) -> Settings:
    fields: dict[str, Any] = {
        "operator_id": HUB_CPO,
        "operator_name": "Hub and Sons",
        "base_url": "http://127.0.0.1:1",
        "defaults": DEFAULTS,
        "sandbox": True,
    }
    return Settings.model_validate(fields | changes)


def adapter(observer: Measured | None = None, **changes: Any) -> HubjectAdapter:
    return HubjectAdapter("hubject-test", settings(**changes), observer or Measured(), compared, lambda: NOW)


def evse(
    uid: str,
    evse_id: str | None,
    status: EvseStatus = EvseStatus.AVAILABLE,
    tariffs: Sequence[str] = (),
    **changes: Any,
) -> Evse:
    connector = Connector(
        id="1",
        standard=ConnectorStandard.IEC_62196_T2,
        format=ConnectorFormat.SOCKET,
        power_type=PowerType.AC_3_PHASE,
        max_voltage=230,
        max_amperage=32,
        max_power=Decimal(22_000),
        tariff_ids=tuple(tariffs),
        last_updated=AT,
    )
    given = None if evse_id is None else EvseId(evse_id)
    return Evse(uid=uid, evse_id=given, status=status, connectors=(connector,), last_updated=AT, **changes)


def location(*evses: Evse, id: str = "L1", party: PartyId = HUB_CPO, **changes: Any) -> Location:  # noqa: A002
    fields: dict[str, Any] = {
        "party": party,
        "id": id,
        "publish": True,
        "name": "Place de la Gare",
        "address": "8 Rue Verte",
        "city": "Nantes",
        "postal_code": "44000",
        "country": "FRA",
        "coordinates": GeoPoint(latitude=Decimal("47.218371"), longitude=Decimal("-1.553621")),
        "evses": evses,
        "time_zone": "Europe/Paris",
        "opening_times": Hours(twentyfourseven=True),
        "last_updated": AT,
    }
    return Location.model_validate(fields | changes)


def tariff(id_: str = "T1", price: str = "0.5", party: PartyId = HUB_CPO, **changes: Any) -> Tariff:
    """A tariff with a price per kWh."""
    component = PriceComponent(type=TariffDimension.ENERGY, price=Decimal(price), step_size=1)
    fields: dict[str, Any] = {
        "party": party,
        "id": id_,
        "currency": "EUR",
        "elements": (TariffElement(price_components=(component,)),),
        "last_updated": AT,
    }
    return Tariff.model_validate(fields | changes)


def items(hub: HubjectAdapter, operation: str, *locations: Location) -> list[Item]:
    """Items that the hub never had, one for each key."""
    return [
        Item(key.operation, key.key, key.lane, key.evse_uid, one, _evse(one, key.evse_uid).status, False, None, None)
        for one in locations
        for key in hub.keys(one)
        if key.operation == operation
    ]


def _evse(one: Location, uid: str | None) -> Evse:
    return next(evse for evse in one.evses if evse.uid == uid)


def accepted(rendered: Iterable[Rendered]) -> list[Item]:
    """The items as the gateway keeps them once a call was accepted."""
    return [replace(one.item, sent_as=one.sent_as, accepted=one.fingerprint) for one in rendered]


def gone(known: Iterable[Item]) -> list[Item]:
    return [replace(item, gone=True, subject=None, status=None) for item in known]


def records(call: Call) -> list[dict[str, Any]]:
    part = call.body["OperatorEvseData" if call.operation == "evse_data" else "OperatorEvseStatus"]
    return part["EvseDataRecord" if call.operation == "evse_data" else "EvseStatusRecord"]


def ids(call: Call) -> list[str]:
    return [record["EvseID"] for record in records(call)]


async def deliver(hub: HubjectAdapter, plan: Plan) -> list[Item]:
    """Makes a plan's calls, all of which must be accepted; gives the items as the gateway keeps them then."""
    settled: list[Rendered] = list(plan.unchanged)
    for call in plan.calls:
        outcome = await hub.send(call)
        assert outcome == Delivered(), (call.action, outcome)
        settled += call.settles
    return accepted(settled)


async def push(hub: HubjectAdapter, operation: str, given: Sequence[Item], *, full_load: bool = False) -> list[Item]:
    return await deliver(hub, hub.plan(operation, given, full_load=full_load))
