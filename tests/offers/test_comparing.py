"""What a hub holds, compared with what it was told, field by field and price by price."""

from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.services.hub_offers.comparing import OurSide, compare, version_of
from mappings.canonical.agreements import GroupPrice, Joining, OfferTerms, OfferVersion, PriceSource, Service
from mappings.canonical.held_offers import HubGroup, HubOffer
from mappings.canonical.tariffs import (
    DayOfWeek,
    PriceComponent,
    TariffDimension,
    TariffElement,
    TariffRestrictions,
)
from tests.harness import AT, PARTY, tariff
from tests.offers.hubs import EMSP, OTHER_EMSP, offer

DAY = timedelta(days=1)
AUTHORISE = frozenset({Service.AUTHORISE})
VERSION = OfferVersion(number=1, starts=AT, terms=OfferTerms(services=AUTHORISE))
PRICED = OfferVersion(
    number=1,
    starts=AT,
    terms=OfferTerms(
        services=AUTHORISE,
        evse_groups=("fast",),
        price_source=PriceSource.AGREED,
        prices=(GroupPrice(evse_group="fast", tariff_ids=("T1",)),),
    ),
)


def ours(made=None, version=VERSION, *, ends=None, tariffs=None, partners=None, group_ids=None) -> OurSide:
    return OurSide(made or offer(), version, ends, tariffs or {}, {"fast": "Fast"}, partners or {}, group_ids or {})


def theirs(**changes) -> HubOffer:
    fields = {
        "id": "H1",
        "title": "Offer O1",
        "cpo": PARTY,
        "services": AUTHORISE,
        "joining": Joining.SUBSCRIBE,
        "state": "ACTIVE",
        "starts": AT,
    }
    return HubOffer.model_validate(fields | changes)


def fields(mine: OurSide, other: HubOffer) -> dict[str, tuple[object, object]]:
    return {one.field: (one.ours, one.theirs) for one in compare(mine, other)}


def test_what_is_the_same_differs_in_nothing():
    assert compare(ours(), theirs()) == []


@pytest.mark.parametrize(
    ("mine", "other", "field"),
    [
        (ours(), theirs(title="Another"), "title"),
        (ours(), theirs(starts=AT + DAY), "starts"),
        (ours(), theirs(ends=AT + DAY), "ends"),
        (ours(ends=AT + DAY), theirs(), "ends"),
        (ours(ends=AT + DAY), theirs(ends=AT + 2 * DAY), "ends"),
        (ours(), theirs(joining=Joining.APPROVE), "joining"),
        (ours(offer(joining=Joining.APPROVE)), theirs(), "joining"),
        (ours(offer(minimum_term_days=30)), theirs(), "minimum_term_days"),
        (ours(), theirs(cancellation_days=42), "cancellation_days"),
        (ours(offer(notice_days=21)), theirs(notice_days=42), "notice_days"),
        (ours(offer(lead_time_days=42)), theirs(lead_time_days=50), "lead_time_days"),
        (ours(), theirs(audience=("p1",)), "audience"),
        (ours(), theirs(audience=()), "audience"),
        (ours(offer(audience=(EMSP,))), theirs(), "audience"),
        (ours(offer(audience=(EMSP,)), partners={"FR*XYZ": "p1"}), theirs(audience=("p2",)), "audience"),
        (ours(offer(audience=(EMSP,))), theirs(audience=("p1", "p2")), "audience"),
        (ours(), theirs(services=frozenset(Service)), "terms.services"),
        (ours(version=PRICED), theirs(groups=(HubGroup(id="G2", name="Slow"),)), "terms.evse_groups[Slow]"),
    ],
)
def test_each_field_that_differs_is_named(mine, other, field):
    assert field in fields(mine, other)


@pytest.mark.parametrize(
    ("mine", "other"),
    [
        (ours(offer(audience=(EMSP,)), partners={"FR*XYZ": "p1"}), theirs(audience=("p1",))),
        (ours(offer(audience=(EMSP, OTHER_EMSP))), theirs(audience=("p1", "p2"))),  # nobody knows who these are
        (ours(offer(audience=(EMSP,))), theirs(audience=())),  # it does not say whom
        (ours(offer(joining=Joining.APPROVE)), theirs(joining=None)),
        (ours(), theirs(services=frozenset())),
        (ours(offer(notice_days=21)), theirs()),
        (ours(offer(ends=AT + DAY, lead_time_days=3), ends=AT + DAY), theirs(ends=AT + DAY, lead_time_days=0)),
        (ours(ends=AT + DAY), theirs(ends=AT + DAY, cancelled_at=AT + DAY)),
        (ours(version=PRICED), theirs()),
        (ours(version=PRICED), theirs(groups=(HubGroup(id="x", name="Fast"),))),
        (ours(version=PRICED, group_ids={"fast": "G1"}), theirs(groups=(HubGroup(id="G1", name="Renamed"),))),
    ],
)
def test_what_the_hub_does_not_say_or_says_in_its_own_way_is_no_difference(mine, other):
    assert compare(mine, other) == []


