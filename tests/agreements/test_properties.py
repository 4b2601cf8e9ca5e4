"""What holds of every decision, whatever the agreements are; and a slow judge who decides the same by other means."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.agreements.book import Book
from gateway.agreements.policy import Decision, Reason, Request, decide, held
from mappings.canonical.agreements import (
    EVERY_SERVICE,
    Joining,
    Offer,
    OfferState,
    OfferTerms,
    OfferVersion,
    SubscriptionState,
)
from tests.agreements.books import CPOS, EMSPS, HOUR, SPAN, WAYS, World, judge, moments, requests, world
from tests.harness import AT

REQUESTS = requests()
HOLDING = frozenset({SubscriptionState.ACTIVE, SubscriptionState.CANCELLED})

seeds = st.randoms(use_true_random=False)
several = settings(max_examples=100, deadline=None)


def every(random: Random, book: Book, count: int = 2) -> Iterator[tuple[int, Request, datetime, Decision]]:
    """Gives decisions about everything there is, at some moments."""
    for now in moments(random, count):
        for way in WAYS:
            for request in REQUESTS:
                yield way, request, now, decide(book, way, request, now)


def told(decision: Decision) -> tuple[bool, Reason, object]:
    """What counts of a decision."""
    return decision.allowed, decision.reason, decision.ref


def compare(random: Random, count: int) -> None:
    """Has both judges decide about a world at some moments, and compares."""
    drawn = world(random)
    for way, request, now, decision in every(random, drawn.book(), count):
        expected = judge(drawn, way, request, now)
        where = drawn, way, request, now
        assert decision.allowed is expected.allowed, where
        assert (decision.reason is Reason.UNRESTRICTED) is expected.public, where
        if request.emsp is None or expected.public:  # who wants it is not known, so that nobody's agreement is meant
            continue
        ref = decision.ref
        assert (ref and (ref.offer, ref.version, ref.subscription)) == expected.chosen, where
        others = {(one.offer, one.version, one.subscription) for one in decision.others}
        assert others == expected.others, where


@pytest.mark.parametrize("seed", range(4))
def test_a_slow_judge_decides_thousands_of_books_alike(seed: int) -> None:
    random = Random(seed)
    for _ in range(500):
        compare(random, 1)


@given(seeds)
@several
def test_a_slow_judge_decides_alike(random: Random) -> None:
    compare(random, 2)


@given(seeds)
@several
def test_nobody_starts_at_a_restricted_network_without_an_agreement_that_holds(random: Random) -> None:
    drawn = world(random)
    offers = {one.offer.id: one for one in drawn.offers}
    for way, request, now, decision in every(random, drawn.book()):
        if not decision.allowed or decision.reason is Reason.UNRESTRICTED:
            continue
        agreement = decision.agreement
        assert agreement is not None
        assert (agreement.connection_id, agreement.cpo) == (way, request.party)
        assert agreement.starts <= now
        assert agreement.ends is None or now < agreement.ends
        assert request.service in agreement.terms.services
        offer = offers[agreement.offer]
        assert offer.state in {OfferState.PUBLISHED, OfferState.CANCELLED}
        if offer.offer.joining is not Joining.OPEN:
            [subscription] = [one for one in offer.subscriptions if one.id == agreement.subscription]
            assert subscription.state in HOLDING
            assert request.emsp in {None, subscription.emsp}


@given(seeds)
@several
def test_the_order_of_agreements_changes_no_decision(random: Random) -> None:
    drawn = world(random)
    shuffled = replace(drawn, offers=random.sample(list(drawn.offers), len(drawn.offers)))
    book = shuffled.book()
    for way, request, now, decision in every(random, drawn.book()):
        again = decide(book, way, request, now)
        assert (again.allowed, again.reason) == (decision.allowed, decision.reason)
        if request.emsp is not None:
            assert (again.ref, again.others) == (decision.ref, decision.others)


@given(seeds)
@several
def test_an_agreement_for_others_changes_nothing_for_me(random: Random) -> None:
    drawn = world(random)
    mine, theirs = EMSPS[0], EMSPS[1]
    offer = Offer(
        id="theirs",
        connection="way",
        cpo=CPOS[0],
        audience=(theirs,),
        joining=Joining.OPEN,
        title="theirs",
        starts=AT - HOUR,
    )
    terms = OfferTerms(services=EVERY_SERVICE, rank=0)
    added = drawn.offers[0]._replace(
        no=99,
        connection_id=WAYS[0],
        offer=offer,
        state=OfferState.PUBLISHED,
        ends=None,
        versions=[OfferVersion(number=1, starts=offer.starts, terms=terms)],
        subscriptions=[],
    )
    book = replace(drawn, offers=[*drawn.offers, added]).book()
    for way, request, now, decision in every(random, drawn.book()):
        if request.emsp != mine:
            continue
        again = decide(book, way, request, now)
        if decision.reason is Reason.UNRESTRICTED and (way, request.party) == (WAYS[0], CPOS[0]):
            # The network was public; an offer to anybody restricts it.
            assert not again.allowed or now < offer.starts
        else:
            assert told(again) == told(decision)


@given(seeds)
@several
def test_what_has_ended_serves_nobody_under_any_clock(random: Random) -> None:
    drawn = world(random)
    ended = {one.offer.id for one in drawn.offers if one.state is OfferState.ENDED}
    left = {
        subscription.id
        for one in drawn.offers
        for subscription in one.subscriptions
        if subscription.state not in HOLDING
    }
    book = drawn.book()
    for now in (*moments(random, 2), AT - 1000 * HOUR, AT + 1000 * HOUR):
        for way in WAYS:
            for request in REQUESTS:
                decision = decide(book, way, request, now)
                for one in (decision.agreement, *decision.others):
                    assert one is None or (one.offer not in ended and one.subscription not in left)


@given(seeds)
@several
def test_a_network_that_was_restricted_once_is_never_public_again(random: Random) -> None:
    drawn = world(random)
    turned = ended_by(drawn, AT + HOUR * SPAN)
    for way, request, now, decision in every(random, drawn.book()):
        if decision.reason is not Reason.UNRESTRICTED:
            assert decide(drawn.book(), way, request, now + HOUR).reason is not Reason.UNRESTRICTED
            assert decide(turned.book(), way, request, now).reason is not Reason.UNRESTRICTED


@given(seeds)
@several
def test_what_ended_since_counts_as_it_stood_at_a_moment_that_is_past(random: Random) -> None:
    drawn = before_it_ended(world(random))
    now = AT + HOUR * random.randint(0, 2 * SPAN)
    book = ended_by(drawn, now).book()
    for way, request, then, decision in every(random, drawn.book()):
        if then < now and request.emsp is not None:
            again = held(book, way, request, then)
            where = drawn, way, request, then, now
            assert (again.allowed, again.ref) == (decision.allowed, decision.ref), where
            assert [one.ref for one in again.others] == [one.ref for one in decision.others], where


def before_it_ended(drawn: World) -> World:
    """The same world when nothing had ended yet."""
    offers = []
    for one in drawn.offers:
        subscriptions = [
            each.model_copy(update={"state": SubscriptionState.CANCELLED})
            if each.state is SubscriptionState.ENDED
            else each
            for each in one.subscriptions
        ]
        state = OfferState.PUBLISHED if one.state is OfferState.ENDED else one.state
        offers.append(one._replace(state=state, subscriptions=subscriptions))
    return replace(drawn, offers=offers)


def ended_by(drawn: World, now: datetime) -> World:
    """The same world later: what was due has ended."""
    offers = []
    for one in drawn.offers:
        subscriptions = [
            each.model_copy(update={"state": SubscriptionState.ENDED})
            if each.state is SubscriptionState.CANCELLED and each.ends is not None and each.ends <= now
            else each
            for each in one.subscriptions
        ]
        live = one.state in {OfferState.PUBLISHED, OfferState.CANCELLED}
        state = OfferState.ENDED if live and one.ends is not None and one.ends <= now else one.state
        offers.append(one._replace(state=state, subscriptions=subscriptions))
    return replace(drawn, offers=offers)
