"""What a hub says that it holds: subscriptions become ours, our offers are compared, portal's offers are taken over."""

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from adapters.core.offers import HubIds
from adapters.core.roaming import FeedKind, FeedProfile, Record
from gateway.agreements.repository import Agreements
from gateway.metrics import Metrics
from gateway.services.catalogue.ingesting import Ingested, Kept
from gateway.services.hub_offers.drifting import Drifting
from gateway.services.hub_offers.group_hearing import GroupHearing
from gateway.services.hub_offers.hearing import OfferHearing
from gateway.services.ports.offers import DriftKind
from mappings.canonical.agreements import Joining, Service
from mappings.canonical.held_offers import HubGroup, HubGroupEvse, HubOffer, HubSubscription
from mappings.canonical.ids import PartyId
from mappings.report import Refused
from tests.harness import AT, PARTY, tariff
from tests.offers.hubs import EMSP, OTHER_EMSP, Told, told

DAY = timedelta(days=1)
NOW = AT + 100 * DAY
FEED = FeedProfile("offers", FeedKind.OFFERS, every=timedelta(minutes=15), prunes=True)
OWN = frozenset({Service.AUTHORISE, Service.REMOTE})
PARTNER = PartyId("DE*CPO")


def held(id_: str = "H1", **changes: Any) -> HubOffer:
    fields: dict[str, Any] = {
        "id": id_,
        "title": "Offer O1",
        "cpo": PARTY,
        "services": OWN,
        "joining": Joining.SUBSCRIBE,
        "state": "ACTIVE",
        "starts": AT,
    }
    return HubOffer.model_validate(fields | changes)


def sub(id_: str = "S1", emsp: PartyId | None = EMSP, **changes: Any) -> HubSubscription:
    fields: dict[str, Any] = {
        "id": id_,
        "emsp": emsp,
        "state": "SUBSCRIBED",
        "active": True,
        "requested_at": AT,
        "starts": AT + DAY,
    }
    return HubSubscription.model_validate(fields | changes)


@dataclass
class Hearing:
    told: Told
    drifting: Drifting
    sink: OfferHearing
    groups: GroupHearing
    now: datetime = NOW
    turned: list[Any] = field(default_factory=list)

    @property
    def connection(self):
        link = self.told.links.by_name("hub")
        assert link is not None
        return link.connection

    async def pull(self, *offers: HubOffer | Refused, prune: bool = True) -> Ingested:
        """Takes what a full pull names."""
        # By the store's clock, by which rows are made.
        began = await self.told.store.fetchval("SELECT clock_timestamp()")

        def record(one):
            def read():
                if isinstance(one, Refused):
                    raise one
                return one, []

            return Record(("NL*ABC", getattr(one, "id", "bad")), b"", read)

        done = await self.sink.ingest(self.connection, FEED, [record(one) for one in offers])
        if prune:
            kept = Kept(began)
            kept.add(done.nos)
            await self.sink.prune(self.connection, FEED, kept)
        return done

    async def members(self, *evses: tuple[str, str]) -> int:
        records = [
            Record(
                ("DE*CPO", group, key),
                b"",
                lambda group=group, key=key: (HubGroupEvse(cpo=PARTNER, offer="H1", group=group, evse_key=key), []),
            )
            for group, key in evses
        ]
        done = await self.groups.ingest(self.connection, FEED, records)
        kept = Kept(self.now)
        kept.add(done.nos)
        return await self.groups.prune(self.connection, FEED, kept)

    async def subscriptions(self) -> dict[str, tuple[str, str]]:
        rows = await self.told.store.fetch("SELECT * FROM subscription ORDER BY no")
        return {row["id"]: (row["emsp"], row["state"]) for row in rows}

    async def one(self) -> Any:
        [row] = await self.told.store.fetch("SELECT * FROM subscription")
        return row

    async def offers(self) -> Any:
        return await self.told.store.fetch("SELECT * FROM offer ORDER BY no")

    async def drifts(self) -> dict[tuple[str, str, str], tuple[Any, Any]]:
        found = (await self.drifting.list(None, None, 100)).items
        return {(one.kind.value, one.subject, one.field): (one.ours, one.theirs) for one in found}

    async def events(self) -> list[str]:
        return [row["type"] for row in await self.told.store.fetch("SELECT type FROM event ORDER BY no")]


