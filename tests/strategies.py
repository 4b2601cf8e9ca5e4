"""Hypothesis strategies for canonical models, shared by the tests of all protocols.

They draw what a protocol may be handed, not only what it can say: its loss table tells what may differ afterwards.
"""

from decimal import Decimal

from hypothesis import strategies as st

from mappings.canonical.cdrs import Cdr, CdrLocation, SignedData, SignedNature, SignedValue
from mappings.canonical.commands import (
    CancelReservation,
    EvseRef,
    ReserveNow,
    StartSession,
    StopSession,
    UnlockConnector,
)
from mappings.canonical.ids import ContractId, EvseId
from mappings.canonical.legs import Leg
from mappings.canonical.locations import (
    Accessibility,
    AuthenticationMode,
    CalibrationLaw,
    Capability,
    ChargingMode,
    Connector,
    ConnectorCapability,
    ConnectorFormat,
    ConnectorStandard,
    DynamicInfo,
    Evse,
    EvseStatus,
    Facility,
    GeoPoint,
    Hours,
    Location,
    ParkingRestriction,
    ParkingType,
    PaymentOption,
    Period,
    PowerType,
    PublishToken,
    RegularHours,
    RelatedPoint,
    StatusSchedule,
    ValueAddedService,
)
from mappings.canonical.parties import Party, Role
from mappings.canonical.sessions import (
    AuthMethod,
    ChargingPeriod,
    ChargingPreferences,
    Dimension,
    DimensionType,
    Metering,
    Session,
    SessionError,
    SessionErrorKind,
    SessionStatus,
)
from mappings.canonical.texts import Business, Image, ImageCategory
from mappings.canonical.tokens import (
    EnergyContract,
    Identification,
    ProfileType,
    RfidKind,
    Token,
    TokenType,
    Whitelist,
)
from tests.drawing import (
    ALNUM,
    clocks,
    decimals,
    energy_mixes,
    ids,
    instants,
    languages,
    local_texts,
    maybe,
    parties,
    several,
    tuples,
    urls,
    words,
)
from tests.strategies_tariffs import moneys, tariffs

points = st.builds(GeoPoint, latitude=decimals(-90, 90, 7), longitude=decimals(-180, 180, 7))
images = st.builds(
    Image,
    url=urls,
    category=st.sampled_from(ImageCategory),
    type=st.sampled_from(["jpeg", "png", "gif", "svg"]),
    thumbnail=maybe(urls),
    width=maybe(st.integers(0, 99999)),
    height=maybe(st.integers(0, 99999)),
)
businesses = st.builds(Business, name=words, website=maybe(urls), logo=maybe(images))
# Hours that end when they begin are none, or a whole day: protocols read them one way or the other.
regular_hours = (
    st.tuples(st.integers(1, 7), clocks, clocks)
    .filter(lambda d: d[1] != d[2])
    .map(lambda d: RegularHours(weekday=d[0], begin=min(d[1:]), end=max(d[1:])))
)
periods = st.tuples(instants, instants).map(lambda d: Period(begin=min(d), end=max(d)))
hours = st.just(Hours(twentyfourseven=True)) | st.builds(
    Hours,
    twentyfourseven=st.just(False),
    regular=tuples(regular_hours, 3),
    exceptional_openings=tuples(periods),
    exceptional_closings=tuples(periods),
)


@st.composite
def evse_ids(draw: st.DrawFn, party: st.SearchStrategy = parties) -> EvseId:
    """Well-formed ids, with and without separators, now and then in lower case."""
    owner = draw(party)
    mark = draw(st.sampled_from(["*", ""]))
    text = f"{owner.country}{mark}{owner.code}{mark}E{draw(st.text(ALNUM, min_size=1, max_size=20))}"
    return EvseId(text.lower() if draw(st.integers(0, 9)) == 0 else text)


