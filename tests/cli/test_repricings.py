"""`roamgate repricings`: what CDRs cost by their tariffs, as a person sees it and decides."""

import csv
import io
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.core.connection import Mode, Scope
from gateway.app import App, running
from gateway.services.ports.repricing import RepricingFilter
from gateway.settings import Settings
from mappings.canonical.cdrs import Cdr
from mappings.canonical.tariffs import Money
from tests.cli.conftest import ADMIN, Cli
from tests.harness import KEY, NOWHERE, WHO, eventually
from tests.ports import free_port
from tests.services.homecoming import digest, token
from tests.services.pricing import bill, priced

AGREEMENT = '{"offer": "o-1", "version": 2, "subscription": "s-1"}'


@pytest.fixture
async def both(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[App, Cli]]:
    """A gateway to which two CDRs came home, of which one costs more than its tariff says, and the command line."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = Settings(
        host="127.0.0.1", port=port, public_url=url, database_url=database_url, secret_key=KEY, admin_key=ADMIN
    )
    async with running(settings) as (app, _):
        await app.services.connections.create("hub", "hubject", Mode.LIVE, Scope(), NOWHERE["hubject"], WHO)
        await app.services.driver_tokens.put([(token(), ())], WHO)
        link = app.links.by_name("hub")
        assert link is not None
        bills: list[Cdr] = [bill("c-1", tariffs=[priced("0.4")]), bill("c-2", tariffs=[priced("0.3")])]
        for one in bills:
            await app.gateway.received.cdr(link.connection, one, None, digest(one))

        async def all_are_priced() -> bool:
            return len((await app.services.repricings.list(RepricingFilter(), None, 10)).items) == len(bills)

        await eventually(all_are_priced, "both are priced")
        yield app, Cli({"ROAMGATE_URL": url, "ROAMGATE_KEY": ADMIN}, tmp_path, url)


async def test_what_differs_is_found_shown_and_decided(both: tuple[App, Cli]) -> None:
    app, cli = both
    [one] = (await cli.here("repricings", "list", "--state", "open", "--direction", "in", "--json")).json["items"]
    assert (one["cdr"], one["outcome"], one["difference_net"]) == ("c-2", "differs", 1)
    listed = (await cli.here("repricings", "list", "--cpo", "NL*CPO", "--emsp", "FR*EMS")).out
    assert "c-1" not in (await cli.here("repricings", "list", "--cdr", "c-2")).out
    assert "matches" in listed
    assert "differs" in listed
    await app.store.execute("UPDATE repricing SET agreement = $1 WHERE no = $2", AGREEMENT, one["id"])
    assert "o-1 v2, s-1" in (await cli.here("repricings", "list", "--cdr", "c-2")).out
    shown = (await cli.here("repricings", "show", one["id"])).out
    for text in ("o-1 v2, s-1", "NL*CPO/c-2", "T1, cdr", "ENERGY", "told net", "calculated net", "differs"):
        assert text in shown
    agreed = await cli.here(
        "repricings", "dispute", one["id"], "--why", "3 was agreed", "--agreed", "3", "--tax", "0.6", "--json"
    )
    money = Money.model_validate(agreed.json["repricing"]["decided"]["agreed"])
    assert (money.net, [tax.amount for tax in money.taxes]) == (3, [Decimal("0.6")])
    accepted = (await cli.here("repricings", "accept", one["id"], "--why", "it is paid")).out
    assert "accepted by environment: it is paid" in accepted
    assert "disputed" in accepted  # before
    refused = await cli.here("repricings", "accept", 1 if one["id"] == 2 else 2, "--why", "why not")
    assert (refused.code, "nothing to decide" in refused.err) == (1, True)


async def test_a_cdr_is_priced_anew_and_all_since_a_day_are(both: tuple[App, Cli]) -> None:
    _, cli = both
    assert (await cli.here("repricings", "recompute", 1, "--json")).json["repricing"]["id"] == 1
    assert "2 CDRs" in (await cli.here("repricings", "recompute", "--since", "2026-01-01")).out
    assert (await cli.here("repricings", "recompute", "--since", "2030-01-01", "--json")).json == {"count": 0}
    for wrong in ((), (1, "--since", "2026-01-01")):
        assert (await cli.here("repricings", "recompute", *wrong)).code == 2
    assert (await cli.here("repricings", "dispute", 1, "--why", "x", "--tax", "1")).code == 2


async def test_all_are_exported_as_a_table_or_as_json_lines(both: tuple[App, Cli]) -> None:
    _, cli = both
    table = list(csv.DictReader(io.StringIO((await cli.here("repricings", "export")).out)))
    assert {(one["cdr"], one["outcome"]) for one in table} == {("c-1", "matches"), ("c-2", "differs")}
    lines = (await cli.here("repricings", "export", "--ndjson", "--outcome", "differs")).out.splitlines()
    assert [json.loads(line)["cdr"] for line in lines] == ["c-2"]
