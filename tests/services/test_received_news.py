"""Sessions of our drivers at partners' stations, told piece by piece."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.services.ports.received import Review
from gateway.services.received.merging import merged
from gateway.store.pool import Store
from mappings.canonical.legs import Leg
from mappings.canonical.sessions import Metering, SessionNews, SessionStatus
from tests.harness import later
from tests.services.homecoming import CARD, END, START, Home, home, news, token

BEGUN = news(START, status="ACTIVE", start=START, metering=Metering(start=100))
MIDWAY = news(later(5400), status="ACTIVE", energy=5, metering=Metering(between=(105,)))
OVER = news(END, status="COMPLETED", start=START, end=END, energy=10, metering=Metering(end=110))


@pytest.fixture
async def at(store: Store) -> AsyncIterator[Home]:
    """The services."""
    async with home(store) as made:
        yield made


def pieces() -> st.SearchStrategy[SessionNews]:
    """Pieces of one session."""
    optional = {
        "status": st.sampled_from([None, SessionStatus.ACTIVE, SessionStatus.COMPLETED]),
        "energy": st.one_of(st.none(), st.integers(0, 3)),
        "end": st.one_of(st.none(), st.integers(0, 3).map(later)),
        "start": st.one_of(st.none(), st.integers(0, 3).map(later)),
        "metering": st.builds(
            Metering,
            start=st.one_of(st.none(), st.integers(0, 3)),
            between=st.lists(st.integers(0, 5), max_size=2).map(tuple),
        ),
        "leg": st.builds(
            Leg,
            hub_session=st.just("H-1"),
            emsp_session=st.sampled_from([None, "a", "b"]),
            identification=st.just(CARD),
        ),
    }
    return st.fixed_dictionaries({"at": st.integers(0, 3).map(later), **optional}).map(lambda kw: news(**kw))


@given(st.lists(pieces(), min_size=1, max_size=5).flatmap(lambda one: st.tuples(st.just(one), st.permutations(one))))
def test_pieces_come_to_the_same_in_whatever_order_and_however_often(both: tuple[list[SessionNews], ...]) -> None:
    results = []
    for order in both:
        whole = None
        for piece in (*order, *order[:2]):
            whole = merged(whole, piece)
        results.append(whole)
    assert results[0] == results[1]


@pytest.mark.parametrize("order", [(BEGUN, MIDWAY, OVER), (OVER, MIDWAY, BEGUN), (MIDWAY, OVER, BEGUN, OVER)])
async def test_a_session_is_whole_in_whatever_order_it_was_told(at: Home, order: tuple[SessionNews, ...]) -> None:
    await at.permit("p-1", hub_session="H-1")
    view = await at.hear(*order)
    assert (view.permit, view.status, view.started, view.ended) == ("p-1", SessionStatus.COMPLETED, START, END)
    assert (view.energy, view.review) == (10, [])
    assert view.news is not None
    assert view.news.metering == Metering(start=100, end=110, between=(Decimal(105),))


async def test_progress_that_comes_after_the_end_does_not_open_a_session_again(at: Home) -> None:
    await at.permit("p-1", hub_session="H-1")
    view = await at.hear(OVER, news(END + timedelta(minutes=1), status="ACTIVE", energy=10))
    assert (view.status, view.ended) == (SessionStatus.COMPLETED, END)


async def test_an_error_alone_is_kept(at: Home) -> None:
    await at.permit("p-1", hub_session="H-1")
    error = {"kind": "CRITICAL", "text": "overheated", "at": later(4000)}
    view = await at.hear(BEGUN, news(later(4000), error=error))
    assert view.news is not None
    assert view.news.error is not None
    assert (view.status, view.news.error.text) == (SessionStatus.ACTIVE, "overheated")


async def test_the_same_piece_again_changes_nothing(at: Home) -> None:
    await at.permit("p-1", hub_session="H-1")
    first = await at.hear(BEGUN)
    assert (await at.hear(BEGUN)).updated == first.updated


async def test_a_driver_whom_the_hub_let_in_by_our_list_needs_no_permit(at: Home) -> None:
    assert (await at.hear(BEGUN)).review == [Review.UNKNOWN_PERMIT]
    await at.put(token(whitelist="ALLOWED"))
    assert (await at.hear(MIDWAY)).review == []


async def test_an_evse_is_the_same_however_its_id_is_spelled(at: Home) -> None:
    await at.permit("p-1", hub_session="H-1")
    view = await at.hear(BEGUN.model_copy(update={"evse_id": type(BEGUN.evse_id)("nlcpoe1")}))
    assert (view.evse, view.review) == ("NLCPOE1", [])


async def test_news_of_an_evse_of_another_cpo_waits(at: Home) -> None:
    await at.permit("p-1", hub_session="H-1", cpo=None, evse_key=None)
    other = BEGUN.model_copy(update={"evse_id": type(BEGUN.evse_id)("NL*ZZZ*E1")})
    assert (await at.hear(other)).review == [Review.OTHER_PARTY]


async def test_a_moment_ahead_of_the_clock_does_not_hide_what_comes_later(at: Home) -> None:
    await at.permit("p-1", hub_session="H-1")
    await at.hear(news(later(10**7), status="ACTIVE", energy=1))
    at.now = later(20 * 3600)
    view = await at.hear(news(at.now, energy=7))
    assert view.energy == 7
