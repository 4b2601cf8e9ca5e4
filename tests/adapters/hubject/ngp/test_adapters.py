"""Our own adapters at the sandbox Hubject: what the one tells, the other one holds, and both read back."""

import json
from datetime import timedelta
from typing import Any

from adapters.core.offers import Document, HubIds, OfferStep, OfferToTell
from adapters.core.outcomes import Delivered, RefusedByHub
from adapters.hubject.adapter import HubjectAdapter
from mappings.canonical.agreements import Joining
from mappings.canonical.held_offers import HubGroupEvse, HubOffer
from mappings.canonical.ids import EvseId
from tests.adapters.hubject.network import adapter
from tests.adapters.hubject.ngp.trading import EMS, EVSES, START, Trade, ems_id
from tests.adapters.hubject.provider import provider
from tests.mappings.oicp.ngp import PLAIN, group, offer, version

BEGIN = START + timedelta(days=50)
GROUPS = (group("G1", *EVSES[:2]), group("G2"))
TARIFFS = {"G1": (PLAIN,), "G2": (PLAIN,)}
PDF = b"%PDF-1.7 terms"


async def told(hub: HubjectAdapter, which: OfferStep, ids: HubIds, **changes: Any) -> HubIds:
    """Tells a step; gives what is known then."""
    outcome = await said(hub, which, ids, **changes)
    assert isinstance(outcome, Delivered), outcome
    assert outcome.answer is None or isinstance(outcome.answer, dict)
    return ids.model_copy(update=outcome.answer or {})


async def said(hub: HubjectAdapter, which: OfferStep, ids: HubIds, **changes: Any) -> Any:
    fields = {"step": which, "groups": GROUPS, "tariffs": TARIFFS, "ids": ids} | changes
    fields.setdefault("offer", offer(starts=BEGIN))
    fields.setdefault("version", version(1, BEGIN))
    call, _ = hub.render(hub.of_offer(OfferToTell.model_validate(fields)))
    return await hub.tell(call, doubtful=False)


async def held(hub: Any, feed: str) -> list[Any]:
    """Reads a feed to its end."""
    found, cursor = [], None
    while True:
        page = await hub.pull(feed, None, cursor)
        assert not page.unreadable
        found += [record.read()[0] for record in page.records]
        cursor = page.cursor
        if cursor is None:
            return found


async def test_an_offer_goes_its_whole_way_from_cpo_to_emp(trade: Trade) -> None:
    url = trade.running.url
    settings: Any = {"partners": {str(EMS): ems_id()}}
    hub = adapter(base_url=url, offers=settings, timeout_seconds=5)
    emp = provider(None, base_url=url, contracts_of=["FR*HUB"])
    given = offer(starts=BEGIN, joining=Joining.APPROVE, document="D1")
    try:
        two = (group("G1", EVSES[0]), group("G2", EVSES[1]))
        ids = await told(hub, OfferStep.NETWORK, HubIds(), offer=given, groups=two)
        document = Document.model_validate_json(
            json.dumps({"name": "terms.pdf", "media_type": "application/pdf", "content": "JVBERi0xLjcgdGVybXM="})
        )
        assert document.content == PDF
        ids = await told(hub, OfferStep.DOCUMENT, ids, offer=given, document=document)
        ids = await told(hub, OfferStep.OFFER, ids, offer=given, groups=two)
        ids = await told(hub, OfferStep.MEMBERS, ids, offer=given, groups=(group("G2", EVSES[2]),))
        first = ids.offer
        data = {"taxId": "NL001", "termsAndConditionsRead": True}
        await trade.do("subscriptions/subscribe", {"provider": "NL-EMS", "offer": given.title, "data": data})
        await trade.do("subscriptions/approve", {"provider": "NL-EMS", "offer": given.title})
        assert await held(hub, "offers") == []
        await trade.at(days=50)
        (mine,) = await held(hub, "offers")
        assert isinstance(mine, HubOffer)
        assert (mine.id, mine.title, mine.starts, mine.ends) == (first, given.title, BEGIN, None)
        assert [each.emsp for each in mine.subscriptions if each.active] == [EMS]
        later = version(2, BEGIN + timedelta(days=20))
        ids = await told(hub, OfferStep.PRICES, ids, offer=given, version=later, groups=two)
        await trade.at(days=70)
        found = {each.id: each for each in await held(hub, "offers")}
        assert found.keys() == {first, ids.offer}
        (theirs,) = await held(emp, "contracts")
        assert isinstance(theirs, HubOffer)
        assert theirs.id == ids.offer
        evses = await held(emp, "contract_evses")
        assert all(isinstance(each, HubGroupEvse) for each in evses)
        there = [(ids.groups[name], EvseId(evse).normal) for name, evse in zip(("G1", "G2", "G2"), EVSES, strict=True)]
        assert sorted((each.group, each.evse_key) for each in evses) == sorted(there)
    finally:
        await hub.close()
        await emp.close()


async def test_what_the_rules_forbid_is_refused_with_its_field(trade: Trade) -> None:
    hub = adapter(base_url=trade.running.url, offers={}, timeout_seconds=5)
    try:
        foreign = (group("G1", "FR*HUB*E404"),)
        outcome = await said(hub, OfferStep.NETWORK, HubIds(), groups=foreign)
        assert isinstance(outcome, RefusedByHub)
        assert "evseGroups[0].evseIds[0]" in outcome.text
    finally:
        await hub.close()
