"""Commands that show what services say of offers at length: previews, imports, disagreements, what a hub was told."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.core.offers import HubIds
from gateway.http.server import application, serve
from gateway.services.ports.offers import HubSide
from tests.cli.conftest import Cli
from tests.http.conftest import ADMIN, services_in_memory
from tests.http.fakes_offers import FakeAgreementImports, FakeOffers
from tests.http.offering import EMSP, given

CSV = b"cpo,emsp\nFR*ABC,DE*XYZ\n"


@pytest.fixture
async def shown(tmp_path: Path) -> AsyncIterator[tuple[Cli, FakeOffers, FakeAgreementImports]]:
    """The command line beside the HTTP face over services in memory."""
    services, *_ = services_in_memory()
    runner, port = await serve(application(services), "127.0.0.1", 0, shutdown_timeout=0.1)
    url = f"http://127.0.0.1:{port}"
    made = Cli({"ROAMGATE_URL": url, "ROAMGATE_KEY": ADMIN}, tmp_path, url)
    (tmp_path / "offer.json").write_text(json.dumps(given(connection="g", audience=[EMSP])))
    assert (await made.here("offers", "put", tmp_path / "offer.json")).code == 0
    yield made, services.offers, services.agreement_imports
    await runner.cleanup()


async def test_an_offer_is_looked_at_before_it_is_stored_and_after(shown):
    cli, *_ = shown
    file = ("--file", cli.folder / "offer.json")
    looked = (await cli.here("offers", "preview", *file, "--at", "2027-02-01", "--emsp", EMSP, "--emsp", "DE*RIV")).out
    for text in ("2 EVSEs at 1 locations, 2027-02-01", EMSP, "DE*RIV", "nothing", "no tariff is known", "is too soon"):
        assert text in looked
    stored = (await cli.here("offers", "preview", "o-1", "--json")).json
    assert [one["emsp"] for one in stored["emsps"]] == [EMSP]
    for wrong in ((), ("o-1", *file)):
        assert (await cli.here("offers", "preview", *wrong)).code == 2
    assert (await cli.here("offers", "preview", "none")).code == 1


async def test_a_file_of_agreements_is_taken_but_for_its_bad_rows(shown):
    cli, _, imports = shown
    (cli.folder / "agreements.csv").write_bytes(CSV)
    result = await cli.here("offers", "import", cli.folder / "agreements.csv", "--connection", "g", "--dry-run")
    assert (result.code, "1 refused" in result.err) == (1, True)
    for text in ("is no party id", "emsp", "FR*ABC/DE*OLD", "left as they are"):
        assert text in result.out
    (cli.folder / "agreements.json").write_text("\n[]")
    taken = await cli.here("offers", "import", cli.folder / "agreements.json", "--connection", "g", "--json")
    assert (taken.json["added"], taken.json["refused"][0]["row"]) == (2, 3)
    assert [dry for _, _, dry in imports.taken] == [True, False]
    nowhere = await cli.here("offers", "import", cli.folder / "agreements.csv", "--connection", "nowhere")
    assert (nowhere.code, "nowhere" in nowhere.err) == (1, True)
    assert (await cli.here("offers", "import", cli.folder / "none", "--connection", "g")).code == 2
    assert (await cli.here("offers", "import", cli.folder / "agreements.csv")).code == 2


async def test_disagreements_are_shown_and_put_aside(shown):
    cli, *_ = shown
    listed = (await cli.here("offers", "drift")).out
    for text in ("HUB_SAID_YES", "FR*ABC/DE*XYZ", '{"at":null}', "offer/o-1", "2027"):
        assert text in listed
    more = await cli.here("offers", "drift", "--limit", 1)
    assert "--after 1" in more.err
    assert (await cli.here("offers", "settle", "g", "HUB_SAID_YES", "FR*ABC/DE*XYZ")).out == "put aside\n"
    left = (await cli.here("offers", "drift", "--json")).json["items"]
    assert [(one["field"], one["theirs"]) for one in left] == [("ends", None)]


async def test_what_a_hub_was_told_is_shown_and_can_be_said(shown):
    cli, offers, _ = shown
    (cli.folder / "ids.json").write_text(json.dumps({"network": "n-1", "groups": {"dc": "77"}}))
    said = (await cli.here("offers", "hub-ids", "o-1", cli.folder / "ids.json")).out
    assert '{"network": "n-1", "groups": {"dc": "77"}}' in said
    side = HubSide(HubIds(), ["network", "offer"], "the hub has no such tariff")
    offers.views["o-1"] = replace(offers.views["o-1"], hub=side)
    read = (await cli.here("offers", "show", "o-1")).out
    assert "network, offer" in read
    assert "the hub has no such tariff" in read


async def test_prices_of_a_version_are_named_by_their_groups(shown):
    cli, *_ = shown
    terms = {
        "services": ["poi", "status", "authorise", "remote", "reservation", "cdr"],
        "price_source": "AGREED",
        "prices": [{"tariff_ids": ["ONE", "TWO"]}],
    }
    for id_, changes, text in (
        ("o-2", {"terms": terms}, "others: ONE, TWO"),
        ("o-3", {"terms": {"services": ["poi"], "price_source": "HUB"}}, "at the hub alone"),
    ):
        (cli.folder / "offer.json").write_text(json.dumps(given(id_, **changes)))
        assert text in (await cli.here("offers", "put", cli.folder / "offer.json")).out