connectors = st.builds(
    Connector,
    id=ids,
    standard=st.sampled_from(ConnectorStandard),
    format=maybe(st.sampled_from(ConnectorFormat)),
    power_type=maybe(st.sampled_from(PowerType)),
    max_voltage=maybe(st.integers(0, 1000)),
    max_amperage=maybe(st.integers(0, 500)),
    max_power=maybe(st.integers(0, 400_000).map(Decimal)),
    tariff_ids=tuples(ids),
    terms_and_conditions=maybe(urls),
    capabilities=several(ConnectorCapability),
    charging_modes=several(ChargingMode),
    last_updated=instants,
)
schedules = st.builds(StatusSchedule, begin=instants, end=maybe(instants), status=st.sampled_from(EvseStatus))


@st.composite
def evses(draw: st.DrawFn, party: st.SearchStrategy = parties) -> Evse:
    plugs = draw(st.lists(connectors, min_size=1, max_size=3, unique_by=lambda c: c.id))
    newest = max(draw(instants), *(c.last_updated for c in plugs))
    return Evse(
        uid=draw(ids),
        evse_id=draw(maybe(evse_ids(party))),
        status=draw(st.sampled_from(EvseStatus)),
        status_schedule=draw(tuples(schedules, 1)),
        capabilities=draw(several(Capability)),
        connectors=tuple(plugs),
        floor_level=draw(maybe(st.sampled_from(["-1", "0", "P3"]))),
        coordinates=draw(maybe(points)),
        physical_reference=draw(maybe(words.map(lambda t: t[:16].strip()))),
        directions=draw(tuples(local_texts)),
        parking_restrictions=draw(several(ParkingRestriction)),
        images=draw(tuples(images, 1)),
        station_id=draw(maybe(ids)),
        station_names=draw(tuples(local_texts)),
        authentication_modes=draw(several(AuthenticationMode)),
        payment_options=draw(several(PaymentOption, 2)),
        value_added_services=draw(several(ValueAddedService)),
        accessibility=draw(maybe(st.sampled_from(Accessibility))),
        calibration_law=draw(maybe(st.sampled_from(CalibrationLaw))),
        hubject_compatible=draw(maybe(st.booleans())),
        dynamic_info=draw(maybe(st.sampled_from(DynamicInfo))),
        dynamic_power=draw(maybe(st.booleans())),
        max_capacity=draw(maybe(st.integers(0, 500).map(Decimal))),
        manufacturer=draw(maybe(words)),
        additional_info=draw(tuples(local_texts)),
        clearinghouse_id=draw(maybe(ids.map(lambda t: t[:20]))),
        hub_operator=draw(maybe(parties)),
        last_updated=newest,
    )


publish_tokens = st.builds(
    PublishToken, uid=ids, type=st.just("RFID"), visual_number=maybe(words), issuer=maybe(words), group_id=maybe(ids)
)


@st.composite
def locations(draw: st.DrawFn) -> Location:
    party = draw(parties)
    inside = draw(st.lists(evses(st.just(party)), max_size=3, unique_by=lambda e: e.uid))
    publish = draw(st.booleans())
    return Location(
        party=party,
        id=draw(ids),
        publish=publish,
        publish_allowed_to=() if publish else draw(tuples(publish_tokens)),
        name=draw(maybe(words)),
        address=draw(words),
        city=draw(words),
        postal_code=draw(maybe(st.sampled_from(["75001", "9461VA", "1273 RT"]))),
        state=draw(maybe(words)),
        country=draw(st.sampled_from(["FRA", "NLD", "DEU", "BEL"])),
        coordinates=draw(points),
        related_locations=draw(tuples(st.builds(RelatedPoint, point=points, name=maybe(local_texts)))),
        parking_type=draw(maybe(st.sampled_from(ParkingType))),
        evses=tuple(inside),
        directions=draw(tuples(local_texts)),
        operator=draw(maybe(businesses)),
        suboperator=draw(maybe(businesses)),
        owner=draw(maybe(businesses)),
        facilities=draw(several(Facility)),
        time_zone=draw(st.sampled_from(["Europe/Paris", "Europe/Amsterdam", "Indian/Reunion"])),
        opening_times=draw(maybe(hours)),
        charging_when_closed=draw(maybe(st.booleans())),
        images=draw(tuples(images, 1)),
        energy_mix=draw(maybe(energy_mixes)),
        pool_id=draw(maybe(ids)),
        hotline=draw(maybe(st.just("+33123456789"))),
        last_updated=max(draw(instants), *(e.last_updated for e in inside)) if inside else draw(instants),
    )


