"""A hub is told of an offer step by step, each by its answer to the one before; nothing twice, nothing lost."""

import asyncio
import json
from base64 import b64encode

import pytest

from adapters.core.connection import Mode
from adapters.core.offers import HubIds
from gateway.services.offers.writing import insert_offer
from gateway.services.ports import Conflict, Letters, MessageFilter, MessageState, NotFound
from mappings.canonical.agreements import GroupPrice, OfferTerms, PriceSource, Service
from tests.harness import AT, OTHER, PARTY, WHO, eventually, evse, later, location, tariff
from tests.offers.hubs import EMSP, OTHER_EMSP, TERMS, offer, told


def priced(*prices: GroupPrice, groups: tuple[str, ...] = ()) -> OfferTerms:
    return OfferTerms(
        services=frozenset({Service.AUTHORISE}), evse_groups=groups, price_source=PriceSource.AGREED, prices=prices
    )


@pytest.fixture
async def hub(database_url):
    async with told(database_url) as made:
        await made.publishing.put_locations(
            [
                (location("L1", evse("U1", "NL*ABC*E1*1", tariffs=["T1"]), evse("U2", "NL*ABC*E1*2")), ()),
                (location("L9", evse("U1", "NL*XYZ*E9"), party=OTHER), ()),
            ],
            WHO,
        )
        await made.publishing.put_tariffs([(tariff("T1"), ()), (tariff("T2", "0.6"), ())], WHO)
        yield made


async def test_an_offer_is_told_step_by_step_with_what_was_answered_before(hub):
    await hub.store.execute(
        "INSERT INTO document (id, party, name, media_type, content, digest) VALUES ('D', 'NL*ABC', 'a.pdf',"
        " 'application/pdf', $1, '')",
        b"%PDF",
    )
    await hub.publish(offer(document="D"))
    await hub.steps("network", "document", "offer")
    network, document, last = hub.hub.told
    assert network["groups"] == {"all": ["NL*ABC*E1*1", "NL*ABC*E1*2"]}  # as they are written, of this CPO alone
    assert document["document"] == "%PDF"
    assert last["ids"] == {
        "network": "N1",
        "network_name": None,
        "groups": {"all": "G-all"},
        "document": "D2",
        "offer": None,
    }
    assert last["tariffs"] == {"all": ["T1"]}  # those that its EVSEs name
    side = await hub.side()
    assert side.ids == HubIds(network="N1", groups={"all": "G-all"}, document="D2", offer="H3")
    assert (side.pending, side.refused) == ([], None)


async def test_the_first_step_is_written_with_the_offer_or_not_at_all(hub):
    class Fails(Exception):
        pass

    async def publish() -> None:
        async with hub.links.changing() as tx:
            await insert_offer(tx, offer(), TERMS, hub.number, who=WHO, now=AT, published=True)
            await hub.telling.tell(tx, "O1")
            raise Fails

    with pytest.raises(Fails):
        await publish()
    assert (await hub.deliveries.messages(MessageFilter(), None, 10)).items == []


async def test_groups_and_prices_are_told_by_name_and_the_others_together(hub):
    await hub.group("fast", "NL*ABC*E1*2")
    terms = priced(GroupPrice(evse_group="fast", tariff_ids=("T2",)), GroupPrice(tariff_ids=("T1",)))
    await hub.publish(offer(), terms)
    await hub.steps("network", "offer")
    network, made = hub.hub.told
    assert network["groups"] == {"fast": ["NL*ABC*E1*2"], "all": ["NL*ABC*E1*1"]}
    assert network["names"] == ["fast", "All other EVSEs"]
    assert made["tariffs"] == {"fast": ["T2"], "all": ["T1"]}