@asynccontextmanager
async def hearing(url: str, **settings: Any):
    async with told(url, **settings) as hub:
        drifting = Drifting(hub.store, hub.links, Metrics(), lambda: None)
        turned: list[Any] = []

        async def heard(changes):
            turned.extend(changes)

        made = Hearing(hub, drifting, None, GroupHearing(hub.store, hub.links), turned=turned)  # type: ignore[arg-type]

        async def judge(_on):
            return made.now

        made.sink = OfferHearing(hub.store, hub.links, drifting, heard, hub.telling.members_changed, judge)
        yield made


@pytest.fixture
async def cpo(database_url):
    async with hearing(database_url) as made:
        await made.told.store.execute("INSERT INTO party (id, body) VALUES ('NL*ABC', '{\"roles\": [\"CPO\"]}')")
        made.told.clock = lambda: NOW - DAY
        await made.told.publish()
        await made.told.steps("network", "offer")
        # Long ago, by the clock of the outbox.
        await made.told.store.execute("UPDATE delivery SET settled_at = '2020-01-01'")
        await made.told.store.execute(
            "UPDATE offer SET hub_ids = $1", HubIds(network="N1", offer="H1").model_dump_json()
        )
        yield made


@pytest.fixture
async def emsp(database_url):
    async with hearing(database_url, role="EMSP") as made:
        yield made


# Subscriptions to our offers


async def test_a_subscription_that_is_read_is_one_here_of_the_hub(cpo):
    done = await cpo.pull(held(subscriptions=(sub(),)))
    assert (done.changed, done.new) == (1, 0)
    row = await cpo.one()
    assert (row["offer_id"], row["emsp"], row["state"], row["source"], row["external"]) == (
        "O1",
        "FR*XYZ",
        "ACTIVE",
        "hub",
        "S1",
    )
    assert row["starts_at"] == AT + DAY
    assert await cpo.events() == ["subscription.approved", "subscription.active"]
    assert [one.subscription for one in cpo.turned] == [row["id"], row["id"]]
    assert await cpo.drifts() == {}


async def test_the_same_read_again_writes_nothing(cpo):
    await cpo.pull(held(subscriptions=(sub(),)))
    revision = await cpo.told.store.fetchval("SELECT revision FROM registry")
    cpo.now += DAY
    done = await cpo.pull(held(subscriptions=(sub(),)))
    assert done.same == 1
    assert await cpo.told.store.fetchval("SELECT revision FROM registry") == revision
    assert len(await cpo.events()) == 2
    assert await cpo.told.store.fetchval("SELECT seen_at FROM offer") == cpo.now


async def test_a_subscription_goes_the_way_that_it_goes_at_the_hub(cpo):
    made = held(joining=Joining.APPROVE)
    waits = sub(active=False, state="PENDING")
    await cpo.told.store.execute("UPDATE offer SET body = jsonb_set(body::jsonb, '{joining}', '\"APPROVE\"')")
    await cpo.pull(made.model_copy(update={"subscriptions": (waits,)}))
    assert (await cpo.one())["state"] == "UNDER_REVIEW"
    await cpo.pull(made.model_copy(update={"subscriptions": (sub(),)}))
    assert (await cpo.one())["state"] == "ACTIVE"
    ends = NOW + 42 * DAY
    leaving = sub(state="CANCELLED", cancelled_at=ends, ends=ends)
    await cpo.pull(made.model_copy(update={"subscriptions": (leaving,)}))
    row = await cpo.one()
    assert (row["state"], row["ends_at"], row["cancelled_at"], row["due_at"]) == ("CANCELLED", ends, NOW, ends)
    cpo.now = ends + DAY
    await cpo.pull(made.model_copy(update={"subscriptions": (leaving.model_copy(update={"active": False}),)}))
    assert (await cpo.one())["state"] == "ENDED"
    assert await cpo.events() == [
        "subscription.requested",
        "subscription.approved",
        "subscription.active",
        "subscription.cancelled",
        "subscription.ended",
    ]


