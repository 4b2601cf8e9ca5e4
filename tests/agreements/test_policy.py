"""Who is served, decided from agreements alone: every state of a subscription, by service and kind of hub."""

from datetime import timedelta

import pytest

from adapters.core.connection import Connection, Mode, Scope, Secrets, State
from gateway.agreements.book import Book, Offered, build
from gateway.agreements.model import DEFAULT_RANK
from gateway.agreements.policy import REFUSALS, Reason, Request, candidates, decide, held
from mappings.canonical.agreements import (
    EVERY_SERVICE,
    GroupPrice,
    Joining,
    Member,
    Offer,
    OfferState,
    OfferTerms,
    OfferVersion,
    PriceSource,
    Service,
    Subscription,
    SubscriptionState,
)
from mappings.canonical.ids import PartyId
from tests.harness import AT, OTHER, PARTY

NOW = AT
EMSP = PartyId("FR-XYZ")
STRANGER = PartyId("DE-DCB")
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
WAY = 1
"""The connection's number."""


def terms(services=EVERY_SERVICE, *, groups=(), rank=DEFAULT_RANK, prices=()) -> OfferTerms:
    source = PriceSource.AGREED if prices else PriceSource.EVSE_TARIFFS
    return OfferTerms(
        services=frozenset(services), evse_groups=groups, rank=rank, price_source=source, prices=tuple(prices)
    )


def offered(
    no=1,
    *,
    way=WAY,
    cpo=PARTY,
    group=None,
    audience=None,
    joining=Joining.OPEN,
    state=OfferState.PUBLISHED,
    starts=NOW - DAY,
    ends=None,
    versions=None,
    subscriptions=(),
    **said,
) -> Offered:
    """A published offer, for all and open, in one version; `said` are its terms."""
    offer = Offer(
        id=f"O{no}",
        connection="way",
        cpo=cpo if group is None else None,
        network_group=group,
        audience=audience,
        joining=joining,
        title=f"O{no}",
        starts=starts,
        ends=ends,
    )
    versions = versions or [OfferVersion(number=1, starts=starts, terms=terms(**said))]
    return Offered(no, way, offer, state, ends, versions, subscriptions)


def subscribed(state: SubscriptionState, *, emsp=EMSP, starts=NOW - DAY, ends=None, id_="S1") -> Subscription:
    return Subscription(id=id_, offer="O1", emsp=emsp, state=state, requested_at=NOW - DAY, starts=starts, ends=ends)


def book(*offers: Offered, members=None, networks=None) -> Book:
    return build(offers, networks or {}, members or {})


def asked(agreements: Book, service=Service.AUTHORISE, cpo=PARTY, emsp=EMSP, evse_key="NLABCE1", *, now=NOW, way=WAY):
    return decide(agreements, way, Request(service, cpo, emsp, evse_key), now)


# Every state, service and way


STANDS = {
    SubscriptionState.REQUESTED: Reason.NOT_APPROVED,
    SubscriptionState.UNDER_REVIEW: Reason.NOT_APPROVED,
    SubscriptionState.ACTIVE: Reason.AGREED,
    SubscriptionState.CANCELLED: Reason.AGREED,
    SubscriptionState.ENDED: Reason.ENDED,
    SubscriptionState.REFUSED: Reason.REFUSED,
}


@pytest.mark.parametrize("joining", [Joining.SUBSCRIBE, Joining.APPROVE])
@pytest.mark.parametrize("service", Service)
@pytest.mark.parametrize("state", SubscriptionState)
def test_a_subscription_gives_what_its_state_says(state, service, joining):
    has = book(offered(joining=joining, subscriptions=[subscribed(state, ends=NOW + DAY)]))
    decision = asked(has, service)
    assert (decision.reason, decision.allowed) == (STANDS[state], STANDS[state] is Reason.AGREED)
    assert (decision.ref is not None) is decision.allowed
    assert asked(has, service, emsp=STRANGER).reason is Reason.NO_AGREEMENT