async def test_the_variant_of_a_tariff_for_the_only_emsp_is_told_and_what_is_not_regular_is_left_out(hub):
    await hub.publishing.put_tariffs(
        [(tariff("T1", "0.4", target=EMSP), ()), (tariff("T2", type="AD_HOC_PAYMENT"), ())], WHO
    )
    await hub.publish(offer(audience=(EMSP,)), priced(GroupPrice(tariff_ids=("T1", "T2"))))
    await hub.steps("network", "offer")
    payload = await hub.store.fetchval("SELECT payload FROM delivery ORDER BY no DESC LIMIT 1")
    [only] = json.loads(payload)["offer"]["tariffs"]["all"]
    assert only["target"] == "FR*XYZ"


async def test_partners_are_named_as_the_connection_says_the_hub_does(database_url):
    async with told(database_url, offers={"partners": {"FR-XYZ": "partner-1"}}) as hub:
        await hub.publish(offer(audience=(EMSP, OTHER_EMSP)))
        await hub.steps("network", "offer")
        assert hub.hub.told[-1]["partners"] == {"FR*XYZ": "partner-1"}


async def test_a_later_version_is_told_with_the_id_of_the_one_before_and_new_groups_first(hub):
    made = await hub.publish()
    await hub.steps("network", "offer")
    await hub.add_version(made, priced(GroupPrice(tariff_ids=("T2",))), later(1000))
    await hub.steps("network", "offer", "prices")
    assert hub.hub.told[-1]["version"] == 2
    assert hub.hub.told[-1]["ids"]["offer"] == "H2"
    assert (await hub.side()).ids.offer == "H3"
    await hub.group("fast", "NL*ABC*E1*2")
    await hub.add_version(made, priced(GroupPrice(tariff_ids=("T1",)), groups=("fast",)), later(2000))
    await hub.steps("network", "offer", "prices", "network", "prices")
    assert hub.hub.told[-1]["ids"]["groups"] == {"all": "G-all", "fast": "G-fast"}


async def test_a_version_that_comes_while_the_first_is_under_way_waits_for_its_turn(hub):
    hub.hub.fails = {"network"}
    made = await hub.publish()
    await hub.add_version(made, priced(GroupPrice(tariff_ids=("T2",))), later(1000))
    assert (await hub.side()).pending == ["network"]
    hub.hub.fails = set()
    await hub.steps("network", "offer", "prices")


async def test_a_refused_step_is_a_dead_letter_and_its_replay_goes_on(hub):
    hub.hub.refuses = {"offer"}
    await hub.publish()
    letter = await hub.refused()
    assert letter.code == "400"
    assert (await hub.side()).refused == "offer: 400 no offer"
    assert await hub.telling.catch_up() == 0  # until somebody acts
    hub.hub.refuses = set()
    await hub.deliveries.replay(Letters(ids=[letter.id]), WHO)
    await hub.steps("network", "offer")
    side = await hub.side()
    assert (side.refused, side.ids.offer) == (None, "H2")


async def test_a_step_that_was_discarded_is_told_anew_from_what_is_known_then(hub):
    hub.hub.refuses = {"network"}
    await hub.publish()
    letter = await hub.refused()
    hub.hub.refuses = set()
    await hub.publishing.put_locations([(location("L2", evse("U1", "NL*ABC*E2")), ())], WHO)
    await hub.deliveries.discard([letter.id], "wrong EVSE", WHO)
    assert await hub.telling.catch_up() == 1
    await hub.steps("network", "offer")
    assert hub.hub.told[0]["groups"] == {"all": ["NL*ABC*E1*1", "NL*ABC*E1*2", "NL*ABC*E2"]}


async def test_evses_that_come_later_are_told_once_each_in_their_group(hub):
    await hub.group("fast", "NL*ABC*E1*2")
    await hub.publish(offer(), priced(GroupPrice(tariff_ids=("T1",)), groups=("fast",)))
    await hub.steps("network", "offer")
    assert await hub.telling.catch_up() == 0
    await hub.group("fast", "NL*ABC*E1*3", "NL*ABC*E1*4")
    assert await hub.telling.catch_up() == 1
    assert await hub.telling.catch_up() == 0
    await hub.steps("network", "offer", "members")
    assert hub.hub.told[-1]["groups"] == {"fast": ["NL*ABC*E1*3", "NL*ABC*E1*4"]}
    assert await hub.telling.catch_up() == 0