def element(price: str, dimension: TariffDimension = TariffDimension.ENERGY, **limits) -> TariffElement:
    component = PriceComponent(type=dimension, price=Decimal(price), step_size=1, vat=limits.pop("vat", None))
    return TariffElement(
        price_components=(component,), restrictions=TariffRestrictions.model_validate(limits) if limits else None
    )


def prices(mine, other, **changes):
    held = HubGroup(id="G1", name="Fast", tariff=tariff("g", elements=other, **changes))
    found = fields(ours(version=PRICED, tariffs={"fast": (tariff("T1", elements=mine),)}), theirs(groups=(held,)))
    return found.get("terms.prices[fast]") or found.get("terms.prices[fast].currency")


NIGHT = {"start_time": "22:00", "end_time": "06:00"}


@pytest.mark.parametrize(
    ("mine", "other"),
    [
        ((element("0.50"),), (element("0.5"),)),
        ((element("0.5", vat=20),), (element("0.5"),)),  # hubs' prices are without tax
        ((element("0.5"),), (element("0.5", start_time="00:00", end_time="12:00"), element("0.5", start_time="12:00"))),
        (
            (element("0.3", **NIGHT), element("0.5")),
            (element("0.5", start_time="06:00", end_time="22:00"), element("0.3")),
        ),
        (
            (element("0.3", day_of_week=[DayOfWeek.SUNDAY]), element("0.5")),
            (element("0.5", day_of_week=[day for day in DayOfWeek if day is not DayOfWeek.SUNDAY]), element("0.3")),
        ),
        ((element("1", TariffDimension.TIME),), (element("1.00002", TariffDimension.TIME),)),
        ((element("0.5"), element("0", TariffDimension.FLAT)), (element("0.5"),)),
        ((element("0.5"), element("9")), (element("0.5"),)),  # the first that holds counts
    ],
)
def test_prices_that_come_to_the_same_are_the_same_however_they_are_written(mine, other):
    assert prices(mine, other) is None


@pytest.mark.parametrize(
    ("mine", "other", "differing"),
    [
        (
            (element("0.5"),),
            (element("0.6"),),
            ({"MONDAY 00:00": {"ENERGY": "0.5"}}, {"MONDAY 00:00": {"ENERGY": "0.6"}}),
        ),
        (
            (element("0.3", **NIGHT), element("40")),
            (element("40"),),
            ({"MONDAY 00:00": {"ENERGY": "0.3"}}, {"MONDAY 00:00": {"ENERGY": "40"}}),
        ),
        (
            (element("0.5"),),
            (element("0.4", day_of_week=[DayOfWeek.SATURDAY], start_time="10:00"), element("0.5")),
            ({"SATURDAY 10:00": {"ENERGY": "0.5"}}, {"SATURDAY 10:00": {"ENERGY": "0.4"}}),
        ),
        (
            (element("0.5"), element("2", TariffDimension.PARKING_TIME, min_duration=3600)),
            (element("0.5"), element("2", TariffDimension.PARKING_TIME)),
            (
                {"MONDAY 00:00": {"ENERGY": "0.5", "PARKING_TIME (min_duration 3600)": "2"}},
                {"MONDAY 00:00": {"ENERGY": "0.5", "PARKING_TIME": "2"}},
            ),
        ),
    ],
)
def test_prices_that_differ_are_shown_at_the_first_time_of_the_week_at_which_they_do(mine, other, differing):
    assert prices(mine, other) == differing


def test_another_currency_is_another_price():
    assert prices((element("0.5"),), (element("0.5"),), currency="CHF") == ("EUR", "CHF")


def test_a_group_that_the_hub_does_not_have_is_named():
    held = theirs(groups=(HubGroup(id="G2", name="Slow"),))
    assert fields(ours(version=PRICED), held)["terms.evse_groups[fast]"] == ("Fast", None)


def test_a_version_is_found_by_its_number_or_by_when_it_starts():
    second = VERSION.model_copy(update={"number": 2, "starts": AT + DAY})
    versions = [VERSION, second]
    assert version_of(versions, theirs(version=2)) is second
    assert version_of(versions, theirs(starts=AT + 2 * DAY)) is second
    assert version_of(versions, theirs(version=7, starts=AT)) is VERSION
    assert version_of(versions, theirs(starts=AT - DAY)) is VERSION
    later = OurSide(offer(), second, None, {}, {}, {}, {})
    assert compare(later, theirs(starts=AT + DAY)) == []
