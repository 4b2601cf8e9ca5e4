"""Network groups, EVSE groups and documents: what may change, what is kept, and what it costs."""

import asyncio

import pytest

from gateway.events.writing import EventType
from gateway.services.ports.common import BadCursor, Conflict, Invalid, NotFound
from gateway.services.ports.offers import MembersChanged, NewVersion
from mappings.canonical.agreements import EvseGroup, Joining, Member, NetworkGroup, OfferTerms, Service
from mappings.canonical.ids import EvseId
from tests.harness import OTHER, PARTY, WHO
from tests.offers.desk import DAY, START, TERMS, desk, offer

PDF = b"%PDF-1.7\n..."


def network(*members: Member, id_: str = "N1") -> NetworkGroup:
    return NetworkGroup(id=id_, name="Together", members=members)


def group(*numbers: int, id_: str = "G1") -> EvseGroup:
    return EvseGroup(id=id_, party=PARTY, name=id_, evse_ids=tuple(EvseId(f"NL*ABC*E{number}") for number in numbers))


def scoped(*groups: str) -> OfferTerms:
    return OfferTerms(services=frozenset({Service.AUTHORISE}), evse_groups=groups)


async def test_members_of_a_network_come_and_go_and_are_never_unmade(made):
    first = Member(party=PARTY, since=START - 10 * DAY)
    assert await made.groups.put_network(network(first, Member(party=OTHER, since=START + 5 * DAY)), WHO)
    # Who was never a member may go without a trace; who was one has an end.
    assert not await made.groups.put_network(network(first), WHO)
    with pytest.raises(Conflict, match=r"NL\*ABC was a member from"):
        await made.groups.put_network(network(), WHO)
    with pytest.raises(Conflict, match="at a time that this unmakes"):
        await made.groups.put_network(network(first.model_copy(update={"until": START - DAY})), WHO)
    left = first.model_copy(update={"until": START})
    await made.groups.put_network(network(left), WHO)
    made.clock[0] += DAY
    with pytest.raises(Conflict, match="at a time that this unmakes"):
        await made.groups.put_network(network(first), WHO)
    back = Member(party=PARTY, since=START + DAY)
    await made.groups.put_network(network(left, back), WHO)
    assert (await made.groups.network("N1")).members == (left, back)
    with pytest.raises(Invalid, match=r"members\[2\].since: NL\*ABC is a member then already"):
        await made.groups.put_network(network(left, back, Member(party=PARTY, since=START + 2 * DAY)), WHO)


async def test_a_new_member_has_the_groups_offers_at_once(made):
    await made.groups.put_network(network(Member(party=PARTY, since=START)), WHO)
    await made.publish(offer(network_group="N1"))
    made.turned.clear()
    members = (Member(party=PARTY, since=START), Member(party=OTHER, since=START))
    await made.groups.put_network(network(*members), WHO)
    assert [(one.kind, one.offer, one.network_group) for one in made.turned] == [(EventType.GROUP_CHANGED, "O1", "N1")]
    assert (await made.events(OTHER))[-1] == "group.changed"


async def test_a_network_group_of_an_offer_stays(made):
    await made.groups.put_network(network(Member(party=PARTY, since=START)), WHO)
    await made.put(offer(network_group="N1"))
    with pytest.raises(Conflict, match="offer O1 is of network group N1"):
        await made.groups.remove_network("N1", WHO)
    await made.offers.remove("O1", WHO)
    await made.groups.remove_network("N1", WHO)
    with pytest.raises(NotFound):
        await made.groups.network("N1")
    with pytest.raises(NotFound):
        await made.groups.remove_network("N1", WHO)