async def test_a_subscription_that_the_cpo_rejected_in_the_portal_is_refused(cpo):
    await cpo.pull(held(subscriptions=(sub(active=False, refused_at=AT + DAY),)))
    assert (await cpo.one())["state"] == "REFUSED"


async def test_what_was_over_before_anybody_heard_of_it_is_not_written(cpo):
    await cpo.pull(held(subscriptions=(sub(active=False, cancelled_at=AT + 2 * DAY, ends=AT + 2 * DAY),)))
    assert await cpo.subscriptions() == {}


async def test_what_vanished_ends_once_a_full_pull_does_not_name_it(cpo):
    await cpo.pull(held(subscriptions=(sub(), sub("S2", OTHER_EMSP))))
    await cpo.pull(held(subscriptions=(sub(),)), prune=False)
    assert {state for _, state in (await cpo.subscriptions()).values()} == {"ACTIVE"}
    await cpo.pull(held(subscriptions=(sub(),)))
    assert sorted((await cpo.subscriptions()).values()) == [("DE*DCB", "ENDED"), ("FR*XYZ", "ACTIVE")]


async def test_what_is_shown_again_after_it_ended_is_another_one(cpo):
    await cpo.pull(held(subscriptions=(sub(),)))
    await cpo.pull(held())
    await cpo.pull(held(subscriptions=(sub(),)))
    await cpo.pull(held(subscriptions=(sub(),)))
    assert [state for _, state in (await cpo.subscriptions()).values()] == ["ENDED", "ACTIVE"]


async def test_a_subscriber_whom_the_hub_does_not_name_is_shown(cpo):
    await cpo.pull(held(subscriptions=(sub(emsp=None, emsp_name="Somebody"),)))
    assert await cpo.subscriptions() == {}
    assert await cpo.drifts() == {("ONLY_THERE", "subscription/S1", "emsp"): (None, "Somebody")}


async def test_an_offer_that_cannot_be_read_spoils_itself_alone(cpo):
    done = await cpo.pull(Refused("serviceOffer", "no sense"), held(subscriptions=(sub(),)), prune=False)
    assert len(done.refused) == 1
    assert len(await cpo.subscriptions()) == 1


# Our offers compared


async def test_a_difference_is_shown_never_overwritten_and_settled_by_itself(cpo):
    before = (await cpo.offers())[0]["body"]
    await cpo.pull(held(cancellation_days=42, ends=NOW + DAY))
    assert await cpo.drifts() == {
        ("FIELD", "offer/O1", "cancellation_days"): (0, 42),
        ("FIELD", "offer/O1", "ends"): (None, (NOW + DAY).isoformat()),
    }
    assert (await cpo.offers())[0]["body"] == before
    assert (await cpo.events()).count("offer.drift") == 2
    await cpo.pull(held(cancellation_days=42, ends=NOW + DAY))
    assert (await cpo.events()).count("offer.drift") == 2
    await cpo.pull(held(cancellation_days=42))
    assert list(await cpo.drifts()) == [("FIELD", "offer/O1", "cancellation_days")]


async def test_an_offer_that_the_hub_does_not_show_is_only_here_until_it_does(cpo):
    await cpo.pull()
    assert list(await cpo.drifts()) == [("ONLY_HERE", "offer/O1", "")]
    await cpo.pull(held())
    assert await cpo.drifts() == {}


async def test_an_offer_is_found_by_its_title_where_the_hub_never_said_its_id(cpo):
    await cpo.told.store.execute("UPDATE offer SET hub_ids = NULL, told = 0, unanswered = 'offer'")
    await cpo.pull(held("H9", network="N9", groups=(HubGroup(id="G9", name="All EVSEs"),)))
    [row] = await cpo.offers()
    assert HubIds.model_validate_json(row["hub_ids"]) == HubIds(network="N9", groups={"all": "G9"}, offer="H9")
    assert (row["told"], row["unanswered"]) == (1, None)


# Offers made in the portal


