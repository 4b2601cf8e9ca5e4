"""How parties are billed: ours and partners'."""

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from gateway.http.routing import AFTER, LIMIT, Answer, Body, Call, Parameter, Route, respond
from gateway.http.v1 import objects
from gateway.services.keys import KeyRole
from gateway.services.ports import Page
from gateway.services.ports.settlement import BillingParties
from mappings.canonical.billing import BillingParty
from mappings.canonical.ids import PartyId

_PATH: Final = "/v1/billing-parties"
_PARTY: Final = Parameter("party", PartyId, "The CPO or EMSP, `FR*ABC`; the asterisk may be left out.", "path")
_EXAMPLE: Final = {
    "party": "FR*ABC",
    "name": "Bornes de France SA",
    "country": "FRA",
    "vat_id": "FR40303265045",
    "address": ["1 rue de la Gare", "69003 Lyon"],
    "email": "facturation@bornes.example",
}


class BillingPartyOperations:
    """`/v1/billing-parties`."""

    def __init__(self, billing: BillingParties) -> None:
        self._billing = billing

    def routes(self) -> Sequence[Route]:
        """Names the operations."""
        one, tag = _PATH + "/{party}", "Settlements"
        return [
            Route(
                "GET",
                _PATH,
                self.list,
                "List who is billed",
                tag,
                {200: Answer("A page, by party.", Page[BillingParty])},
                parameters=(AFTER, LIMIT),
            ),
            Route(
                "GET",
                one,
                self.get,
                "Read how a party is billed",
                tag,
                {200: Answer("What is on record.", BillingParty)},
                parameters=(_PARTY,),
                problems=["not-found"],
            ),
            Route(
                "PUT",
                one,
                self.put,
                "Write how a party is billed",
                tag,
                {200: Answer("It is stored.", BillingParty), 201: Answer("It is new.", BillingParty)},
                role=KeyRole.ADMIN,
                parameters=(_PARTY,),
                body=Body("All of it.", BillingParty, example=_EXAMPLE),
            ),
        ]

    async def list(self, call: Call) -> web.Response:
        """Gives how the parties are billed that the key speaks for; a key for all parties sees partners, too."""
        page = await self._billing.list(call.identity.parties, call["after"], call["limit"])
        return respond(page, Page[BillingParty])

    async def get(self, call: Call) -> web.Response:
        """Gives the legal name, country and VAT id under which a party is settled with."""
        return respond(await self._billing.get(call.demand(call["party"])), BillingParty)

    async def put(self, call: Call) -> web.Response:
        """Writes it. Partners' are written by a key for all parties; reports as of an earlier moment stay as they were.

        The VAT id is held against its country's form, and nobody is asked whether it was given to anybody.
        """
        party: PartyId = call.demand(call["party"])
        given = await call.json(BillingParty)
        objects.demand_same(given, party=party)
        created = await self._billing.put(given, call.who)
        return respond(given, BillingParty, 201 if created else 200)
