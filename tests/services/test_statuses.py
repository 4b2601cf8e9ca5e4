"""Statuses on their way in."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from gateway.app import now
from gateway.services.statuses import Statuses
from gateway.store.pool import Record, Store
from mappings.canonical.locations import EvseStatus, EvseStatusReport
from mappings.report import Issue
from tests.harness import NOWHERE, OTHER, PARTY, Services, evse, idle, later, location, report, report_by_id

APPLIED, UNCHANGED, STALE, UNKNOWN = "applied", "unchanged", "stale", "unknown_evse"


async def test_older_reports_are_stale_and_equal_ones_change_nothing(database_url: str) -> None:
    async with idle(database_url, "gireve") as gateway:
        await gateway.put(location())
        assert await gateway.report(report("CHARGING", later(10))) == [APPLIED]
        raised = (await gateway.rows())["locations", "NL*ABC/L1/U1"]["wanted"]
        assert await gateway.report(report("AVAILABLE", later(9))) == [STALE]
        assert await gateway.report(report("CHARGING", later(10))) == [UNCHANGED]
        assert await gateway.report(report("CHARGING", later(11))) == [UNCHANGED]
        assert (await gateway.rows())["locations", "NL*ABC/L1/U1"]["wanted"] == raised
        assert await gateway.report(report("AVAILABLE", later(11))) == [APPLIED]  # one stamp, said later
        assert await gateway.status() is EvseStatus.AVAILABLE


async def test_of_several_reports_in_one_call_the_newest_counts_in_whatever_order_they_come(database_url: str) -> None:
    async with idle(database_url) as gateway:
        await gateway.put(location())
        given = [report("CHARGING", later(2)), report("RESERVED", later(3)), report("BLOCKED", later(1))]
        assert await gateway.report(*given) == [STALE, APPLIED, STALE]
        assert await gateway.status() is EvseStatus.RESERVED


async def test_a_report_without_a_stamp_or_with_one_ahead_is_taken_as_of_its_arrival(database_url: str) -> None:
    async with idle(database_url) as gateway:
        await gateway.put(location("L1"), location("L2"), location("L3"))
        noticed: list[Issue] = []
        arrival = now()
        statuses = Statuses(
            gateway.app.store,
            gateway.app.services.publishing.remove_evses,
            lambda: None,
            lambda: arrival,
            noticed.append,
        )
        given = [
            report("CHARGING", None, "L1"),
            report("CHARGING", arrival + timedelta(minutes=6), "L2"),
            report("CHARGING", arrival + timedelta(minutes=4), "L3"),
        ]
        assert await statuses.report(given, None) == [APPLIED] * 3
        stamps = await gateway.app.store.fetch("SELECT status_at FROM evse ORDER BY location_id")
        assert [row["status_at"] - arrival for row in stamps] == [timedelta(0), timedelta(0), timedelta(minutes=4)]
        assert [issue.field for issue in noticed] == ["at"]


async def test_unknown_evses_and_those_of_other_parties_are_told_apart_from_nothing(database_url: str) -> None:
    async with idle(database_url) as gateway:
        await gateway.put(location("L1"), location("L1", party=OTHER))
        given = [
            report("CHARGING", later(1), "L9"),
            report("CHARGING", later(1), "L1", "U9"),
            report("CHARGING", later(1), "L1", party=OTHER),
            report_by_id("CHARGING", later(1), "NL*XYZ*EL1"),
            report_by_id("CHARGING", later(1), "NL*ABC*EL1"),
            report("REMOVED", later(1), "L1", party=OTHER),
            report_by_id("REMOVED", later(1), "NL*XYZ*EL1"),
        ]
        found = await gateway.report(*given, parties=[PARTY])
        assert found == [UNKNOWN] * 4 + [APPLIED] + [UNKNOWN] * 2
        assert await gateway.status("L1", party=OTHER) is EvseStatus.AVAILABLE


@pytest.mark.parametrize("spelling", ["NL*ABC*E12*3", "NLABCE123", "nl*abc*e12*3", "nlabce123"])
async def test_an_evse_is_found_by_its_id_however_it_is_spelt(database_url: str, spelling: str) -> None:
    async with idle(database_url) as gateway:
        await gateway.put(location("L1", evse("U1", "NL*ABC*E12*3")))
        assert await gateway.report(report_by_id("CHARGING", later(1), spelling)) == [APPLIED]
        assert await gateway.status() is EvseStatus.CHARGING


async def test_a_report_of_removed_withdraws_the_evse_and_a_later_put_brings_it_back(database_url: str) -> None:
    async with idle(database_url, "hubject") as gateway:
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1"), evse("U2", "NL*ABC*E2")))
        await gateway.report(report("CHARGING", later(10)))
        assert await gateway.report(report("REMOVED", later(5))) == [STALE]
        assert await gateway.report(report("REMOVED", later(11))) == [APPLIED]
        assert await gateway.report(report("REMOVED", later(12))) == [UNCHANGED]
        assert await gateway.report(report("AVAILABLE", later(13))) == [UNKNOWN]
        assert await gateway.status() is EvseStatus.REMOVED
        assert (await gateway.rows())["evse_data", "NLABCE1"]["gone"]
        assert not (await gateway.rows())["evse_data", "NLABCE2"]["gone"]
        await gateway.put(location("L1", evse("U1", "NL*ABC*E1", later(14)), evse("U2", "NL*ABC*E2")))
        assert await gateway.status() is EvseStatus.AVAILABLE
        assert not (await gateway.rows())["evse_data", "NLABCE1"]["gone"]


async def test_a_removal_older_than_another_report_of_the_same_call_is_stale(database_url: str) -> None:
    async with idle(database_url) as gateway:
        await gateway.put(location())
        assert await gateway.report(report("REMOVED", later(1)), report("CHARGING", later(2))) == [STALE, APPLIED]
        assert await gateway.report(report("REMOVED", later(4)), report("BLOCKED", later(3))) == [APPLIED, APPLIED]
        assert await gateway.status() is EvseStatus.REMOVED


class Counting(Store):
    """A store that counts its statements."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.statements = 0

    async def fetch(self, sql: str, *args: Any) -> list[Record]:
        self.statements += 1
        return await super().fetch(sql, *args)