@pytest.mark.parametrize("sold", Service)
@pytest.mark.parametrize("service", Service)
@pytest.mark.parametrize("state", SubscriptionState)
def test_only_the_services_that_were_sold_are_given(state, service, sold):
    has = book(offered(joining=Joining.SUBSCRIBE, services={sold}, subscriptions=[subscribed(state)]))
    allowed = state in (SubscriptionState.ACTIVE, SubscriptionState.CANCELLED) and service is sold
    assert asked(has, service).allowed is allowed


@pytest.mark.parametrize("audience", [None, (EMSP,)])
@pytest.mark.parametrize("service", Service)
@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (OfferState.DRAFT, Reason.UNRESTRICTED),
        (OfferState.PUBLISHED, Reason.AGREED),
        (OfferState.CANCELLED, Reason.AGREED),
        (OfferState.ENDED, Reason.ENDED),
    ],
)
def test_an_open_offer_gives_what_its_state_says(state, reason, service, audience):
    has = book(offered(state=state, audience=audience, ends=NOW + DAY))
    assert asked(has, service).reason is reason


def test_an_ended_offer_takes_its_subscriptions_along():
    has = book(
        offered(
            joining=Joining.SUBSCRIBE,
            state=OfferState.ENDED,
            subscriptions=[subscribed(SubscriptionState.ACTIVE)],
        )
    )
    assert asked(has).reason is Reason.ENDED


@pytest.mark.parametrize("emsp", [None, EMSP, STRANGER])
@pytest.mark.parametrize("service", Service)
def test_a_network_without_offers_is_public(service, emsp):
    decision = asked(book(offered(cpo=OTHER)), service, emsp=emsp)
    assert (decision.allowed, decision.reason, decision.ref) == (True, Reason.UNRESTRICTED, None)
    assert decision.rank == DEFAULT_RANK


def test_an_offer_by_one_way_restricts_no_other():
    assert asked(book(offered(audience=(STRANGER,))), way=2).reason is Reason.UNRESTRICTED


def test_every_reason_of_a_no_has_a_sentence():
    assert set(REFUSALS) == set(Reason) - {Reason.UNRESTRICTED, Reason.AGREED}


# Time


@pytest.mark.parametrize(
    ("moment", "reason"),
    [
        (NOW - SECOND, Reason.UNRESTRICTED),
        (NOW, Reason.AGREED),
        (NOW + SECOND, Reason.AGREED),
        (NOW + 2 * SECOND, Reason.ENDED),
    ],
)
def test_the_first_moment_counts_and_the_last_does_not(moment, reason):
    assert asked(book(offered(starts=NOW, ends=NOW + 2 * SECOND)), now=moment).reason is reason


def test_a_subscription_has_a_window_of_its_own():
    mine = subscribed(SubscriptionState.CANCELLED, starts=NOW, ends=NOW + SECOND)
    has = book(offered(joining=Joining.SUBSCRIBE, subscriptions=[mine]))
    told = [asked(has, now=NOW + number * SECOND).reason for number in (-1, 0, 1)]
    assert told == [Reason.NOT_YET, Reason.AGREED, Reason.ENDED]


def test_what_has_ended_stays_so_when_a_clock_goes_back():
    mine = subscribed(SubscriptionState.ENDED, starts=NOW - DAY, ends=NOW)
    has = book(offered(joining=Joining.SUBSCRIBE, subscriptions=[mine]))
    assert asked(has, now=NOW - 12 * 3600 * SECOND).reason is Reason.ENDED


def test_each_version_counts_from_its_start_to_the_next_ones():
    versions = [
        OfferVersion(number=1, starts=NOW - DAY, terms=terms({Service.AUTHORISE})),
        OfferVersion(number=2, starts=NOW, terms=terms({Service.REMOTE})),
    ]
    has = book(offered(versions=versions))
    before, since = asked(has, now=NOW - SECOND), asked(has, Service.REMOTE)
    assert (before.ref and before.ref.version, since.ref and since.ref.version) == (1, 2)
    assert asked(has).reason is Reason.ENDED
    assert asked(has, Service.REMOTE, now=NOW - SECOND).reason is Reason.NOT_YET


# Several


