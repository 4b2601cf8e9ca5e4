"""What may be done in which state, and which day follows: every state and every act."""

from datetime import datetime, timedelta
from itertools import product

import pytest

from gateway.services.offers import states
from gateway.services.offers.states import OfferAct, SubscriptionAct
from gateway.services.ports.common import Conflict
from mappings.canonical.agreements import Joining, OfferState, Subscription, SubscriptionState
from tests.offers.desk import DAY, EMSP, START, offer

D, P, C, E = OfferState
OFFERS = {
    D: {OfferAct.CHANGE: D, OfferAct.PUBLISH: P, OfferAct.REMOVE: D},
    P: {
        OfferAct.ADD_VERSION: P,
        OfferAct.DROP_VERSION: P,
        OfferAct.SUBSCRIBE: P,
        OfferAct.CANCEL: C,
        OfferAct.END: E,
    },
    C: {OfferAct.DROP_VERSION: C, OfferAct.END: E},
    E: {},
}
S = SubscriptionState
WAITING = {
    SubscriptionAct.APPROVE: S.ACTIVE,
    SubscriptionAct.REFUSE: S.REFUSED,
    SubscriptionAct.CANCEL: S.ENDED,
    SubscriptionAct.END: S.ENDED,
}
SUBSCRIPTIONS = {
    S.REQUESTED: WAITING,
    S.UNDER_REVIEW: WAITING,
    S.ACTIVE: {
        SubscriptionAct.CANCEL: S.CANCELLED,
        SubscriptionAct.DISMISS: S.CANCELLED,
        SubscriptionAct.END: S.ENDED,
    },
    S.CANCELLED: {SubscriptionAct.END: S.ENDED},
    S.ENDED: {},
    S.REFUSED: {},
}


@pytest.mark.parametrize(("state", "act"), list(product(OfferState, OfferAct)))
def test_every_act_on_an_offer_has_its_answer_in_every_state(state, act):
    expected = OFFERS[state].get(act)
    if expected is not None:
        assert states.offer_after("O1", state, act) is expected
        return
    with pytest.raises(Conflict, match=f"cannot {act.value} offer O1: it "):
        states.offer_after("O1", state, act)


@pytest.mark.parametrize(("state", "act"), list(product(SubscriptionState, SubscriptionAct)))
def test_every_act_on_a_subscription_has_its_answer_in_every_state(state, act):
    expected = SUBSCRIPTIONS[state].get(act)
    if expected is not None:
        assert states.subscription_after("S1", state, act) is expected
        return
    with pytest.raises(Conflict, match=f"cannot {act.value} subscription S1: it "):
        states.subscription_after("S1", state, act)


def test_states_only_go_on():
    order = {state: number for number, state in enumerate(OfferState)}
    assert all(after is None or order[after] >= order[state] for (state, _), after in states.OFFERS.items())
    for (state, _), after in states.SUBSCRIPTIONS.items():
        assert after is None or states.goes_on(state, after)
    for before, after in product(SubscriptionState, SubscriptionState):
        assert before is after or not (states.goes_on(before, after) and states.goes_on(after, before))
    assert not any(states.goes_on(over, after) for over in states.FINAL for after in SubscriptionState if after != over)


def _subscription(starts: datetime | None, **changes: object) -> Subscription:
    return Subscription(id="S1", offer="O1", emsp=EMSP, state=S.ACTIVE, requested_at=START, starts=starts).model_copy(
        update=changes
    )


def test_days_are_24_hours_from_the_announcement():
    odd = START + timedelta(hours=13, minutes=7)
    made = offer(lead_time_days=42, notice_days=21, cancellation_days=14, minimum_term_days=90)
    assert states.earliest_version(made, odd) == odd + 42 * DAY
    assert states.earliest_end(made, odd) == odd + 21 * DAY
    held = _subscription(START - 365 * DAY)
    assert states.earliest_leave(made, held, odd, by_cpo=False) == odd + 14 * DAY
    assert states.earliest_leave(made, held, odd, by_cpo=True) == odd + 21 * DAY


def test_the_minimum_term_binds_the_emsp_alone():
    made = offer(notice_days=21, cancellation_days=14, minimum_term_days=90)
    new = _subscription(START - DAY)
    assert states.earliest_leave(made, new, START, by_cpo=False) == START + 89 * DAY
    assert states.earliest_leave(made, new, START, by_cpo=True) == START + 21 * DAY


def test_what_has_not_begun_ends_at_its_start():
    later = offer(starts=START + 100 * DAY)
    assert states.earliest_end(later, START) == later.starts
    assert states.earliest_version(later, START) == later.starts
    assert states.earliest_leave(later, _subscription(later.starts), START, by_cpo=True) == later.starts


def test_a_subscription_starts_as_soon_as_all_of_it_may():
    made = offer(starts=START + DAY)
    assert states.earliest_start(made, START, None) == START + DAY
    assert states.earliest_start(made, START + 2 * DAY) == START + 2 * DAY
    assert states.earliest_start(made, START, START + 5 * DAY, None) == START + 5 * DAY


def test_whoever_need_not_be_approved_has_it_at_once():
    assert states.first_state(Joining.SUBSCRIBE) is S.ACTIVE
    assert states.first_state(Joining.APPROVE) is S.REQUESTED


@pytest.mark.parametrize(
    ("state", "began", "starts", "ends", "expected"),
    [
        (S.REQUESTED, False, None, None, None),
        (S.ACTIVE, False, START, None, START),
        (S.ACTIVE, True, START, None, None),
        (S.ACTIVE, True, START, START + DAY, START + DAY),
        (S.CANCELLED, False, START, START + DAY, START),
        (S.CANCELLED, True, START, START + DAY, START + DAY),
        (S.CANCELLED, False, START, START, START),
        (S.ENDED, True, START, START + DAY, None),
        (S.REFUSED, False, None, None, None),
    ],
)
def test_what_is_due_next(state, began, starts, ends, expected):
    assert states.due(_subscription(starts, state=state, ends=ends), began=began) == expected