async def test_groups_are_listed_by_page(made):
    for number in range(3):
        await made.groups.put_network(network(Member(party=PARTY, since=START), id_=f"N{number}"), WHO)
        await made.groups.put_evse_group(group(1, 2, 3, id_=f"G{number}"), WHO)
    page = await made.groups.networks(None, 2)
    rest = await made.groups.networks(page.next, 2)
    assert [one.id for one in (*page.items, *rest.items)] == ["N0", "N1", "N2"]
    assert rest.items[0].members == (Member(party=PARTY, since=START),)
    seen = await made.groups.evse_groups(frozenset({PARTY}), None, 2)
    rest = await made.groups.evse_groups(None, seen.next, 2)
    assert [(one.id, one.evses) for one in (*seen.items, *rest.items)] == [("G0", 3), ("G1", 3), ("G2", 3)]
    assert (await made.groups.evse_groups(frozenset({OTHER}), None, 2)).items == []
    evses = await made.groups.members("G1", None, 2)
    rest = await made.groups.members("G1", evses.next, 2)
    assert [str(one) for one in (*evses.items, *rest.items)] == ["NL*ABC*E1", "NL*ABC*E2", "NL*ABC*E3"]
    with pytest.raises(BadCursor):
        await made.groups.networks("?", 2)


async def test_evses_come_to_a_group_and_leave_it(made):
    assert await made.groups.put_evse_group(group(1, 2), WHO)
    await made.publish(offer(), scoped("G1"))
    made.turned.clear()
    changed = MembersChanged(add=(EvseId("NLABCE2"), EvseId("NL*ABC*E3")), remove=(EvseId("NL*ABC*E1"),))
    assert (await made.groups.change_members("G1", changed, WHO)).evses == 2
    assert [(one.kind, one.offer, one.evse_group) for one in made.turned] == [(EventType.GROUP_CHANGED, "O1", "G1")]
    revision = await made.store.fetchval("SELECT revision FROM evse_group")
    assert not await made.groups.put_evse_group(group(2, 3), WHO)  # which changes nothing
    assert await made.store.fetchval("SELECT revision FROM evse_group") == revision
    assert len(made.turned) == 1
    await made.groups.put_evse_group(group(4), WHO)
    assert (await made.groups.evse_group("G1")).evses == 1
    with pytest.raises(NotFound):
        await made.groups.change_members("G9", changed, WHO)


async def test_evses_are_the_partys_by_their_id_or_because_it_told_of_them(made):
    foreign = EvseGroup(id="G1", party=PARTY, name="g", evse_ids=(EvseId("NL*ABC*E1"), EvseId("DE*OTH*E7")))
    with pytest.raises(Invalid, match=r"evse_ids\[1\]: DE\*OTH\*E7 is no EVSE of NL\*ABC"):
        await made.groups.put_evse_group(foreign, WHO)
    no = await made.store.fetchval(
        "INSERT INTO location (party, location_id, body, digest, place, last_updated)"
        " VALUES ($1, 'L1', '{}', '', point(0, 0), now()) RETURNING no",
        PARTY.normal,
    )
    await made.store.execute(
        "INSERT INTO evse (location_no, party, location_id, uid, evse_key, status, status_at, changed_on)"
        " VALUES ($1, $2, 'L1', 'U1', 'DEOTHE7', 'AVAILABLE', now(), now())",
        no,
        PARTY.normal,
    )
    await made.groups.put_evse_group(foreign, WHO)
    with pytest.raises(Conflict, match=r"EVSE group G1 is of NL\*ABC"):
        await made.groups.put_evse_group(EvseGroup(id="G1", party=OTHER, name="g"), WHO)


async def test_a_group_that_a_version_speaks_of_stays_until_that_is_past(made):
    await made.groups.put_evse_group(group(1), WHO)
    await made.publish(offer(), scoped("G1"))
    with pytest.raises(Conflict, match="offer O1 speaks of EVSE group G1"):
        await made.groups.remove_evse_group("G1", WHO)
    await made.offers.add_version("O1", NewVersion(starts=START + DAY, terms=TERMS), WHO)
    with pytest.raises(Conflict):
        await made.groups.remove_evse_group("G1", WHO)
    await made.after(DAY)
    await made.groups.remove_evse_group("G1", WHO)
    with pytest.raises(NotFound):
        await made.groups.evse_group("G1")