served_parties = st.builds(
    Party, id=parties, roles=st.frozensets(st.sampled_from(Role), min_size=1), business=businesses
)

uids = st.sampled_from(["04A21B3C", "04E8A1B2C3D480", "01234567", "bdf21bce-fc97-11e8-8eb2-f2801f1b9fd1"]) | ids
contracts = st.builds(
    "{}-{}-C{:08}".format,
    st.sampled_from(["FR", "NL", "DE"]),
    st.text(ALNUM, min_size=3, max_size=3),
    st.integers(0, 10**8 - 1),
).map(ContractId) | st.just(ContractId("DE8ACC12E46L89"))
tokens = st.builds(
    Token,
    party=parties,
    uid=uids,
    type=st.sampled_from(TokenType),
    contract_id=contracts,
    visual_number=maybe(words),
    issuer=words,
    group_id=maybe(ids),
    valid=st.booleans(),
    whitelist=st.sampled_from(Whitelist),
    language=maybe(languages),
    default_profile=maybe(st.sampled_from(ProfileType)),
    energy_contract=maybe(st.builds(EnergyContract, supplier_name=words, contract_id=maybe(ids))),
    last_updated=instants,
)
identifications = st.builds(
    Identification,
    type=st.sampled_from(TokenType),
    uid=maybe(uids),
    contract_id=maybe(contracts),
    party=maybe(parties),
    rfid_kind=maybe(st.sampled_from(RfidKind)),
    printed_number=maybe(words),
    expires=maybe(st.dates().map(str)),
)
drivers = st.builds(Identification, type=st.sampled_from(TokenType), uid=uids, contract_id=contracts, party=parties)
"""Drivers of whom all is known that OCPI demands."""
dimensions = st.builds(Dimension, type=st.sampled_from(DimensionType), volume=decimals(0, 500, 4))
periods = st.builds(ChargingPeriod, start=instants, dimensions=tuples(dimensions, 3), tariff_id=maybe(ids))
readings = decimals(0, 99999, 4)
meterings = st.builds(Metering, start=maybe(readings), end=maybe(readings), between=tuples(readings))
sessions = st.builds(
    Session,
    party=parties,
    id=ids,
    start=instants,
    end=maybe(instants),
    charging_start=maybe(instants),
    charging_end=maybe(instants),
    energy=decimals(0, 500, 4),
    identification=drivers | identifications,
    auth_method=st.sampled_from(AuthMethod),
    reference=maybe(ids),
    location_id=ids,
    evse_uid=ids,
    connector_id=ids,
    meter_id=maybe(ids),
    metering=meterings,
    currency=st.sampled_from(["EUR", "CHF"]),
    periods=tuples(periods, 3),
    total_cost=maybe(moneys),
    status=st.sampled_from(SessionStatus),
    penalty_start=maybe(instants),
    error=maybe(st.builds(SessionError, kind=st.sampled_from(SessionErrorKind), text=maybe(words), at=instants)),
    last_updated=instants,
)
preferences = st.builds(
    ChargingPreferences,
    profile=st.sampled_from(ProfileType),
    departure=maybe(instants),
    energy_need=maybe(decimals(0, 100, 4)),
    discharge_allowed=maybe(st.booleans()),
)
signed_values = st.builds(
    SignedValue, nature=st.sampled_from(SignedNature), plain=maybe(words), signed=st.text(ALNUM, min_size=1)
)
signed_data = st.builds(
    SignedData,
    method=maybe(st.sampled_from(["OCMF", "EDL40 Mennekes"])),
    method_version=maybe(st.integers(0, 9)),
    public_key=maybe(st.text(ALNUM, max_size=200)),
    certificate_id=maybe(ids),
    url=maybe(urls),
    instruction=maybe(words),
    values=tuples(signed_values),
)
cdr_locations = st.builds(
    CdrLocation,
    id=ids,
    evse_uid=ids,
    connector_id=ids,
    evse_id=evse_ids(parties),
    name=maybe(words),
    address=words,
    city=words,
    postal_code=maybe(st.sampled_from(["75001", "9461VA"])),
    state=maybe(words),
    country=st.sampled_from(["FRA", "NLD", "DEU"]),
    coordinates=points,
    connector_standard=st.sampled_from([s for s in ConnectorStandard if s is not ConnectorStandard.AVCON]),
    connector_format=st.sampled_from(ConnectorFormat),
    connector_power_type=st.sampled_from(PowerType),
    time_zone=maybe(st.just("Europe/Paris")),
    hub_operator=maybe(parties),
)
"""Places of which all is known that OCPI demands."""


