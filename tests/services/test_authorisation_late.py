"""Drivers at own stations: answers that come too late, and requests that come again."""

import asyncio
from datetime import timedelta

import pytest

from adapters.core.charging import Denial, Denied
from gateway.services.ports import Conflict
from mappings.canonical.tokens import Identification, TokenType
from tests.harness import OTHER, WHO, eventually, evse, later, location
from tests.services.charging import (
    UNKNOWN,
    stations,
    time_is_over_once_asked,
    wish,
    yes,
)

AT_ONCE = timedelta(0)
SHORT = timedelta(milliseconds=200)
"""Long enough: the drivers' time begins with `time_is_over_once_asked`."""


def asked(view):
    return [(one.connection, one.answer) for one in view.detail.asked]


# Too late


async def test_a_second_yes_opens_nothing_and_is_given_back(database_url):
    async with stations(database_url, "a", "b", next_after=AT_ONCE) as s:
        s["a"].gate, s["a"].answer, s["b"].answer = asyncio.Event(), yes("late"), yes("first")
        view = await s.tap()
        assert view.connection == "b"
        s["a"].gate.set()
        await eventually(lambda: bool(s.figures.late))
        assert [leg.reference for leg in s["a"].released] == ["late"]
        await s.authorisation.close()
        stored = await s.authorisation.get(view.id, None)
        assert asked(stored) == [("a", "late"), ("b", "allowed")]
        [late, _] = stored.detail.asked
        assert late.released is True
        assert late.leg is not None
        assert late.leg.reference == "late"
        assert s.figures.late == [("a", True)]
        types = [event["type"] for event in await s.events()]
        assert types == ["authorisation.allowed", "authorisation.late"]
        refs = await s.store.fetch("SELECT value FROM session_ref WHERE kind = 'reference'")
        assert [ref["value"] for ref in refs] == ["first"]


async def test_a_yes_that_the_hub_does_not_take_back_is_told_as_kept(database_url):
    async with stations(database_url, "a", "b", next_after=AT_ONCE) as s:
        s["a"].gate, s["a"].takes_back = asyncio.Event(), False
        s["a"].answer, s["b"].answer = yes("late"), yes("first")
        view = await s.tap()
        s["a"].gate.set()
        await eventually(lambda: s.figures.late == [("a", False)])
        await s.authorisation.close()
        assert (await s.authorisation.get(view.id, None)).detail.asked[0].released is False


async def test_of_two_yeses_in_the_same_moment_the_one_asked_first_counts(database_url):
    async with stations(database_url, "a", "b", next_after=AT_ONCE) as s:
        gate = asyncio.Event()
        s["a"].gate = s["b"].gate = gate
        s["a"].answer, s["b"].answer = yes("1"), yes("2")
        tap = asyncio.create_task(s.tap())
        await asyncio.gather(s["a"].reached.wait(), s["b"].reached.wait())
        gate.set()
        assert (await tap).connection == "a"
        await s["b"].given_back.wait()
        assert s["a"].released == []


async def test_a_yes_after_the_deadline_is_given_back_too(database_url, monkeypatch):
    async with stations(database_url, "a") as s:
        time_is_over_once_asked(monkeypatch, s["a"])
        s["a"].gate, s["a"].answer, s["a"].answer_within = asyncio.Event(), yes(), SHORT
        view = await s.tap()
        assert view.reason is Denial.NO_ANSWER
        s["a"].gate.set()
        await s["a"].given_back.wait()
        await s.authorisation.close()
        stored = await s.authorisation.get(view.id, None)
        assert (stored.allowed, asked(stored)) == (False, [("a", "late")])
        assert [event["type"] for event in await s.events()] == ["authorisation.denied", "authorisation.late"]


async def test_a_no_after_the_deadline_is_written_down_and_told_to_nobody(database_url, monkeypatch):
    async with stations(database_url, "a") as s:
        time_is_over_once_asked(monkeypatch, s["a"])
        s["a"].gate, s["a"].answer_within = asyncio.Event(), SHORT
        view = await s.tap()
        s["a"].gate.set()
        await s.authorisation.close()
        assert asked(await s.authorisation.get(view.id, None)) == [("a", "denied")]
        assert [event["type"] for event in await s.events()] == ["authorisation.denied"]


async def test_a_hub_that_never_answers_is_given_up_and_written_down(database_url, monkeypatch):
    async with stations(database_url, "a") as s:
        time_is_over_once_asked(monkeypatch, s["a"])
        s["a"].gate = asyncio.Event()
        s["a"].answer_within = s["a"].request_timeout = SHORT
        view = await s.tap()
        await s.authorisation.close()
        assert asked(await s.authorisation.get(view.id, None)) == [("a", "outcome_unknown")]