async def test_a_hub_takes_an_evse_in_one_group_of_an_offer(made):
    await made.groups.put_evse_group(group(1, id_="G1"), WHO)
    await made.groups.put_evse_group(group(1, 2, id_="G2"), WHO)
    fields = {"connection": "hub", "starts": START + 50 * DAY, "lead_time_days": 42}
    with pytest.raises(Invalid, match="NLABCE1 is in G1 and in G2"):
        await made.put(offer(**fields), scoped("G1", "G2"))
    await made.groups.put_evse_group(group(2, id_="G2"), WHO)
    await made.publish(offer(**fields), scoped("G1", "G2"))
    await made.publish(offer("O2", title="2", joining=Joining.OPEN), scoped("G1", "G2"))
    with pytest.raises(Conflict, match=r"NL\*ABC\*E2 is in G2, too; hub takes it in one group"):
        await made.groups.change_members("G1", MembersChanged(add=(EvseId("NL*ABC*E2"),)), WHO)
    assert (await made.groups.evse_group("G1")).evses == 1


async def test_a_hundred_thousand_evses_are_written_at_once_while_offers_are_published(made):
    many = group(*range(100_000))
    await asyncio.gather(made.groups.put_evse_group(many, WHO), made.publish(), made.put(offer("O2", title="2")))
    await made.publish(offer("O3", title="3"), scoped("G1"))
    moved = MembersChanged(add=tuple(EvseId(f"NL*ABC*E{number}") for number in range(100_000, 110_000)))
    assert (await made.groups.change_members("G1", moved, WHO)).evses == 110_000
    await made.groups.put_evse_group(group(1), WHO)
    assert (await made.groups.evse_group("G1")).evses == 1


async def test_terms_are_stored_once(made):
    view = await made.groups.put_document("D1", PARTY, "terms.pdf", "application/pdf", PDF, WHO)
    assert (view.size, view.uploaded_at, len(view.digest)) == (len(PDF), START, 64)
    made.clock[0] += DAY
    assert await made.groups.put_document("D1", PARTY, "terms.pdf", "application/pdf", PDF, WHO) == view
    assert await made.groups.document("D1") == (view, PDF)
    assert await made.audits("document/D1") == ["uploaded"]
    for other in ((OTHER, PDF), (PARTY, PDF + b"!")):
        with pytest.raises(Conflict, match="another document D1"):
            await made.groups.put_document("D1", other[0], "terms.pdf", "application/pdf", other[1], WHO)
    for media_type, content in (("application/pdf", b"<html>"), ("text/html", PDF)):
        with pytest.raises(Invalid, match="is no PDF"):
            await made.groups.put_document("D2", PARTY, "t", media_type, content, WHO)
    with pytest.raises(Invalid, match="larger than 10 MB"):
        await made.groups.put_document("D2", PARTY, "t", "application/pdf", PDF + bytes(10 * 1024 * 1024), WHO)
    with pytest.raises(NotFound):
        await made.groups.document("D2")


async def test_a_group_is_either_gone_or_spoken_of_whoever_comes_first(made, store):
    async with desk(store, made.clock) as other:
        for number in range(8):
            await made.groups.put_evse_group(group(1), WHO)
            changed = MembersChanged(add=(EvseId(f"NL*ABC*E{number + 2}"),))
            removed, put, *_ = await asyncio.gather(
                made.groups.remove_evse_group("G1", WHO),
                other.put(offer(), scoped("G1")),
                other.groups.change_members("G1", changed, WHO),
                made.publish(offer(f"P{number}", title=str(number))),
                return_exceptions=True,
            )
            if isinstance(removed, Conflict):
                assert put.offer.id == "O1"
                await made.offers.remove("O1", WHO)
            else:
                assert (removed, type(put)) == (None, Invalid)