@st.composite
def cdrs(draw: st.DrawFn) -> Cdr:
    credit = draw(st.booleans())
    return Cdr(
        party=draw(parties),
        id=draw(ids),
        session_id=draw(maybe(ids)),
        start=draw(instants),
        end=draw(instants),
        charging_start=draw(maybe(instants)),
        charging_end=draw(maybe(instants)),
        identification=draw(drivers | identifications),
        auth_method=draw(st.sampled_from(AuthMethod)),
        reference=draw(maybe(ids)),
        location=draw(cdr_locations),
        meter_id=draw(maybe(ids)),
        metering=draw(meterings),
        currency=draw(st.sampled_from(["EUR", "CHF"])),
        tariffs=draw(tuples(tariffs, 1)),
        periods=draw(tuples(periods, 3)),
        signed_data=draw(maybe(signed_data)),
        energy=draw(decimals(0, 500, 4)),
        time=draw(decimals(0, 100, 4)),
        parking_time=draw(maybe(decimals(0, 100, 4))),
        total_cost=draw(maybe(moneys)),
        priced_by_hub=draw(st.booleans()),
        fixed_cost=draw(maybe(moneys)),
        energy_cost=draw(maybe(moneys)),
        time_cost=draw(maybe(moneys)),
        parking_cost=draw(maybe(moneys)),
        reservation_cost=draw(maybe(moneys)),
        product=draw(maybe(words)),
        remark=draw(maybe(words)),
        invoice_id=draw(maybe(ids)),
        credit=credit,
        credited_cdr=draw(ids) if credit else None,
        home_compensation=draw(st.booleans()),
        last_updated=draw(instants),
    )


_evses = st.builds(EvseRef, location_id=ids, evse_uid=ids, connector_id=maybe(ids))


@st.composite
def asked_for(draw: st.DrawFn) -> StartSession | ReserveNow:
    """A command that carries a token; as OCPI knows it, the leg follows from the token."""
    token = draw(tokens)
    leg = Leg(reference=draw(maybe(ids)), emsp=token.party, identification=token.identification)
    if draw(st.booleans()):
        return StartSession(at=draw(_evses), emsp=token.party, leg=leg, token=token)
    return ReserveNow(
        at=draw(_evses), emsp=token.party, leg=leg, token=token, reservation=draw(ids), expires=draw(instants)
    )


commands = st.one_of(
    asked_for(),
    st.builds(StopSession, session=ids),
    st.builds(CancelReservation, reservation=ids),
    st.builds(UnlockConnector, at=st.builds(EvseRef, location_id=ids, evse_uid=ids, connector_id=ids)),
)
