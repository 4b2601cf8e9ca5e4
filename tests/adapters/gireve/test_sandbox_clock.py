"""The sandbox IOP lives in the time that it is told."""

from tests.adapters.gireve.cpo import ENDED, cdr, charging
from tests.adapters.gireve.emsp import CPO, location, platform


async def test_a_cdr_of_the_future_is_refused_by_its_clock() -> None:
    async with charging() as cpo:
        reference = await cpo.reference()
        await cpo.both.drive("clock", {"now": "2026-01-05T11:00:00Z", "rate": 0})
        assert (await cpo.cdr(cdr(reference)))[0] == 400
        await cpo.both.drive("clock", {"now": ENDED, "rate": 0})
        assert (await cpo.cdr(cdr(reference)))[1] == 1000


async def test_what_is_shown_is_changed_in_its_time() -> None:
    async with platform() as emsp:
        await emsp.drive("clock", {"now": "2027-05-01T00:00:00Z", "rate": 0})
        await emsp.ask("PUT", "locations/RECEIVER", "/NL/TNM/LOC1", location(), sender=CPO)
        since = "?date_from=2027-05-01T00:00:00Z"
        assert [each["id"] for each in (await emsp.pages("locations/SENDER", since))[0]] == ["LOC1"]
        assert await emsp.pages("locations/SENDER", "?date_from=2027-05-01T00:00:01Z") == [[]]