async def test_an_offer_made_in_the_portal_is_on_record_with_its_subscribers(cpo):
    await cpo.pull(held(), held("P1", title="By hand", audience=("p1",), subscriptions=(sub(),)))
    made = (await cpo.offers())[1]
    assert (made["external"], made["state"], made["title"]) == ("P1", "PUBLISHED", "By hand")
    assert await cpo.subscriptions() == {f"hub{made['connection_id']}.S1": ("FR*XYZ", "ACTIVE")}
    terms = await cpo.told.store.fetchval("SELECT terms FROM offer_version WHERE offer_id = $1", made["id"])
    assert '"price_source":"HUB"' in terms
    assert await cpo.drifts() == {}
    await cpo.pull(held(), held("P1", title="By hand", audience=("p1",), subscriptions=(sub(), sub("S2", OTHER_EMSP))))
    assert "DE*DCB" in (await cpo.offers())[1]["body"]


async def test_an_offer_for_partners_of_whom_none_is_known_is_shown_until_one_is(cpo):
    await cpo.pull(held(), held("P1", title="By hand", audience=("p1",)))
    assert list(await cpo.drifts()) == [("ONLY_THERE", "offer/P1", "")]
    assert len(await cpo.offers()) == 1
    await cpo.pull(held(), held("P1", title="By hand", audience=("p1",), subscriptions=(sub(),)))
    assert await cpo.drifts() == {}


async def test_an_offer_of_the_portal_follows_its_cancellation_and_its_versions(cpo):
    await cpo.pull(held(), held("P1", title="By hand"))
    await cpo.pull(
        held(), held("P1", title="By hand", next="P2"), held("P2", title="By hand", previous="P1", starts=NOW + DAY)
    )
    made = (await cpo.offers())[1]
    versions = await cpo.told.store.fetch("SELECT number, starts_at FROM offer_version WHERE offer_id = $1", made["id"])
    # What it costs is known there alone, so that nothing of it is another version here.
    assert len(versions) == 1
    over = NOW + 30 * DAY
    await cpo.pull(held(), held("P1", title="By hand", ends=over, cancelled_at=over))
    assert ((await cpo.offers())[1]["state"], (await cpo.offers())[1]["ends_at"]) == ("CANCELLED", over)


async def test_an_offer_of_the_portal_that_is_there_no_more_ends(cpo):
    await cpo.pull(held(), held("P1", title="By hand", subscriptions=(sub(),)))
    await cpo.pull(held())
    assert ((await cpo.offers())[1]["state"], (await cpo.offers())[1]["ends_at"]) == ("CANCELLED", NOW)
    assert [state for _, state in (await cpo.subscriptions()).values()] == ["ENDED"]


async def test_two_offers_of_one_title_are_both_on_record(cpo):
    await cpo.pull(held(), held("P1", title="By hand"), held("P2", title="By hand"))
    assert [row["title"] for row in await cpo.offers()] == ["Offer O1", "By hand", "By hand (P2)"]


async def test_an_offer_that_was_made_in_the_portal_is_never_told_to_the_hub(cpo):
    before = list(cpo.told.hub.steps)
    await cpo.pull(held(), held("P1", title="By hand", next="P2"), held("P3", title="Another"))
    assert await cpo.told.telling.catch_up() == 0
    assert await cpo.told.store.fetchval("SELECT count(*) FROM delivery WHERE key <> 'offers/O1'") == 0
    assert cpo.told.hub.steps == before


async def test_a_subscription_goes_on_with_the_version_that_follows_whatever_the_one_before_says(cpo):
    await cpo.pull(held(subscriptions=(sub(),)))
    over = NOW + DAY
    old = held(next="H2", ends=over, subscriptions=(sub(state="CANCELLED", cancelled_at=over, ends=over),))
    new = held("H2", previous="H1", starts=over, subscriptions=(sub("S1b", starts=over),))
    for _ in range(2):
        await cpo.pull(old, new)
        row = await cpo.one()
        assert (row["state"], row["starts_at"], row["external"]) == ("ACTIVE", AT + DAY, "S1b")
    revision = await cpo.told.store.fetchval("SELECT revision FROM registry")
    await cpo.pull(old, new)
    assert await cpo.told.store.fetchval("SELECT revision FROM registry") == revision
    cpo.now = over + DAY
    await cpo.pull(new)
    assert (await cpo.one())["state"] == "ACTIVE"


