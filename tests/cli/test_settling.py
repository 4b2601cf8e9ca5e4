"""`roamgate settle` and `roamgate billing-parties`, as a person sees them."""

import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.core.connection import Mode, Scope
from gateway.app import running
from gateway.services.ports.repricing import Direction
from gateway.services.ports.settlement import SettlementWanted
from gateway.settings import Settings
from mappings.canonical.parties import Party, Role
from mappings.canonical.texts import Business
from tests.cli.conftest import ADMIN, Cli
from tests.harness import KEY, NOWHERE, WHO, eventually
from tests.ports import free_port
from tests.services.homecoming import EMSP, START, digest, token
from tests.services.pricing import bill

DAY = f"{START:%Y-%m-%d}"
PERIOD = ("FR*EMS", "--from", DAY, "--to", f"{START:%Y-%m}-28", "--direction", "in")


@pytest.fixture
async def cli(database_url: str, tmp_path: Path) -> AsyncIterator[Cli]:
    """A gateway to which a CDR of 4.00 came home, and the command line."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = Settings(
        host="127.0.0.1", port=port, public_url=url, database_url=database_url, secret_key=KEY, admin_key=ADMIN
    )
    async with running(settings) as (app, _):
        await app.services.connections.create("hub", "hubject", Mode.LIVE, Scope(), NOWHERE["hubject"], WHO)
        await app.services.driver_tokens.put([(token(whitelist="ALWAYS"), ())], WHO)
        party = Party(id=EMSP, roles=frozenset({Role.EMSP}), business=Business(name="EMS"))
        await app.services.network.put_party(party, WHO)
        link = app.links.by_name("hub")
        assert link is not None
        one = bill("c-1", auth_method="WHITELIST")
        await app.gateway.received.cdr(link.connection, one, None, digest(one))
        [came] = await app.store.fetch("SELECT no, reviews FROM received_cdr")
        if came["reviews"]:
            await app.store.execute("UPDATE received_cdr SET decision = 'accepted' WHERE no = $1", came["no"])
        wanted = SettlementWanted(EMSP, Direction.IN, START, START + timedelta(days=1))

        async def it_counts() -> bool:
            return (await app.services.settlements.report(wanted)).cdrs == 1

        await eventually(it_counts, "nothing that began before the CDR came is under way")
        yield Cli({"ROAMGATE_URL": url, "ROAMGATE_KEY": ADMIN}, tmp_path, url)


async def test_who_owes_whom_is_shown_and_written_as_machines_and_printers_want_it(cli: Cli, tmp_path: Path) -> None:
    for party, country, vat_id in (("NL*CPO", "NLD", "NL004495445B01"), ("FR*EMS", "FRA", "FR 83 404 833 048")):
        made = await cli.here(
            *("billing-parties", "put", party, "--name", f"{party} SA", "--country", country),
            *("--vat-id", vat_id, "--address", "Straat 1", "--address", "Utrecht", "--json"),
        )
        assert (made.code, made.json["address"]) == (0, ["Straat 1", "Utrecht"])
    assert "FR83404833048" in (await cli.here("billing-parties", "list")).out
    assert "Straat 1, Utrecht" in (await cli.here("billing-parties", "show", "NL*CPO")).out
    shown = await cli.here("settle", *PERIOD)
    assert shown.code == 0
    assert "reverse_charge" in shown.out
    assert "4.00" in shown.out
    report = (await cli.here("settle", *PERIOD, "--json")).json
    assert (report["balances"][0]["gross"], report["rows"][0]["treatment"]) == (4, "reverse_charge")
    assert report["digest"] in shown.out
    again = (await cli.here("settle", *PERIOD, "--as-of", report["as_of"], "--json")).json
    assert again == report
    [row] = csv.DictReader(io.StringIO((await cli.here("settle", *PERIOD, "--csv")).out))
    assert (row["cpo"], row["gross"]) == ("NL*CPO", "4.00")
    [line] = (await cli.here("settle", *PERIOD, "--lines")).out.splitlines()
    assert (json.loads(line)["cdr"], json.loads(line)["gross"]) == ("c-1", 4)
    [cells] = csv.DictReader(io.StringIO((await cli.here("settle", *PERIOD, "--lines", "--csv")).out))
    assert cells["cdr"] == "c-1"
    assert (await cli.here("settle", *PERIOD, "--lines", "--only", "unpriced")).out == ""
    page = tmp_path / "settlement.html"
    assert (await cli.here("settle", *PERIOD, "--html", str(page))).code == 0
    assert "Settlement of FR*EMS" in page.read_text(encoding="utf-8")


async def test_what_makes_no_sense_ends_with_what_is_wrong(cli: Cli, tmp_path: Path) -> None:
    backwards = ("FR*EMS", "--from", DAY, "--to", DAY)
    assert "is not after the beginning" in (await cli.here("settle", *backwards)).err
    assert "There is no party DE*NON" in (await cli.here("settle", "DE*NON", *PERIOD[1:])).err
    assert (await cli.here("settle", *PERIOD, "--json", "--csv")).code == 2
    assert (await cli.here("settle", *PERIOD, "--only", "unpriced")).code == 2
    assert (await cli.here("settle", *PERIOD, "--html", str(tmp_path / "no" / "page.html"))).code == 1
    wrong = await cli.here("billing-parties", "put", "FR*EMS", "--name", "X", "--country", "FRA", "--vat-id", "FR1")
    assert wrong.code == 1
    assert "does not look like a VAT id of FRA" in wrong.err