async def test_concurrent_callers_share_a_statement(database_url: str) -> None:
    async with idle(database_url, "gireve", "hubject") as gateway:
        await gateway.put(*(location(f"L{number}") for number in range(200)))
        store = Counting(database_url)
        await store.open()
        try:
            statuses = Statuses(store, gateway.app.services.publishing.remove_evses, lambda: None, now, lambda _: None)
            given = [[report("CHARGING", later(1), f"L{number}")] for number in range(200)]
            found = await asyncio.gather(*(statuses.report(one, None) for one in given))
            assert found == [[APPLIED]] * 200
            assert store.statements <= 3
        finally:
            await store.close()


async def test_what_cannot_be_written_fails_alone(database_url: str) -> None:
    async with idle(database_url) as gateway:
        await gateway.put(*(location(f"L{number}") for number in range(20)))
        bad = EvseStatusReport.model_construct(
            status=EvseStatus.CHARGING, at=later(1), evse_id=None, party=PARTY, location_id="a\x00b", evse_uid="U1"
        )
        calls = [gateway.report(report("CHARGING", later(1), f"L{number}")) for number in range(20)]
        results = await asyncio.gather(*calls, gateway.report(bad), return_exceptions=True)
        assert results[:20] == [[APPLIED]] * 20
        assert isinstance(results[20], Exception)
        assert await gateway.report(report("AVAILABLE", later(2), "L0")) == [APPLIED]


async def test_a_caller_that_gives_up_takes_nothing_from_the_others(database_url: str) -> None:
    async with idle(database_url) as gateway:
        await gateway.put(*(location(f"L{number}") for number in range(20)))
        tasks = [
            asyncio.create_task(gateway.report(report("CHARGING", later(1), f"L{number}"))) for number in range(20)
        ]
        await asyncio.sleep(0)
        tasks[3].cancel()
        tasks[0].cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [result for result in results if isinstance(result, list)] == [[APPLIED]] * 18


async def test_every_change_between_two_writers_is_told_again(database_url: str) -> None:
    """Whichever of two replicas writes last, the projection is raised as often as the status changed."""
    async with idle(database_url, "gireve") as one, idle(database_url) as other:
        await one.put(*(location(f"L{number}") for number in range(10)))
        store = one.app.store
        await store.execute("CREATE TABLE seen (no bigint, old text, new text)")
        await store.execute(
            "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN INSERT INTO seen VALUES (NEW.no, OLD.status, NEW.status); RETURN NEW; END $$"
        )
        await store.execute(
            "CREATE TRIGGER note AFTER UPDATE ON evse FOR EACH ROW"
            " WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION note()"
        )
        before = {key: row["wanted"] for (_, key), row in (await one.rows("locations")).items()}

        async def flood(gateway: Services, statuses: list[str], offset: float) -> None:
            for step in range(60):
                await gateway.report(
                    *(report(statuses[(step + number) % 2], later(step + offset), f"L{number}") for number in range(10))
                )

        await asyncio.gather(
            flood(one, ["CHARGING", "AVAILABLE"], 0.2),
            flood(other, ["AVAILABLE", "BLOCKED"], 0.1),
            flood(one, ["RESERVED", "AVAILABLE"], 0.15),
        )
        changes = {
            row["location_id"]: row["count"]
            for row in await store.fetch(
                "SELECT e.location_id, count(*) AS count FROM seen s JOIN evse e USING (no) GROUP BY 1"
            )
        }
        after = {key: row["wanted"] for (_, key), row in (await one.rows("locations")).items()}
        for location_id, count in changes.items():
            key = f"NL*ABC/{location_id}/U1"
            assert after[key] - before[key] == count


async def test_a_status_reported_while_its_connection_is_made_is_told(database_url: str) -> None:
    """A report that began before the projections were there still raises them."""
    async with idle(database_url) as one, idle(database_url) as other:
        await one.put(*(location(f"L{number}") for number in range(50)))
        stop = asyncio.Event()
        step = 0

        async def flood() -> None:
            nonlocal step
            while not stop.is_set():
                step += 1
                status = ("CHARGING", "AVAILABLE")[step % 2]
                await other.report(*(report(status, later(step), f"L{number}") for number in range(50)))

        task = asyncio.create_task(flood())
        await one.connect("gireve", NOWHERE["gireve"])
        await one.put(*(location(f"L{number}", city="Delft") for number in range(50)))
        stop.set()
        await task
        rows = await one.rows("locations")
        assert len(rows) == 100
        assert all(row["pending"] for row in rows.values())
