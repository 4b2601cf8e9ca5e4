"""A sandbox Hubject at a time that tests set, with a CPO's EVSEs, two EMPs, and requests to its NGP API."""

import copy
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from adapters.hubject.sandbox import HubjectSandbox, OfferRules, Partner, Provider, run
from adapters.hubject.sandbox.ngp.model import internal_id
from mappings.canonical.ids import PartyId
from tests.adapters.hubject.charging import Hub, push
from tests.adapters.hubject.emps import PATIENT, Gateway, gateway
from tests.adapters.hubject.network import HUB_CPO

START = datetime(2026, 6, 1, tzinfo=UTC)
EMS, RIVAL = PartyId("NL-EMS"), PartyId("DE-EMP")
NETWORKS = "/api/evsenetwork/v1/operators/FR*HUB/networks"
ASSIGN = "/api/evsenetwork/v1/operators/FR*HUB/network"
OFFERS = "/api/partner/v1/operators/FR*HUB/service-offers"
ATTACHMENTS, INFO = f"{OFFERS}/attachments", f"{OFFERS}/info"
CONTRACTS = "/api/premium/contracts/v1/providers/NL-EMS/operators/FR*HUB"
EVSES = ("FR*HUB*E1", "FR*HUB*E2", "FR*HUB*E3")
WEEK = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]
EVERY_FIELD = ("taxId", "brandName", "billingContactEmail")
DATA = {"taxId": "NL001", "brandName": "Ems", "billingContactEmail": "b@ems.example", "termsAndConditionsRead": True}
ALWAYS: list[dict[str, Any]] = [{"daysOfTheWeek": WEEK, "timeSlots": [("00:00:00", "23:59:59", "day")]}]


def ems_id(party: PartyId = EMS) -> str:
    return internal_id(party.normal, emp=True)


def tariff(name: str = "day", cost: float = 0.5, currency: str = "EUR") -> dict[str, Any]:
    component = {"type": "CHARGING_ENERGY", "referenceUnit": "KILOWATT_HOUR", "cost": cost, "gracePeriod": None}
    return {"name": name, "currency": currency, "pricingComponents": [component]}


def product(group: str, plans: Iterable[dict[str, Any]] = ALWAYS, currency: str = "EUR") -> dict[str, Any]:
    told = [
        {
            "daysOfTheWeek": plan["daysOfTheWeek"],
            "timeSlots": [
                {"color": "Indigo", "startTime": start, "endTime": end, "tariffName": name}
                for start, end, name in plan["timeSlots"]
            ],
        }
        for plan in plans
    ]
    return {"groupId": group, "product": {"currency": currency, "timePlans": told}}


def later(**span: float) -> str:
    return (START + timedelta(**span)).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Trade(Hub):
    """The sandbox; what is asked of it is answered as status and body."""

    emp: Gateway

    @property
    def sandbox(self) -> HubjectSandbox:
        return self.running.sandbox

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        raw = None if body is None else json.dumps(body).encode()
        async with self.session.request(method, path, data=raw) as answer:
            return answer.status, json.loads(await answer.text())

    async def at(self, **span: float) -> None:
        """Sets the clock to so long after the start."""
        status, _ = await self.post("/_sandbox/clock", {"now": later(**span), "rate": 0})
        assert status == 200

    async def do(self, what: str, body: Any, status: int = 200) -> Any:
        told, answer = await self.post(f"/_sandbox/{what}", body)
        assert told == status, answer
        return answer

    async def network(self, *groups: Iterable[str], name: str = "All") -> dict[str, Any]:
        """Makes a network with groups named A, B, … of EVSEs."""
        named = [{"groupName": chr(65 + index), "evseIds": list(evses)} for index, evses in enumerate(groups)]
        status, answer = await self.ask("POST", NETWORKS, {"evseNetworkName": name, "evseGroups": named})
        assert status == 201, answer
        assert isinstance(answer, dict)
        return answer

    async def offer(self, network: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """Makes an offer: unlimited and to all, in 50 days, unless the changes say otherwise."""
        status, answer = await self.ask("POST", OFFERS, offered(network, **changes))
        assert status == 201, answer
        assert isinstance(answer, dict)
        return answer

    async def subscribed(self, offer: dict[str, Any], party: str = "NL-EMS", **more: Any) -> dict[str, Any]:
        answer = await self.do("subscriptions/subscribe", {"provider": party, "offer": offer["id"]} | more)
        assert isinstance(answer, dict)
        return answer

    async def info(self) -> list[dict[str, Any]]:
        status, answer = await self.ask("GET", INFO)
        assert status == 200, answer
        found = answer["offersInfo"]
        assert isinstance(found, list)
        return found

    async def wrong(self, method: str, path: str, body: Any) -> set[str]:
        """Gives the fields for which a request is refused."""
        status, answer = await self.ask(method, path, body)
        assert status == 400, answer
        assert all(each["errorMessage"] for each in answer["validationErrors"])
        return {each["fieldReference"] for each in answer["validationErrors"]}


def offered(network: dict[str, Any], **changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "serviceOfferId": "ours",
        "description": "Everything",
        "partnerInternalId": "to-all",
        "validFrom": later(days=50),
        "validTo": None,
        "unlimited": True,
        "cancellationPeriod": 30,
        "leadTime": 15,
        "minimumTerm": 7,
        "periodOfNotice": None,
        "pricingType": "NGP",
        "serviceTypeVersion": {
            "serviceTypeId": 1,
            "serviceTypeName": "Authorization",
            "serviceTypeVersionNumber": 1,
        },
        "offerToAll": True,
        "networkId": network["id"],
        "tariffs": [tariff()],
        "products": [product(group["id"]) for group in network["evseGroups"]],
    }
    return copy.deepcopy(body | changes)


def limited(**changes: Any) -> dict[str, Any]:
    span = {"unlimited": False, "leadTime": None, "validFrom": later(days=50), "validTo": later(days=100)}
    return span | {"periodOfNotice": 14} | changes


def bilateral(*parties: PartyId, **changes: Any) -> dict[str, Any]:
    named = [ems_id(party) for party in parties or (EMS,)]
    return {"offerToAll": False, "subscriberPartnerIds": named, "partnerInternalId": "chosen"} | changes


def two_step(**changes: Any) -> dict[str, Any]:
    needed = dict.fromkeys(EVERY_FIELD, True)
    return {"twoStepProcess": True, "twoStepRequiredMasterDataFields": needed} | changes


def updated(network: dict[str, Any], when: str, name: str = "dearer", cost: float = 0.6) -> dict[str, Any]:
    plans = [{"daysOfTheWeek": WEEK, "timeSlots": [("00:00", "23:59:59", name)]}]
    return {
        "nextServiceOfferId": "ours too",
        "networkId": network["id"],
        "updateDate": when,
        "tariffs": [tariff(name, cost)],
        "pricingDetails": [product(group["id"], plans) for group in network["evseGroups"]],
    }


@asynccontextmanager
async def trading(
    *, evses: Iterable[str] = EVSES, rules: OfferRules | None = None, **options: Any
) -> AsyncIterator[Trade]:
    async with gateway() as emp:
        sandbox = HubjectSandbox(
            [Partner(HUB_CPO), Partner(PartyId("FR*OTH"))],
            providers=[Provider(EMS, emp.url), Provider(RIVAL)],
            offer_rules=rules,
            **{**PATIENT, "limits": False} | options,
        )
        async with run(sandbox, None) as running, aiohttp.ClientSession(running.url) as session:
            trade = Trade(running, session, emp)
            await trade.at()
            for evse in evses:
                await push(trade, evse)
            yield trade