async def test_of_an_offer_without_groups_every_new_evse_is_told(hub):
    await hub.publish()
    await hub.steps("network", "offer")
    await hub.publishing.put_locations([(location("L2", evse("U1", "NL*ABC*E2")), ())], WHO)
    hub.telling.start()
    await hub.steps("network", "offer", "members")
    assert hub.hub.told[-1]["groups"] == {"all": ["NL*ABC*E2"]}


async def test_evses_that_come_while_the_network_is_told_are_told_after_it(hub):
    hub.hub.fails = {"network"}
    await hub.publish()
    await hub.publishing.put_locations([(location("L2", evse("U1", "NL*ABC*E2")), ())], WHO)
    hub.hub.fails = set()
    await hub.steps("network", "offer", "members")


async def test_two_replicas_that_look_at_once_tell_once(hub):
    await hub.publish()
    await hub.steps("network", "offer")
    await hub.publishing.put_locations([(location("L2", evse("U1", "NL*ABC*E2")), ())], WHO)
    assert sum(await asyncio.gather(*(hub.telling.catch_up() for _ in range(4)))) == 1
    await hub.steps("network", "offer", "members")


async def test_an_answer_without_an_id_stops_the_offer_until_somebody_says_it(hub):
    hub.hub.mute = {"network"}
    await hub.publish()
    await hub.steps("network")
    assert (await hub.side()).refused == "network: the hub took it, and did not say what it calls it"
    assert await hub.telling.catch_up() == 0  # another network is not made
    async with hub.store.transaction() as tx:
        await hub.telling.set_hub_ids(tx, "O1", HubIds(network="N7", groups={"all": "G7"}), WHO)
    hub.telling.wake()
    await hub.steps("network", "offer")
    assert hub.hub.told[-1]["ids"]["network"] == "N7"
    audit = await hub.store.fetchrow("SELECT who, subject FROM audit ORDER BY id DESC LIMIT 1")
    assert tuple(audit) == (WHO, "offer/O1")


async def test_ids_that_somebody_says_put_what_was_refused_for_their_lack_aside(hub):
    hub.hub.refuses = {"network"}
    await hub.publish()
    await hub.refused()
    async with hub.store.transaction() as tx:
        await hub.telling.set_hub_ids(tx, "O1", HubIds(network="N7", groups={"all": "G7"}), WHO)
    hub.telling.wake()
    # Nobody knows which EVSEs the network has that the hub refused to make once more: they are assigned again.
    await hub.steps("offer", "members")
    assert (await hub.deliveries.dead_letters(None, None, 10)).items == []


async def test_an_answer_that_was_read_back_before_it_came_is_an_answer(hub):
    made = await hub.publish()
    hub.hub.refuses = {"offer"}
    letter = await hub.refused()
    read_back = (await hub.side()).ids.model_copy(update={"offer": "H2"})
    await hub.store.execute("UPDATE offer SET told = 1, hub_ids = $1", read_back.model_dump_json(exclude_none=True))
    hub.hub.refuses = set()
    await hub.deliveries.replay(Letters(ids=[letter.id]), WHO)
    await hub.steps("network", "offer")
    assert (await hub.side()).refused is None
    await hub.add_version(made, priced(GroupPrice(tariff_ids=("T2",))), later(1000))
    await hub.steps("network", "offer", "prices")


async def test_an_id_of_a_version_whose_answer_was_lost_says_that_the_hub_has_it(hub):
    made = await hub.publish()
    await hub.steps("network", "offer")
    hub.hub.refuses = {"prices"}
    await hub.add_version(made, priced(GroupPrice(tariff_ids=("T2",))), later(1000))
    await hub.refused()
    async with hub.store.transaction() as tx:
        await hub.telling.set_hub_ids(tx, "O1", (await hub.side()).ids.model_copy(update={"offer": "H-by-hand"}), WHO)
    assert await hub.store.fetchval("SELECT told FROM offer") == 2
    assert await hub.telling.catch_up() == 0