def test_of_several_the_nearest_to_a_yes_says_why_not():
    waits = subscribed(SubscriptionState.UNDER_REVIEW, starts=None)
    ended = offered(1, ends=NOW)
    later = offered(2, audience=(EMSP,), starts=NOW + SECOND)
    review = offered(3, joining=Joining.APPROVE, subscriptions=[waits])
    other = offered(4, services={Service.POI})
    assert asked(book(other)).reason is Reason.OTHER_SERVICE
    assert asked(book(other, ended)).reason is Reason.ENDED
    assert asked(book(other, ended, later)).reason is Reason.NOT_YET
    assert asked(book(later, review, other, ended)).reason is Reason.NOT_APPROVED


def test_several_serve_together():
    has = book(
        offered(1, audience=(EMSP,), services={Service.REMOTE}),
        offered(2, audience=(STRANGER,), services={Service.AUTHORISE}),
    )
    told = {
        (service, emsp): (ref := asked(has, service, emsp=emsp).ref) and ref.offer
        for service in (Service.REMOTE, Service.AUTHORISE)
        for emsp in (EMSP, STRANGER, None)
    }
    assert told == {
        (Service.REMOTE, EMSP): "O1",
        (Service.REMOTE, STRANGER): None,
        (Service.REMOTE, None): "O1",
        (Service.AUTHORISE, EMSP): None,
        (Service.AUTHORISE, STRANGER): "O2",
        (Service.AUTHORISE, None): "O2",
    }


def test_the_most_specific_one_counts_and_the_others_are_said():
    networks = {"N": [Member(party=PARTY, since=NOW - DAY)]}
    members = {"fast": frozenset({"NLABCE1"})}
    offers = [
        offered(1, group="N", rank=1),
        offered(2, rank=50),
        offered(3, rank=9),
        offered(4, rank=9),
        offered(5, groups=("fast",), rank=99),
        offered(6, audience=(EMSP,), rank=200),
        offered(7, audience=(EMSP,), groups=("fast",), rank=300),
    ]
    order = []
    while offers:
        decision = asked(book(*reversed(offers), networks=networks, members=members))
        assert decision.agreement is not None
        chosen = next(one for one in offers if one.offer.id == decision.agreement.offer)
        assert {one.offer for one in decision.others} == {one.offer.id for one in offers if one is not chosen}
        assert decision.rank == chosen.versions[0].terms.rank
        offers.remove(chosen)
        order.append(chosen.offer.id)
    assert order == ["O7", "O6", "O5", "O3", "O4", "O2", "O1"]


# Groups


def test_evses_outside_the_groups_of_an_offer_are_not_in_it():
    has = book(offered(groups=("fast", "slow")), members={"fast": frozenset({"NLABCE1"})})
    assert asked(has).allowed
    assert asked(has, evse_key="NLABCE2").reason is Reason.OTHER_EVSES
    assert asked(has, evse_key="").reason is Reason.OTHER_EVSES  # one without EvseID is in no group
    assert asked(has, evse_key=None).allowed  # no EVSE is meant in particular


def test_a_member_of_a_network_group_has_its_agreements_as_long_as_it_is_one():
    networks = {"N": [Member(party=PARTY, since=NOW, until=NOW + DAY), Member(party=OTHER, since=NOW + DAY)]}
    has = book(offered(group="N", audience=(EMSP,)), networks=networks)
    assert asked(has, now=NOW - SECOND).reason is Reason.UNRESTRICTED
    assert asked(has).allowed
    assert asked(has, emsp=STRANGER).reason is Reason.NO_AGREEMENT
    assert asked(has, now=NOW + DAY).reason is Reason.ENDED
    assert asked(has, cpo=OTHER).reason is Reason.UNRESTRICTED
    assert asked(has, cpo=OTHER, now=NOW + DAY).allowed


def test_the_price_of_an_evse_is_its_groups_else_the_one_for_all_others():
    prices = [
        GroupPrice(tariff_ids=("plain",)),
        GroupPrice(evse_group="fast", tariff_ids=("dear", "dearer")),
    ]
    has = book(offered(prices=prices), members={"fast": frozenset({"NLABCE1"})})
    agreement = asked(has).agreement
    assert agreement is not None
    assert has.tariffs(agreement, "NLABCE1") == ("dear", "dearer")
    assert has.tariffs(agreement, "NLABCE2") == ("plain",)
    unsaid = asked(book(offered())).agreement
    assert unsaid is not None
    assert has.tariffs(unsaid, "NLABCE1") is None


