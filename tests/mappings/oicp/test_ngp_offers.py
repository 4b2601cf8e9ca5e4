"""Offers as Hubject's NGP API takes them, and what it says that it holds."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mappings.canonical.agreements import (
    EvseGroup,
    GroupPrice,
    Joining,
    Offer,
    OfferTerms,
    OfferVersion,
    PriceSource,
    Service,
)
from mappings.canonical.held_offers import HubGroupEvse, HubOffer
from mappings.canonical.ids import EvseId, PartyId
from mappings.canonical.tariffs import Tariff
from mappings.oicp.ngp import contracts_in, offer_rules, offers_in, offers_out, prices_out, stamps, wire
from mappings.oicp.ngp.prices_out import Asked
from mappings.oicp.ngp.vocabulary import MasterData, ServiceType
from mappings.report import IssueKind, Refused
from tests.mappings.oicp.ngp import (
    CHARGING,
    CPO,
    EMP,
    END,
    OTHER_EMP,
    PARTNERS,
    START,
    group,
    limited,
    offer,
    plans,
    terms,
    version,
)
from tests.ngp_schema import validate

FOLDER = Path(__file__).parent / "golden"
BILATERAL = {"audience": (EMP, OTHER_EMP)}
FAST, REST = GroupPrice(evse_group="G1", tariff_ids=("T1",)), GroupPrice(tariff_ids=("T2",))


def agreed(*prices: GroupPrice) -> dict[str, Any]:
    return {"price_source": PriceSource.AGREED, "prices": prices}


def created(given: Offer, terms_: OfferTerms | None = None) -> dict[str, Any]:
    said = OfferVersion(number=1, starts=given.starts, terms=terms_ or terms())
    body, _ = offers_out.create(
        given,
        said,
        plans(),
        network_id="net-1",
        document_id=None,
        partners=PARTNERS,
        master_data={MasterData.TAX_ID},
    )
    validate("cpo-offers", "NGP", body)
    return body


def check(given: Offer, terms_: OfferTerms | None = None) -> None:
    offer_rules.check(given, terms_ or terms(), CPO, PARTNERS)


# What Hubject could take


@pytest.mark.parametrize(
    "given",
    [
        offer(),
        offer(joining=Joining.APPROVE),
        limited(),
        limited(ends=START + timedelta(days=42)),
        limited(ends=START.replace(year=START.year + 2)),
        limited(**BILATERAL, ends=START + timedelta(days=1), notice_days=0),
        offer(**BILATERAL),
    ],
    ids=["unlimited", "approval", "limited", "shortest", "longest", "bilateral for a day", "bilateral"],
)
def test_what_hubject_could_take_is_written_by_its_openapi(given: Offer) -> None:
    check(given)
    body = created(given)
    wire.CreateOffer.model_validate(body)
    if given.ends is not None:
        assert body["validTo"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"cpo": None, "network_group": "N1"}, "network_group"),
        ({"cpo": PartyId("FR*OTH")}, "cpo"),
        ({"joining": Joining.OPEN}, "joining"),
        ({"joining": Joining.APPROVE, **BILATERAL}, "joining"),
        ({"audience": (EMP, PartyId("DE-NEW"))}, "audience[1]"),
        ({"id": "o" * 51}, "id"),
        ({"cancellation_days": 0}, "cancellation_days"),
        ({"minimum_term_days": 0}, "minimum_term_days"),
        ({"minimum_term_days": 91}, "minimum_term_days"),
        ({"lead_time_days": 14}, "lead_time_days"),
        ({"notice_days": 1}, "notice_days"),
        ({"ends": END}, "lead_time_days"),
        ({"ends": START + timedelta(days=41), "lead_time_days": 0}, "ends"),
        ({"ends": START.replace(year=2028) + timedelta(days=1), "lead_time_days": 0}, "ends"),
        ({"ends": START.replace(year=2028) + timedelta(days=1), "lead_time_days": 0, **BILATERAL}, "ends"),
    ],
)
def test_an_offer_that_hubject_could_not_take_is_refused_by_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        check(offer(**changes))
    assert refused.value.reason.field == field


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"services": frozenset(Service)}, "services"),
        ({"services": frozenset({Service.AUTHORISE})}, "services"),
        ({"services": CHARGING | {Service.RESERVATION}}, "services"),
        ({"services": frozenset({Service.POI})}, "services"),
        ({"price_source": PriceSource.HUB}, "price_source"),
        (agreed(FAST), "prices"),
        (agreed(GroupPrice(tariff_ids=("T1", "T2"))), "prices[0].tariff_ids"),
    ],
)
def test_terms_that_hubject_could_not_take_are_refused_by_their_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        check(offer(), terms(**changes))
    assert refused.value.reason.field == field


def test_an_offer_is_for_charging_or_for_reservations() -> None:
    assert offer_rules.service_type(terms()) is ServiceType.AUTHORIZATION
    reserving = terms(services=frozenset({Service.RESERVATION}))
    assert offer_rules.service_type(reserving) is ServiceType.RESERVATION
    said = created(offer(), reserving)["serviceTypeVersion"]
    assert said == {"serviceTypeId": 10, "serviceTypeName": "Reservation", "serviceTypeVersionNumber": 1}


def test_agreed_prices_are_as_good_as_those_of_the_evses() -> None:
    for given in (agreed(REST), agreed(FAST, REST), agreed(FAST) | {"evse_groups": ("G1",)}):
        check(offer(), terms(**given))


# What is left out


def test_an_unlimited_offer_has_no_end_and_no_notice_and_a_limited_one_no_lead_time() -> None:
    unlimited, ends = created(offer()), created(limited())
    assert not {"validTo", "periodOfNotice"} & unlimited.keys()
    assert (unlimited["unlimited"], unlimited["leadTime"]) == (True, 15)
    assert "leadTime" not in ends
    assert (ends["unlimited"], ends["validTo"], ends["periodOfNotice"]) == (False, "2027-09-01T00:00:00Z", 42)


def test_a_bilateral_offer_names_its_partners_and_has_no_two_steps() -> None:
    body = created(offer(**BILATERAL))
    assert body["subscriberPartnerIds"] == [PARTNERS[EMP], PARTNERS[OTHER_EMP]]
    assert body["offerToAll"] is False
    assert not {"twoStepProcess", "twoStepRequiredMasterDataFields"} & body.keys()


def test_approval_asks_for_master_data() -> None:
    body = created(offer(joining=Joining.APPROVE))
    assert body["twoStepProcess"] is True
    asked = body["twoStepRequiredMasterDataFields"]
    assert [name for name, wanted in asked.items() if wanted] == ["taxId"]
    assert len(asked) == len(MasterData)
    assert created(offer())["twoStepProcess"] is False


# Networks


def test_groups_are_a_network_of_the_offers_id() -> None:
    body = offers_out.network(offer(), [group("G1"), group("G2", "fr*hub*e3", description="On the motorway")])
    validate("cpo-evse", "EvseNetworkRequestDTO", body)
    assert body == {
        "evseNetworkName": "O1",
        "evseNetworkDescription": "Public 2026",
        "evseGroups": [
            {"groupName": "Group G1", "evseIds": ["FR*HUB*E1", "FR*HUB*E2"]},
            {"groupName": "Group G2", "groupDescription": "On the motorway", "evseIds": ["FR*HUB*E3"]},
        ],
    }


@pytest.mark.parametrize(
    ("groups", "field"),
    [
        ([], "evse_groups"),
        ([group("G1"), group("G2", "FR*HUB*E3", name="Group G1")], "evse_groups[1].name"),
        ([group("G1"), group("G2", "FR*HUB*E3", "FRHUBE2")], "evse_groups[1].evse_ids[1]"),
        ([group("G1", "FR*HUB*E1", "nonsense")], "evse_groups[0].evse_ids[1]"),
    ],
    ids=["none", "one name twice", "an EVSE in two", "no EvseID"],
)
def test_groups_that_are_no_network_are_refused_by_their_field(groups: list[EvseGroup], field: str) -> None:
    with pytest.raises(Refused) as refused:
        offers_out.network(offer(), groups)
    assert refused.value.reason.field == field


def test_evses_come_to_groups_that_are_there() -> None:
    empty = EvseGroup(id="G2", party=CPO, name="Group G2")
    body = offers_out.members("O1", [group("G1", "FR*HUB*E9"), empty])
    validate("cpo-evse", "NetworkAssignmentDTO", body)
    assert body == {
        "NetworkName": "O1",
        "GroupsAssignments": [{"GroupName": "Group G1", "Evses": ["FR*HUB*E9"]}],
    }
    with pytest.raises(Refused, match="no EVSE"):
        offers_out.members("O1", [empty])


# Later versions


def test_later_prices_are_told_whole_and_of_unlimited_offers_alone() -> None:
    later = version(2, START + timedelta(days=90))
    body, issues = offers_out.update(offer(), later, plans(), network_id="net-1")
    validate("cpo-offers", "UnlimitedNgpUpdate", body)
    wire.UpdatePrices.model_validate(body)
    assert (body["nextServiceOfferId"], body["updateDate"], issues) == ("O1-2", "2026-11-30T00:00:00Z", [])
    with pytest.raises(Refused) as refused:
        offers_out.update(limited(), later, plans(), network_id="net-1")
    assert refused.value.reason.field == "ends"


@pytest.mark.parametrize(
    ("given", "first", "later", "field"),
    [
        (limited(), {}, {}, "ends"),
        (offer(), {}, {"services": frozenset({Service.RESERVATION})}, "services"),
        (offer(), {"evse_groups": ("G1",)}, {"evse_groups": ("G1", "G2")}, "evse_groups"),
        (offer(), {"evse_groups": ("G1",)}, {}, "evse_groups"),
        (offer(), agreed(FAST, REST), agreed(REST), "prices"),
        (offer(), agreed(FAST, REST), agreed(FAST) | {"evse_groups": ("G1",)}, "evse_groups"),
    ],
    ids=["limited", "services", "a group more", "all groups", "a group less", "without the rest"],
)
def test_what_hubject_changes_in_no_offer_is_refused_of_a_later_version(
    given: Offer, first: dict[str, Any], later: dict[str, Any], field: str
) -> None:
    with pytest.raises(Refused) as refused:
        offer_rules.check_later(given, terms(**later), terms(**first))
    assert refused.value.reason.field == field


def test_a_later_version_has_other_prices_of_the_same_groups() -> None:
    offer_rules.check_later(offer(), terms(**agreed(REST, FAST)), terms(**agreed(FAST, REST)))
    offer_rules.check_later(offer(), terms(**agreed(REST)), terms())
    named = {"evse_groups": ("G1",)}
    offer_rules.check_later(offer(), terms(**agreed(FAST) | named), terms(**named))


def test_tariffs_are_named_by_offer_and_version() -> None:
    tariff = plans().tariffs[0]
    asked = [Asked("hub-1", [_tariff_of(tariff)])]
    named = [
        offers_out.prices(offer(), version(number), asked, ends=None, approximate=False).tariffs[0].name
        for number in (1, 2)
    ]
    assert named == ["O1 1 1", "O1 2 1"]


def _tariff_of(said: wire.NamedTariff) -> Tariff:
    cost = said.pricing_components[0].cost
    part = {"type": "ENERGY", "price": cost, "step_size": 1}
    fields = {"party": CPO, "id": "T", "currency": said.currency, "elements": [{"price_components": [part]}]}
    return Tariff.model_validate(fields | {"last_updated": START})


# Golden pairs


def _load(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def test_the_golden_offer_is_written_as_its_requests() -> None:
    canonical, said = _load("ngp.canonical.json"), _load("ngp.wire.json")
    given = Offer.model_validate_json(json.dumps(canonical["offer"]))
    first, later = (OfferVersion.model_validate_json(json.dumps(each)) for each in canonical["versions"])
    groups = [EvseGroup.model_validate_json(json.dumps(each)) for each in canonical["groups"]]
    tariffs = {each["id"]: Tariff.model_validate_json(json.dumps(each)) for each in canonical["tariffs"]}

    def priced(number: int) -> prices_out.Plans:
        named = canonical["prices"][number]
        asked = [Asked(canonical["ids"][id_], [tariffs[tariff]]) for id_, tariff in named.items()]
        return offers_out.prices(given, [first, later][number], asked, ends=given.ends, approximate=False)

    offer_rules.check(given, first.terms, CPO, PARTNERS)
    network = offers_out.network(given, groups)
    create, lost = offers_out.create(
        given,
        first,
        priced(0),
        network_id=canonical["ids"]["network"],
        document_id=canonical["ids"]["document"],
        partners=PARTNERS,
        master_data={MasterData.TAX_ID, MasterData.BILLING_CONTACT_EMAIL},
    )
    update, _ = offers_out.update(given, later, priced(1), network_id=canonical["ids"]["network"])
    assert network == said["createNetwork"]
    assert create == said["createOffer"]
    assert update == said["updatePrices"]
    assert [[issue.kind.value, issue.field] for issue in lost] == canonical["issues"]
    validate("cpo-evse", "EvseNetworkRequestDTO", network)
    validate("cpo-offers", "NGP", create)
    validate("cpo-offers", "UnlimitedNgpUpdate", update)


@pytest.mark.parametrize("which", ["active", "before", "bilateral"])
def test_a_golden_offer_of_hubjects_is_read_as_what_is_held(which: str) -> None:
    raw, canonical = _load("ngp.held.wire.json")["offersInfo"], _load("ngp.held.canonical.json")
    number = ["active", "before", "bilateral"].index(which)
    validate("cpo-offers", "ServiceOfferInfoDTO", raw[number])
    held, issues = offers_in.offer(raw[number], CPO)
    assert held == HubOffer.model_validate_json(json.dumps(canonical[which]["offer"]))
    assert [[issue.kind.value, issue.field] for issue in issues] == canonical[which]["issues"]
    assert offers_in.offer_id(raw[number]) == held.id


def test_a_golden_contract_of_hubjects_is_read_as_what_is_held() -> None:
    raw, canonical = _load("ngp.contracts.wire.json"), _load("ngp.held.canonical.json")["contract"]
    validate("emp-contracts", "ContractInfoDTO", raw)
    held, issues = contracts_in.contract(raw["Offers"][0], CPO, EMP)
    assert held == HubOffer.model_validate_json(json.dumps(canonical["offer"]))
    assert [[issue.kind.value, issue.field] for issue in issues] == canonical["issues"]
    assert contracts_in.contract_id(raw["Offers"][0]) == held.id


# What is read otherwise


def _raw(**changes: Any) -> dict[str, Any]:
    said = {"id": "h1", "partnerInternalId": "Title", "validFrom": "2026-09-01T00:00:00Z", "offerToAll": True}
    kind = {"serviceTypeId": 1, "serviceTypeVersionNumber": 1}
    return {"serviceOffer": said | {"serviceTypeVersion": kind} | changes}


def _read(**changes: Any) -> HubOffer:
    return offers_in.offer(_raw(**changes), CPO)[0]


def test_an_end_is_the_first_moment_after_it_whatever_brings_it() -> None:
    far = "+13544-01-20T21:59:59.999Z"
    midnight = datetime(2027, 1, 1, tzinfo=UTC)
    assert [_read(validTo=end).ends for end in (far, "9999-12-31T23:59:59.999Z", None)] == [None] * 3
    assert _read(validTo="2026-12-31T23:59:59.999Z").ends == midnight
    assert _read(validTo="2026-12-31T23:59:59.999Z", unlimited=True).ends is None
    cancelled = _read(validTo=far, cancellationTo="2026-12-31T23:59:59.999Z")
    assert (cancelled.ends, cancelled.cancelled_at) == (midnight, midnight)
    followed = _read(validTo=far, cancellationTo="2026-12-31T23:59:59.999Z", nextServiceOfferId=7)
    assert (followed.ends, followed.cancelled_at, followed.next) == (midnight, None, "7")


def test_a_type_of_service_that_is_not_known_grants_nothing() -> None:
    held, issues = offers_in.offer(_raw(serviceTypeVersion={"serviceTypeId": 77}), CPO)
    assert held.services == frozenset()
    assert [issue.kind for issue in issues] == [IssueKind.UNKNOWN]


def test_networks_and_prices_are_read_as_the_openapi_spells_them_and_as_the_text_does() -> None:
    day = {"Day": "MONDAY", "Tariffs": [{"StartTime": "00:00", "EndTime": "23:59:59", "PricingComponents": []}]}
    network, group = {"networkId": "n1", "networkName": "N"}, {"groupId": "g1", "groupName": "G", "currency": "EUR"}
    as_openapi = _raw() | {"network": network, "pricingDetails": [group | {"days": [day]}]}
    as_text = _raw() | {
        "network": {name[0].upper() + name[1:]: value for name, value in network.items()},
        "pricingDetails": [{name[0].upper() + name[1:]: value for name, value in group.items()} | {"Days": [day]}],
    }
    held, _ = offers_in.offer(as_openapi, CPO)
    assert (held.network, held.network_name, held.groups[0].id, held.groups[0].name) == ("n1", "N", "g1", "G")
    assert offers_in.offer(as_text, CPO) == offers_in.offer(as_openapi, CPO)


def test_a_group_without_an_id_has_no_prices_and_spoils_nothing_else() -> None:
    component = {"Type": "SESSION", "ReferenceUnit": "NONE", "Cost": 1}
    day = {
        "Day": "MONDAY",
        "Tariffs": [{"StartTime": "00:00", "EndTime": "23:59:59", "PricingComponents": [component]}],
    }
    group = {"groupId": "", "currency": "EUR", "days": [day]}
    held, issues = offers_in.offer(_raw() | {"pricingDetails": [group, group | {"groupId": "g1"}]}, CPO)
    assert [each.tariff is not None for each in held.groups] == [False, True]
    assert [issue.field for issue in issues] == ["pricingDetails[0].groupId"]


def test_an_offer_without_much_is_read_and_one_without_sense_refused() -> None:
    assert (_read().cpo, _read().audience, _read(offerToAll=False).audience) == (CPO, None, ())
    nothing: list[Any] = [None, [], {}, {"serviceOffer": {}}, {"serviceOffer": {"id": ""}}]
    for raw in nothing:
        with pytest.raises(Refused):
            offers_in.offer_id(raw)
        with pytest.raises(Refused):
            offers_in.offer(raw, CPO)
        with pytest.raises(Refused):
            contracts_in.contract_id(raw)
        with pytest.raises(Refused):
            contracts_in.contract(raw, CPO, EMP)
    for changes in ({"validFrom": "soon"}, {"validFrom": "+13544-01-20T21:59:59Z"}, {"validTo": "later"}):
        with pytest.raises(Refused):
            _read(**changes)


@pytest.mark.parametrize(
    ("said", "active"),
    [
        ({"status": "SUBSCRIBED"}, True),
        ({"status": "CANCELLED", "cancellationTo": "2026-12-01T00:00:00Z"}, True),
        ({"status": "CANCELLED"}, False),
        ({"status": "UNDER_REVIEW"}, False),
        ({}, False),
    ],
)
def test_a_subscription_is_served_as_far_as_its_word_goes(said: dict[str, Any], active: bool) -> None:
    raw = _raw() | {"subscriptions": [{"id": "s1", "subscriberPartnerExternalId": "DE-EMS", **said}]}
    (subscription,) = offers_in.offer(raw, CPO)[0].subscriptions
    assert (subscription.active, subscription.emsp) == (active, EMP)


def test_a_subscriber_whose_id_is_none_is_told_and_nobody() -> None:
    raw = _raw() | {"subscriptions": [{"id": "s1", "subscriberPartnerExternalId": "???", "status": "SUBSCRIBED"}]}
    held, issues = offers_in.offer(raw, CPO)
    assert held.subscriptions[0].emsp is None
    assert [(issue.kind, issue.field) for issue in issues] == [
        (IssueKind.UNKNOWN, "subscriptions[0].subscriberPartnerExternalId")
    ]


def test_the_evse_of_a_group_is_told_by_its_normal_form() -> None:
    evse = contracts_in.group_evse({"evseId": "fr*hub*e1"}, CPO, "h1", "g1")
    assert evse == HubGroupEvse(cpo=CPO, offer="h1", group="g1", evse_key=EvseId("FR*HUB*E1").normal)
    nothing: list[Any] = [None, {}, {"evseId": " "}, {"evseId": 7}]
    for raw in nothing:
        with pytest.raises(Refused):
            contracts_in.group_evse(raw, CPO, "h1", "g1")


def test_stamps_are_whole_seconds_in_utc() -> None:
    assert stamps.write(datetime(2026, 6, 7, 12, 0, 0, 999, tzinfo=UTC)) == "2026-06-07T12:00:00Z"
    assert stamps.read("2024-06-27T06:33:16.587780123Z", "f") == datetime(2024, 6, 27, 6, 33, 16, 587780, tzinfo=UTC)
    assert stamps.read("2025-05-15T14:16:13+03:00", "f") == datetime(2025, 5, 15, 11, 16, 13, tzinfo=UTC)
    assert stamps.read(" ", "f") is None
