"""Pulls: when, from when on, and what follows from pages that do not come or do not fit together."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from tenacity import wait_none

from adapters.core.outcomes import NotSent, OutcomeUnknown, RefusedByHub, Throttled
from adapters.core.roaming import FeedKind, FeedProfile, PulledPage, PullFailed
from gateway.services.ports import NotFound
from gateway.services.ports.pulls import PullOutcome
from gateway.services.pulling import one_pull, service
from gateway.services.pulling.ending import end
from mappings.report import Refused
from tests.harness import eventually
from tests.services.pulled import CONNECTION, HOUR, Puller, ScriptedAdapter, data, page, puller, record


@pytest.fixture(autouse=True)
def nobody_waits_between_two_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(one_pull, "_WAIT", wait_none())


@pytest.fixture
async def made(database_url: str) -> AsyncIterator[Puller]:
    async with puller(database_url, start=False) as made:
        yield made


def say(*pages: PulledPage | PullFailed, feed: str = "data") -> None:
    """Scripts the pages of a pull, each following the one before."""
    for number, each in enumerate(pages):
        ScriptedAdapter.script[feed, str(number) if number else None] = [each]


async def test_the_first_pull_is_of_everything_and_the_next_of_what_changed(made: Puller) -> None:
    say(page("a", "b", cursor="1", total=3), page("c", total=3))
    made.pulling.start()
    await made.ended()
    view = await made.view()
    assert view.last is not None
    assert (view.last.outcome, view.last.full, view.last.pages, view.last.new) == (PullOutcome.DONE, True, 2, 3)
    assert view.mark is not None
    assert view.mark == view.full_at == view.last.began_at
    assert ScriptedAdapter.asked == [("data", None, None), ("data", None, "1")]
    say(page("c"))
    await made.again()
    assert ScriptedAdapter.asked[-1] == ("data", view.mark - timedelta(minutes=5), None)
    assert made.shelf.held.keys() == {"a", "b", "c"}
    assert made.shelf.prunings == 1


async def test_what_a_full_pull_does_not_name_is_gone(made: Puller) -> None:
    say(page("a", "b", total=2))
    made.pulling.start()
    await made.ended()
    say(page("b", total=1))
    await made.again(full=True)
    assert made.shelf.pruned == ["a"]


async def test_a_page_that_fails_at_the_end_moves_no_mark_and_takes_nothing_away(made: Puller) -> None:
    say(page("a", "b", total=2))
    made.pulling.start()
    await made.ended()
    before = await made.view()
    say(page("b", cursor="1", total=2), PullFailed(OutcomeUnknown("no answer")))
    await made.again(full=True)
    after = await made.view()
    assert after.last is not None
    assert (after.last.outcome, after.last.error) == (PullOutcome.FAILED, "no answer")
    assert (after.mark, after.full_at, after.failures) == (before.mark, before.full_at, 1)
    assert made.shelf.held.keys() == {"a", "b"}
    assert len([one for one in ScriptedAdapter.asked if one[2] == "1"]) == one_pull.TRIES


async def test_a_page_that_comes_at_the_second_try_costs_nothing_but_time(made: Puller) -> None:
    say(page("a", cursor="1", total=2), page("b", total=2))
    ScriptedAdapter.script["data", "1"].insert(0, PullFailed(Throttled(timedelta(0))))
    ScriptedAdapter.script["data", None].insert(0, PullFailed(NotSent("down")))
    made.pulling.start()
    await made.ended()
    assert made.counted.outcomes == [("data", "done")]


async def test_what_a_hub_refuses_is_not_asked_at_once_again(made: Puller) -> None:
    say(PullFailed(RefusedByHub("022", "Data error")))
    made.pulling.start()
    await made.ended()
    assert len(ScriptedAdapter.asked) == 1
    view = await made.view()
    assert view.last is not None
    assert view.last.error == "022 Data error"


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(page("c", total=4), id="the total changes on the way"),
        pytest.param(page("b", total=3), id="one comes twice and another not at all"),
        pytest.param(page(total=3), id="fewer come than were promised"),
    ],
)
async def test_a_network_that_moved_while_it_was_pulled_is_pulled_again_before_anything_is_gone(
    made: Puller, second: PulledPage
) -> None:
    made.shelf.held["x"] = ""
    say(page("a", "b", cursor="1", total=3), second)
    made.pulling.start()
    await made.ended()
    view = await made.view()
    assert view.last is not None
    assert view.last.outcome is PullOutcome.UNSETTLED
    assert (view.mark, view.full_at, made.shelf.prunings) == (None, None, 0)
    assert {"a", "b", "x"} <= made.shelf.held.keys()
    say(page("a", "b", "c", total=3))
    await made.again()
    assert ScriptedAdapter.asked[-1] == ("data", None, None)
    assert made.shelf.pruned == ["x"]


async def test_a_bad_record_never_spoils_its_page(made: Puller) -> None:
    bad = PulledPage([record("a"), record("b", bad=True), record("c")], [Refused("content[3]", "no object")], total=4)
    say(bad)
    made.pulling.start()
    await made.ended()
    view = await made.view()
    assert view.last is not None
    assert (view.last.outcome, view.last.new, view.last.refused, view.last.records) == (PullOutcome.DONE, 2, 2, 4)
    assert view.last.problems == ("content[3]: no object", "NL*ABC/b: Plugs: missing")


async def test_a_name_that_cannot_be_stored_spoils_itself_alone(made: Puller) -> None:
    names = ("a", "half \ud800", "nul \0", "ünï")
    say(PulledPage([record(name) for name in names], [Refused("\ud800", "no object")], total=5))
    made.pulling.start()
    await made.ended()
    assert made.counted.outcomes == [("data", "done")]
    assert made.shelf.held.keys() == {"a", "ünï"}
    view = await made.view()
    assert view.last is not None
    assert (view.last.refused, view.last.problems[0]) == (3, "?: no object")


async def test_everything_is_pulled_when_it_was_asked_for_or_is_overdue_or_the_mark_is_too_old(
    database_url: str,
) -> None:
    async with puller(database_url, data(longest=2 * HOUR), start=False) as made:
        say(page("a", total=1))
        made.pulling.start()
        await made.ended()
        for change in (
            "full_asked = true",
            "full_at = now() - interval '25 hours'",
            "mark = now() - interval '3 hours'",
        ):
            await made.store.execute(f"UPDATE pull SET {change}")
            await made.again()
            assert ScriptedAdapter.asked[-1][1] is None, change
        await made.again()
        assert ScriptedAdapter.asked[-1][1] is not None


async def test_a_mark_of_a_clock_that_was_set_back_is_not_asked_from(made: Puller) -> None:
    say(page("a", total=1))
    made.pulling.start()
    await made.ended()
    await made.store.execute("UPDATE pull SET mark = now() + interval '1 day'")
    await made.again()
    assert ScriptedAdapter.asked[-1] == ("data", None, None)


async def test_a_feed_waits_for_the_one_that_it_makes_sense_after(database_url: str) -> None:
    status = FeedProfile("status", FeedKind.STATUSES, every=HOUR, after="data")
    async with puller(database_url, status, data(), start=False) as made:
        say(PullFailed(RefusedByHub("210", "No valid contract.")))
        say(page("a"), feed="status")
        made.pulling.start()
        await made.ended()
        assert {feed for feed, _, _ in ScriptedAdapter.asked} == {"data"}
        say(page("a", total=1))
        await made.again()
        await made.ended(3)
        assert made.counted.outcomes[1:] == [("data", "done"), ("status", "done")]


async def test_two_replicas_never_pull_one_feed_at_once(database_url: str) -> None:
    async with puller(database_url, start=False) as made, puller(database_url, fresh=False, start=False) as other:
        say(page("a", total=1))
        ScriptedAdapter.waiting = asyncio.Event()
        made.pulling.start()
        other.pulling.start()

        async def begun() -> bool:
            return bool(ScriptedAdapter.asked)

        await eventually(begun, "a pull")
        assert (await made.view()).running
        ScriptedAdapter.waiting.set()

        async def over() -> bool:
            return bool(made.counted.outcomes + other.counted.outcomes)

        await eventually(over, "the end")
        assert len(ScriptedAdapter.asked) == 1


async def test_a_pull_whose_gateway_died_is_taken_over_once_its_lease_has_run_out(database_url: str) -> None:
    async with puller(database_url, start=False) as made:
        say(page("a", total=1))
        ScriptedAdapter.waiting = asyncio.Event()
        made.pulling.start()

        async def begun() -> bool:
            return bool(ScriptedAdapter.asked)

        await eventually(begun, "a pull")
        await made.pulling.stop()
        ScriptedAdapter.waiting = None
        async with puller(database_url, fresh=False) as other:
            await made.store.execute("UPDATE pull SET leased_until = now()")
            await other.ended()
            assert other.shelf.held.keys() == {"a"}


async def test_who_lost_the_lease_writes_nothing_of_how_it_went(made: Puller) -> None:
    say(page("a", cursor="1", total=2), page("b", total=2))
    ScriptedAdapter.waiting = asyncio.Event()
    made.pulling.start()

    async def begun() -> bool:
        return bool(ScriptedAdapter.asked)

    await eventually(begun, "a pull")
    await made.store.execute("UPDATE pull SET fence = nextval('fence'), leased_until = now() + interval '1 hour'")
    ScriptedAdapter.waiting.set()

    async def given_up() -> bool:
        return not made.pulling._pulls  # nothing else tells of an end that is not written

    await eventually(given_up, "the end")
    view = await made.view()
    assert (view.mark, view.last, made.counted.outcomes) == (None, None, [])


async def test_what_there_is_none_of_cannot_be_pulled(made: Puller) -> None:
    for connection, feed in (("nobody", "data"), (CONNECTION, "nothing")):
        with pytest.raises(NotFound):
            await made.pulling.ask(connection, feed, full=False, who="a test")


async def test_what_is_asked_for_while_a_pull_is_claimed_is_pulled_after_it(made: Puller) -> None:
    await made.pulling.list()  # there is a row for each feed
    link, store = made.links.by_name(CONNECTION), made.store
    assert link is not None
    number = link.connection.id
    async with store.transaction() as asking:
        await asking.fetchval("SELECT now()")
        claimed = await store.fetchrow(service.SQL["claim"], [number], ["data"], [None], "other", service.LEASE)
        assert claimed is not None
        await asking.execute(service.SQL["ask"], number, "data", False)
    began, report = claimed["began"], '{"outcome": "done"}'
    await store.fetchval(service.SQL["succeeded"], claimed["fence"], began, began, HOUR, report)
    again = await store.fetchrow(service.SQL["claim"], [number], ["data"], [None], "other", service.LEASE)
    assert again is not None, "its own pull is still due"


async def test_a_paused_connection_is_not_pulled(made: Puller) -> None:
    say(page("a", total=1))
    await made.store.execute("UPDATE connection SET state = 'paused'")
    await made.store.execute("UPDATE registry SET revision = revision + 1")
    await made.links.refresh()
    await made.pulling.ask(CONNECTION, "data", full=True, who="a test")
    await made.pulling._begin()  # a look, without waiting for the next one
    assert ScriptedAdapter.asked == []


async def test_a_record_that_slips_between_two_pages_of_what_changed_keeps_the_mark(made: Puller) -> None:
    say(page("a", total=1))
    made.pulling.start()
    await made.ended()
    before = await made.view()
    say(page("a", "b", cursor="1", total=4), page("d", total=4))
    await made.again()
    after = await made.view()
    assert after.last is not None
    assert (after.last.outcome, after.mark) == (PullOutcome.UNSETTLED, before.mark)


async def test_one_page_of_what_changed_is_whole_whatever_the_hub_counts(made: Puller) -> None:
    say(page("a", total=1))
    made.pulling.start()
    await made.ended()
    say(page("b", total=700))
    await made.again()
    assert made.counted.outcomes[-1] == ("data", "done")


async def test_a_hub_that_counts_otherwise_than_it_tells_is_believed_the_second_time(made: Puller) -> None:
    made.shelf.held["x"] = ""
    say(page("a", "b", cursor="1", total=9), page("c", total=9))
    made.pulling.start()
    await made.ended()
    await made.again()
    assert made.counted.outcomes == [("data", "unsettled"), ("data", "done")]
    assert made.shelf.pruned == ["x"]


async def test_that_there_is_nothing_any_more_is_believed_the_second_time(made: Puller) -> None:
    say(page("a", total=1))
    made.pulling.start()
    await made.ended()
    say(page(total=0))
    await made.again(full=True)
    assert made.shelf.held.keys() == {"a"}
    await made.again(full=True)
    assert made.counted.outcomes[1:] == [("data", "unsettled"), ("data", "done")]
    assert not made.shelf.held


async def test_what_is_taken_out_while_it_is_pulled_is_looked_up_before_anything_is_gone(database_url: str) -> None:
    async with puller(database_url, data(tells_gone=True), start=False) as made:
        made.shelf.held["c"] = ""
        answers = [page("a", "b", cursor="2", total=4), page("d", "e", total=4)]  # a went, e came, and c slipped
        later = PulledPage([replace(record("a"), gone=True), record("e")], total=2)
        ScriptedAdapter.network = lambda since, offset: later if since is not None else answers[offset // 2]
        try:
            made.pulling.start()
            await made.ended()
        finally:
            ScriptedAdapter.network = None
        assert made.counted.outcomes == [("data", "unsettled")]
        assert "c" in made.shelf.held


async def test_a_hub_that_heeds_no_cursor_is_not_asked_for_ever(made: Puller) -> None:
    say(page("a", "b", cursor="1", total=4), page("a", "b", cursor="1", total=4))
    made.pulling.start()
    await made.ended()
    view = await made.view()
    assert view.last is not None
    assert (view.last.outcome, view.last.error) == (PullOutcome.FAILED, "the hub gives the same page again and again")


async def test_what_is_asked_for_while_it_is_pulled_is_pulled_once_more(made: Puller) -> None:
    say(page("a", total=1))
    ScriptedAdapter.waiting = asyncio.Event()
    made.pulling.start()

    async def begun() -> bool:
        return bool(ScriptedAdapter.asked)

    await eventually(begun, "a pull")
    await made.pulling.ask(CONNECTION, "data", full=True, who="a test")
    ScriptedAdapter.waiting.set()
    await made.ended(2)
    assert [since for _, since, _ in ScriptedAdapter.asked] == [None, None]
    await made.again()
    assert ScriptedAdapter.asked[-1][1] is not None


@pytest.mark.parametrize("change", ["state = 'paused'", "mode = 'shadow'", "settings = '{\"other\": 1}'"])
async def test_a_connection_that_is_stopped_or_set_otherwise_is_pulled_no_further(made: Puller, change: str) -> None:
    say(page("a", cursor="1", total=2), page("b", total=2))
    ScriptedAdapter.waiting = asyncio.Event()
    made.pulling.start()

    async def begun() -> bool:
        return bool(ScriptedAdapter.asked)

    await eventually(begun, "a pull")
    await made.store.execute(f"UPDATE connection SET {change}")
    await made.store.execute("UPDATE registry SET revision = revision + 1")
    await made.links.refresh()
    pulls = list(made.pulling._pulls)
    ScriptedAdapter.waiting.set()
    await asyncio.gather(*pulls)
    if "settings" in change:  # begun anew, since cursors mean nothing to another adapter
        await made.ended()
        assert made.counted.outcomes == [("data", "done")]
        assert [cursor for _, _, cursor in ScriptedAdapter.asked] in ([None, None, "1"], [None, "1", None, "1"])
    else:
        assert "b" not in made.shelf.held
        view = await made.view()
        assert (view.failures, view.running, view.mark) == (0, False, None)
        assert not made.counted.outcomes


async def test_a_hub_that_asks_for_a_long_rest_has_it_without_a_pull_that_waits(made: Puller) -> None:
    say(PullFailed(Throttled(timedelta(hours=2))))
    made.pulling.start()
    await made.ended()
    view = await made.view()
    assert len(ScriptedAdapter.asked) == 1
    assert view.last is not None
    assert view.last.ended_at is not None
    assert view.next_at - view.last.ended_at > timedelta(minutes=119)


async def test_what_is_under_way_when_a_gateway_stops_is_taken_up_at_once(database_url: str) -> None:
    async with puller(database_url, start=False) as made:
        say(page("a", total=1))
        ScriptedAdapter.waiting = asyncio.Event()
        made.pulling.start()

        async def begun() -> bool:
            return bool(ScriptedAdapter.asked)

        await eventually(begun, "a pull")
        await made.pulling.stop()
        ScriptedAdapter.waiting = None
        assert not (await made.view()).running
        async with puller(database_url, fresh=False) as other:
            await other.ended()
            assert other.shelf.held.keys() == {"a"}


async def test_who_loses_the_lease_while_it_takes_away_what_is_gone_stops(
    made: Puller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "LEASE", timedelta(seconds=0.3))
    begun, ended = asyncio.Event(), asyncio.Event()

    async def prune(*_: object) -> int:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return 0

    monkeypatch.setattr(made.shelf, "prune", prune)
    say(page("a", total=1))
    made.pulling.start()
    await begun.wait()
    await made.store.execute("UPDATE pull SET fence = nextval('fence'), leased_until = now() + interval '1 hour'")
    await ended.wait()

    async def given_up() -> bool:
        return not made.pulling._pulls

    await eventually(given_up, "the end")
    view = await made.view()
    assert (view.running, view.mark, made.counted.outcomes) == (True, None, [])


async def test_a_feed_does_not_wait_until_the_one_before_it_stands_still(database_url: str) -> None:
    status = FeedProfile("status", FeedKind.STATUSES, every=HOUR, after="data")
    async with puller(database_url, status, data(), start=False) as made:
        say(page("a", "b", cursor="1", total=4), page("c", total=4))
        say(page("a"), feed="status")
        made.pulling.start()
        await made.ended(2)
        assert made.counted.outcomes == [("data", "unsettled"), ("status", "done")]


async def test_what_swallows_a_cancellation_is_ended_all_the_same() -> None:
    swallowed = asyncio.Event()

    async def stubborn() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            swallowed.set()
        await asyncio.Event().wait()

    task = asyncio.get_running_loop().create_task(stubborn())
    await asyncio.sleep(0)
    await end([task])
    assert swallowed.is_set()
    assert task.cancelled()
