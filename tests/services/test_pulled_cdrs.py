"""CDRs that are pulled: taken as those that are pushed, and one that cannot be read spoils nothing else."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.core.roaming import FeedKind, FeedProfile, Record
from gateway.services.catalogue.ingesting import Kept
from gateway.services.pulling.cdrs import CdrSink
from mappings.canonical.cdrs import Cdr, cdr_location
from mappings.canonical.sessions import AuthMethod
from mappings.canonical.tokens import Identification, TokenType
from mappings.report import Issue, Refused
from tests.adapters.doubles import connection
from tests.adapters.doubles_roaming import Homecoming
from tests.harness import AT, PARTY, later, location

CDRS = FeedProfile("cdrs", FeedKind.CDRS, timedelta(hours=1))
PLACE = cdr_location(location(), location().evses[0], location().evses[0].connectors[0], "1")


def cdr(id_: str) -> Cdr:
    return Cdr(
        party=PARTY,
        id=id_,
        start=AT,
        end=later(3600),
        identification=Identification(type=TokenType.RFID, uid="04A1B2C3D4E5F6"),
        auth_method=AuthMethod.AUTH_REQUEST,
        location=PLACE,
        currency="EUR",
        periods=(),
        energy=Decimal(12),
        time=Decimal(1),
        last_updated=later(3600),
    )


def record(id_: str, says: str = "", *, bad: bool = False) -> Record:
    def read() -> tuple[Any, Sequence[Issue]]:
        if bad:
            raise Refused("cdr_token.uid", "no text", "04A1B2C3D4E5F6")
        return (cdr(id_), None), ()

    return Record((PARTY.normal, id_), f"{id_} {says}".encode().ljust(16), read)


async def test_what_is_pulled_is_counted_by_what_became_of_it() -> None:
    home = Homecoming()
    sink = CdrSink(home)
    hub = connection("hubject", {})
    first = await sink.ingest(hub, CDRS, [record(f"C-{number}") for number in range(120)])
    assert (first.new, len(home.cdrs)) == (120, 120)
    again = await sink.ingest(hub, CDRS, [record("C-1"), record("C-2", "otherwise"), record("C-200")])
    assert (again.new, again.same, again.changed) == (1, 1, 1)
    assert await sink.prune(hub, CDRS, Kept(AT)) == 0
    assert len(home.cdrs) == 121


async def test_one_that_cannot_be_read_is_told_of_without_its_driver(capsys: pytest.CaptureFixture[str]) -> None:
    home = Homecoming()
    done = await CdrSink(home).ingest(connection("hubject", {}), CDRS, [record("C-1", bad=True), record("C-2")])
    assert (done.new, [key for key, _ in done.refused]) == (1, [(PARTY.normal, "C-1")])
    told = capsys.readouterr().out
    assert "C-1" in told
    assert "04A1B2C3D4E5F6" not in told


async def test_one_that_cannot_be_written_fails_the_pull_so_that_its_mark_stays() -> None:
    home = Homecoming()
    home.failing = OSError("no store")
    with pytest.raises(OSError, match="no store"):
        await CdrSink(home).ingest(connection("hubject", {}), CDRS, [record("C-1")])