async def test_ids_are_said_of_offers_alone_that_a_hub_is_told_of(database_url):
    async with told(database_url, role="EMSP") as hub:
        async with hub.store.transaction() as tx:
            with pytest.raises(NotFound):
                await hub.telling.set_hub_ids(tx, "O1", HubIds(), WHO)
        await hub.publish()
        async with hub.store.transaction() as tx:
            with pytest.raises(Conflict):
                await hub.telling.set_hub_ids(tx, "O1", HubIds(), WHO)
        assert await hub.telling.hub_sides(hub.store, ["O1"]) == {}
        assert hub.hub.told == []


async def test_a_version_is_taken_back_as_long_as_nobody_tried_to_tell_it(database_url):
    async with told(database_url, mode=Mode.OFF) as hub:
        made = await hub.publish()
        async with hub.store.transaction() as tx:
            assert await hub.telling.take_back(tx, made.id, 1)
        assert (await hub.side()).pending == []


async def test_what_was_told_is_not_taken_back(hub):
    await hub.publish()
    await hub.steps("network", "offer")
    async with hub.store.transaction() as tx:
        assert not await hub.telling.take_back(tx, "O1", 1)
        assert await hub.telling.take_back(tx, "O1", 2)


async def test_shadow_mode_shows_all_steps_and_sends_nothing_until_it_is_live(database_url):
    async with told(database_url, mode=Mode.SHADOW) as hub:
        await hub.publishing.put_locations([(location("L1", evse("U1", "NL*ABC*E1")), ())], WHO)
        await hub.publish()

        async def shown():
            found = (await hub.deliveries.messages(MessageFilter(), None, 10)).items
            return len([one for one in found if one.state is MessageState.SHOWN]) == 2

        await eventually(shown, "both steps")
        bodies = [one.body for one in reversed((await hub.deliveries.messages(MessageFilter(), None, 10)).items)]
        assert [body["step"] for body in bodies] == ["network", "offer"]
        assert bodies[1]["ids"]["network"] == "(id of the network)"
        assert await hub.telling.catch_up() == 0
        assert hub.hub.told == []
        await hub.set_mode(Mode.LIVE)
        assert await hub.telling.catch_up() == 1
        await hub.steps("network", "offer")


async def test_what_is_published_while_a_connection_is_off_is_told_once_it_is_live(database_url):
    async with told(database_url, mode=Mode.OFF) as hub:
        await hub.publish()
        assert (await hub.side()).pending == ["network"]
        assert hub.hub.told == []
        await hub.set_mode(Mode.LIVE)
        await hub.steps("network", "offer")


async def test_an_offer_of_a_network_group_is_told_of_all_its_members(hub):
    await hub.store.execute("INSERT INTO network_group (id, name) VALUES ('NG', 'Both')")
    await hub.publish(offer("O2", network_group="NG"))
    assert (await hub.side("O2")).pending == []  # there is nobody in it
    for party in (PARTY, OTHER):
        await hub.store.execute(
            "INSERT INTO network_group_member (group_id, party, since) VALUES ('NG', $1, $2)", party.normal, AT
        )
    assert await hub.telling.catch_up() == 1
    await hub.steps("network", "offer")
    assert hub.hub.told[0]["groups"] == {"all": ["NL*ABC*E1*1", "NL*ABC*E1*2", "NL*XYZ*E9"]}


async def test_document_bytes_come_through_base64_whole(hub):
    content = bytes(range(128)) * 3
    await hub.store.execute(
        "INSERT INTO document (id, party, name, media_type, content, digest) VALUES ('D', 'NL*ABC', 'a.pdf',"
        " 'application/pdf', $1, '')",
        content,
    )
    await hub.publish(offer(document="D"))
    await hub.steps("network", "document", "offer")
    stored = await hub.store.fetchval("SELECT payload FROM delivery WHERE kind = 'document'")
    assert json.loads(stored)["offer"]["document"]["content"].strip() == b64encode(content).decode()
