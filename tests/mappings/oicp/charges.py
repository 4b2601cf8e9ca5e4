"""A charge of our own making, told to the protocol's rules, and strategies for what Hubject's names may be."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from mappings.canonical.cdrs import Cdr, CdrLocation
from mappings.canonical.ids import ContractId, EvseId, PartyId
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import AuthMethod, ChargingPeriod, Dimension, DimensionType, Session, SessionStatus
from mappings.canonical.tokens import Identification, TokenType
from tests import strategies

SESSION_ID = "f98efba4-02d8-4fa0-b810-9a9d50d2c527"
OPERATOR = PartyId("DE*ABC")
PROVIDER = PartyId("NL-EMS")
BEGUN = datetime(2026, 3, 29, 0, 30, 0, tzinfo=UTC)
"""Half an hour before the clocks of Berlin go forward."""
ENDED = datetime(2026, 3, 29, 2, 45, 30, tzinfo=UTC)
CARD = Identification(type=TokenType.RFID, uid="04E8A1B2C3D480")
PLACE = CdrLocation(
    id="LOC1",
    evse_uid="3256",
    connector_id="1",
    evse_id=EvseId("DE*ABC*E123*4"),
    time_zone="Europe/Berlin",
)
LEG = Leg(
    hub_session=SESSION_ID,
    own_session="a1b2c3",
    emsp_session="emp-1",
    emsp=PROVIDER,
    identification=CARD,
    product="AC3",
)


def session(**changes: Any) -> Session:
    given: dict[str, Any] = {
        "party": OPERATOR,
        "id": "S1",
        "start": BEGUN,
        "charging_start": BEGUN,
        "energy": Decimal("1.5"),
        "identification": CARD,
        "auth_method": AuthMethod.AUTH_REQUEST,
        "location_id": "LOC1",
        "evse_uid": "3256",
        "connector_id": "1",
        "currency": "EUR",
        "status": SessionStatus.ACTIVE,
        "last_updated": datetime(2026, 3, 29, 1, 30, 0, 900_000, tzinfo=UTC),
    }
    return Session(**given | changes)


def cdr(**changes: Any) -> Cdr:
    given: dict[str, Any] = {
        "party": OPERATOR,
        "id": "CDR1",
        "session_id": "S1",
        "start": BEGUN,
        "end": ENDED,
        "charging_start": BEGUN,
        "charging_end": ENDED,
        "identification": CARD,
        "auth_method": AuthMethod.AUTH_REQUEST,
        "location": PLACE,
        "currency": "EUR",
        "periods": (
            ChargingPeriod(start=BEGUN, dimensions=(Dimension(type=DimensionType.ENERGY, volume=Decimal(7)),)),
        ),
        "energy": Decimal(7),
        "time": Decimal("2.2583"),
        "last_updated": ENDED,
    }
    return Cdr(**given | changes)


session_ids = st.uuids().map(str)
evco_ids = st.builds(
    "{}-{}-C{:08}".format,
    st.sampled_from(["FR", "NL", "DE"]),
    st.text("ABCDEFGHIJ0123456789", min_size=3, max_size=3),
    st.integers(0, 10**8 - 1),
).map(ContractId)
uids = st.sampled_from((8, 14, 20)).flatmap(lambda n: st.text("0123456789ABCDEF", min_size=n, max_size=n))
legs = st.builds(
    Leg,
    hub_session=session_ids,
    own_session=strategies.maybe(strategies.ids),
    emsp_session=strategies.maybe(strategies.ids),
    emsp=strategies.maybe(strategies.parties),
    identification=strategies.identifications | st.builds(Identification, type=st.just(TokenType.RFID), uid=uids),
    product=strategies.maybe(strategies.words),
)