def test_what_ended_before_a_network_came_to_it_restricts_nobody():
    ended = offered(group="g", state=OfferState.ENDED, starts=NOW - 3 * DAY, ends=NOW - 2 * DAY)
    late = book(ended, networks={"g": [Member(party=PARTY, since=NOW - DAY)]})
    assert asked(late).reason is Reason.UNRESTRICTED
    withdrawn = book(offered(state=OfferState.ENDED)._replace(ends=NOW - DAY))  # as it was to begin
    assert asked(withdrawn).reason is Reason.UNRESTRICTED


def test_a_group_that_a_network_had_left_before_the_offer_began_does_not_restrict_it():
    gone = Member(party=PARTY, since=NOW - 3 * DAY, until=NOW - 2 * DAY)
    assert asked(book(offered(group="g"), networks={"g": [gone]})).reason is Reason.UNRESTRICTED
    left = gone.model_copy(update={"until": NOW - DAY / 2})
    assert asked(book(offered(group="g"), networks={"g": [left]})).reason is Reason.ENDED


def test_what_ended_since_counts_in_the_past_whatever_came_after_it():
    """A subscription that begins later, and what everybody has, take nothing from the one that there was."""
    over = subscribed(SubscriptionState.ENDED, starts=NOW - 2 * DAY, ends=NOW)
    again = subscribed(SubscriptionState.ACTIVE, starts=NOW + DAY, id_="S2")
    sold = offered(audience=(EMSP,), joining=Joining.SUBSCRIBE, starts=NOW - 2 * DAY, subscriptions=[over, again])
    has = book(sold, offered(2, starts=NOW - 2 * DAY))
    request = Request(Service.AUTHORISE, PARTY, EMSP, "NLABCE1")
    then = held(has, WAY, request, NOW - DAY)
    assert then.ref is not None
    assert then.ref.subscription == "S1"
    assert [one.offer for one in then.others] == ["O2"]
    assert held(book(sold), WAY, request, NOW + SECOND).reason is Reason.NOT_YET


# Who is asked


def connection(number: int, name: str) -> Connection:
    return Connection(number, name, "hub", Mode.LIVE, State.READY, Scope(), {}, Secrets())


A, B, C = connection(1, "a"), connection(2, "b"), connection(3, "c")


@pytest.mark.parametrize(
    ("ranks", "order"),
    [
        ({}, "abc"),
        ({1: 200}, "bca"),
        ({3: 1}, "cab"),
        ({1: 5, 2: 5, 3: 5}, "abc"),
        ({1: 3, 2: 2, 3: 1}, "cba"),
        ({2: 100}, "abc"),
    ],
)
def test_candidates_are_asked_by_rank_then_by_name(ranks, order):
    has = book(*(offered(number, way=number, rank=rank) for number, rank in ranks.items()))
    found = candidates(has, [C, A, B], {1, 2, 3}, Request(Service.AUTHORISE, PARTY, EMSP), NOW)
    assert "".join(each.connection.name for each in found) == order


def test_a_connection_that_does_not_serve_the_driver_is_no_candidate():
    has = book(offered(1, audience=(STRANGER,)), offered(2, way=2, services={Service.AUTHORISE}))

    def named(service, emsp):
        found = candidates(has, [A, B, C], {1, 2, 3}, Request(service, PARTY, emsp), NOW)
        return [each.connection.name for each in found]

    assert named(Service.AUTHORISE, EMSP) == ["b", "c"]
    assert named(Service.REMOTE, EMSP) == ["c"]
    assert named(Service.AUTHORISE, None) == ["a", "b", "c"]


def test_a_hub_that_knows_its_contracts_is_asked_after_all_others():
    has = book(offered(1, audience=(STRANGER,), rank=1), offered(2, way=2, rank=200))
    found = candidates(has, [A, B], {2}, Request(Service.AUTHORISE, PARTY, EMSP), NOW)
    assert [(each.connection.name, each.decision.allowed) for each in found] == [("b", True), ("a", False)]