# An EMSP's contracts


def contract(id_: str = "H1", **changes: Any) -> HubOffer:
    group = HubGroup(id="G1", name="Fast", tariff=tariff("G1", "0.4", party=PARTNER))
    fields: dict[str, Any] = {
        "cpo": PARTNER,
        "title": "Partner's",
        "joining": None,
        "groups": (group,),
        "subscriptions": (sub(f"{id_}/FR*XYZ"),),
    }
    return held(id_, **(fields | changes))


async def test_a_contract_is_a_partners_offer_with_our_subscription_groups_and_prices(emsp):
    await emsp.pull(contract())
    [made] = await emsp.offers()
    assert (made["cpo"], made["external"]) == ("DE*CPO", "H1")
    assert (await emsp.one())["state"] == "ACTIVE"
    assert await emsp.members(("G1", "DECPOE1"), ("G1", "DECPOE2"), ("G7", "DECPOE3")) == 0
    agreements = Agreements(emsp.told.store, emsp.told.links, lambda: NOW)
    book = await agreements.book()
    [agreement] = book.of(emsp.connection.id, "DE*CPO", "FR*XYZ")
    [tariff_id] = book.tariffs(agreement, "DECPOE1") or ()
    assert book.tariffs(agreement, "DECPOE9") is None
    stored = await emsp.told.store.fetchrow("SELECT * FROM tariff_version WHERE tariff_id = $1", tariff_id)
    assert (stored["party"], stored["connection_id"]) == ("DE*CPO", emsp.connection.id)
    assert len(tariff_id) <= 36
    assert await emsp.members(("G1", "DECPOE2")) == 1  # what a full pull does not name has left
    book = await agreements.book()
    assert book.tariffs(agreement, "DECPOE1") is None


async def test_other_prices_of_the_same_group_in_another_offer_stand_beside_the_first(emsp):
    cheap = HubGroup(id="G1", name="Fast", tariff=tariff("G1", "0.2", party=PARTNER))
    await emsp.pull(contract(), contract("H2", title="Partner's", groups=(cheap,)))
    assert await emsp.told.store.fetchval("SELECT count(*) FROM catalogue_tariff") == 2
    assert await emsp.told.store.fetchval("SELECT count(*) FROM offer") == 2


async def test_a_contract_that_another_one_follows_ends_when_that_begins(emsp):
    over = NOW + DAY
    await emsp.pull(contract())
    ended = sub("H1/FR*XYZ", cancelled_at=over, ends=over)
    following = contract("H2", starts=over, subscriptions=(sub("H2/FR*XYZ", starts=over),))
    await emsp.pull(contract(ends=over, cancelled_at=over, subscriptions=(ended,)), following)
    assert [row["state"] for row in await emsp.offers()] == ["CANCELLED", "PUBLISHED"]
    assert [state for _, state in (await emsp.subscriptions()).values()] == ["CANCELLED", "ACTIVE"]
    assert await emsp.drifts() == {}


async def test_no_feed_of_tariffs_takes_the_prices_of_a_contract_away(emsp):
    await emsp.pull(contract())
    assert await emsp.told.store.fetchval("SELECT count(*) FROM catalogue_tariff WHERE pushed_at < now()") == 0


async def test_a_contract_without_readable_prices_is_priced_by_the_hub(emsp):
    await emsp.pull(contract(groups=(HubGroup(id="G1", name=""),)))
    assert '"price_source":"HUB"' in await emsp.told.store.fetchval("SELECT terms FROM offer_version")


async def test_a_drift_of_the_hubs_word_for_word_is_unsaid_when_it_is_gone(cpo):
    await cpo.pull(held(), held("P1", title="By hand", audience=("p1",)))
    await cpo.pull(held())
    assert await cpo.drifts() == {}
    assert DriftKind.ONLY_THERE not in {kind for kind, *_ in await cpo.drifts()}