@pytest.mark.parametrize("first", [None, UNKNOWN, Denied(Denial.NO_CANDIDATE)])
async def test_a_hub_for_which_no_time_was_left_is_silent_not_unfit(database_url, monkeypatch, first):
    """Whoever was not asked any more may know the driver, whatever another one said."""
    async with stations(database_url, *(("a", "b") if first else "b")) as s:
        if first:
            s["a"].answer = first
            time_is_over_once_asked(monkeypatch, s["a"])
        else:
            s["b"].answer_within = timedelta(0)
        view = await s.tap()
        assert (view.allowed, view.reason, s["b"].asked) == (False, Denial.NO_ANSWER, [])


async def test_who_hangs_up_leaves_nothing_undone(database_url):
    async with stations(database_url, "a") as s:
        s["a"].gate, s["a"].answer = asyncio.Event(), yes()
        tap = asyncio.create_task(s.tap())
        await s["a"].reached.wait()
        tap.cancel()
        with pytest.raises(asyncio.CancelledError):
            await tap
        s["a"].gate.set()
        await s.authorisation.close()
        [row] = await s.rows()
        assert (row["allowed"], s["a"].released) == (True, [])


async def test_a_yes_that_cannot_be_written_down_is_given_back(database_url):
    async with stations(database_url, "a") as s:
        s["a"].answer = yes("no text \0 for the store")
        with pytest.raises(Exception, match="0x00"):
            await s.tap()
        await s["a"].given_back.wait()
        assert await s.rows() == []


# The same request again


async def test_the_same_request_again_gets_the_same_answer_and_asks_nobody(database_url):
    async with stations(database_url, "a") as s:
        s["a"].answer = yes()
        first = await s.tap(request_id="tap-1")
        assert await s.tap(request_id="tap-1") == first
        assert (await s.tap(request_id="tap-2")).id != first.id
        assert len(s["a"].asked) == 2


async def test_the_same_request_while_the_first_is_waiting_shares_its_answer(database_url):
    async with stations(database_url, "a") as s:
        s["a"].gate, s["a"].answer = asyncio.Event(), yes()
        taps = [asyncio.create_task(s.tap(request_id="tap-1")) for _ in range(2)]
        await s["a"].reached.wait()
        s["a"].gate.set()
        first, second = await asyncio.gather(*taps)
        assert first == second
        assert len(s["a"].asked) == 1


async def test_two_replicas_that_are_asked_the_same_give_one_answer(database_url):
    async with stations(database_url, "a") as s:
        other = s.replica()
        s["a"].gate, s["a"].answer = asyncio.Event(), yes()
        taps = [asyncio.create_task(each.authorise(wish(request_id="tap-1"))) for each in (s.authorisation, other)]
        await eventually(lambda: len(s["a"].asked) == 2)
        s["a"].gate.set()
        first, second = await asyncio.gather(*taps)
        assert first.id == second.id
        await other.close()
        await s.authorisation.close()
        assert len(await s.rows()) == 1
        assert len(s["a"].released) == 1


@pytest.mark.parametrize("while_waiting", [True, False])
@pytest.mark.parametrize(
    "changed",
    [{"identification": Identification(type=TokenType.RFID, uid="04FFFFFFFFFFFF")}, {"evse_uid": "U2"}],
    ids=["another driver", "another EVSE"],
)
async def test_a_request_id_is_for_one_driver_at_one_evse(database_url, changed, while_waiting):
    async with stations(database_url, "a") as s:
        both = location("L1", evse("U1", "NL*ABC*E1"), evse("U2", "NL*ABC*E2"), last_updated=later(1))
        await s.publishing.put_locations([(both, ())], WHO)
        s["a"].gate = asyncio.Event()
        first = asyncio.create_task(s.tap(request_id="tap-1"))
        await s["a"].reached.wait()
        if not while_waiting:
            s["a"].gate.set()
            await first
        with pytest.raises(Conflict, match="request_id"):
            await s.tap(**{"request_id": "tap-1", **changed})
        s["a"].gate.set()
        await first


async def test_one_party_s_request_id_is_not_another_s(database_url):
    async with stations(database_url, "a") as s:
        await s.publishing.put_locations([(location(party=OTHER), ())], WHO)
        first = await s.tap(request_id="tap-1")
        assert (await s.tap(request_id="tap-1", party=OTHER)).id != first.id
