"""One charge as a CPO's backend tells it: the session as it goes on, and the CDR."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from pydantic import JsonValue

from mappings.canonical.cdrs import Cdr, CdrLocation
from mappings.canonical.ids import PartyId
from mappings.canonical.sessions import (
    AuthMethod,
    ChargingPeriod,
    Dimension,
    DimensionType,
    Metering,
    Session,
    SessionStatus,
)
from mappings.canonical.tariffs import Money
from mappings.canonical.tokens import Identification

_CURRENCY = "EUR"
_KWH = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Charge:
    """A charge that was admitted.

    Attributes:
        reference: By which the gateway finds who admitted the driver.
        lasts: From plugging in to plugging out.
        energy: kWh, all together.
        meter: What the meter showed at first, kWh.
    """

    party: PartyId
    session_id: str
    place: CdrLocation
    identification: Identification
    auth_method: AuthMethod
    reference: str
    start: datetime
    lasts: timedelta
    energy: Decimal
    meter: Decimal

    @property
    def hours(self) -> Decimal:
        """How long it lasts."""
        return Decimal(self.lasts // timedelta(seconds=1)) / 3600

    def need(self) -> JsonValue:
        """Tells what the driver needs, and what they can be quoted for beforehand."""
        return {"energy": float(self.energy), "power": float(self.energy / self.hours)}

    def session(self, share: Decimal) -> JsonValue:
        """Tells the session when a share of it is over; at 1 all of it is."""
        over = share == 1
        now = self.start + self.lasts * float(share)
        used = (self.energy * share).quantize(_KWH)
        between = (self.meter + used,) if 0 < share < 1 else ()
        return Session(
            party=self.party,
            id=self.session_id,
            start=self.start,
            end=now if over else None,
            charging_start=self.start,
            charging_end=now if over else None,
            energy=used,
            identification=self.identification,
            auth_method=self.auth_method,
            reference=self.reference,
            location_id=self.place.id,
            evse_uid=self.place.evse_uid,
            connector_id=self.place.connector_id,
            metering=Metering(start=self.meter, end=self.meter + used if over else None, between=between),
            currency=_CURRENCY,
            periods=self._periods(used, self.hours * share),
            status=SessionStatus.COMPLETED if over else SessionStatus.ACTIVE,
            last_updated=now,
        ).model_dump(mode="json", exclude_none=True)

    def cdr(self, cost: Money | None) -> JsonValue:
        """Tells what is billed."""
        end = self.start + self.lasts
        return Cdr(
            party=self.party,
            id=f"CDR-{self.session_id}",
            session_id=self.session_id,
            start=self.start,
            end=end,
            identification=self.identification,
            auth_method=self.auth_method,
            reference=self.reference,
            location=self.place,
            metering=Metering(start=self.meter, end=self.meter + self.energy),
            currency=_CURRENCY,
            periods=self._periods(self.energy, self.hours),
            energy=self.energy,
            time=self.hours.quantize(_KWH),
            total_cost=cost,
            last_updated=end,
        ).model_dump(mode="json", exclude_none=True)

    def _periods(self, used: Decimal, hours: Decimal) -> tuple[ChargingPeriod, ...]:
        dimensions = (
            Dimension(type=DimensionType.ENERGY, volume=used),
            Dimension(type=DimensionType.TIME, volume=hours.quantize(_KWH)),
        )
        return (ChargingPeriod(start=self.start, dimensions=dimensions),)
