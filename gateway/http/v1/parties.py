"""The parties that the gateway serves."""

from collections.abc import Sequence

from aiohttp import web

from gateway.http.problems import Problem
from gateway.http.routing import PARTY_IN_PATH, Answer, Body, Call, Route, respond
from gateway.http.v1 import examples, objects
from gateway.http.v1.shapes import Parties
from gateway.services.keys import KeyRole
from gateway.services.ports import Network
from mappings.canonical.ids import PartyId
from mappings.canonical.parties import Party


class PartyOperations:
    """`/v1/parties`."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def routes(self) -> Sequence[Route]:
        """Names the operations."""
        path = "/v1/parties/{party}"
        return [
            Route(
                "GET",
                "/v1/parties",
                self.list,
                "List parties",
                "Parties",
                {200: Answer("Those that the key speaks for.", Parties)},
            ),
            Route(
                "GET",
                path,
                self.get,
                "Read a party",
                "Parties",
                {200: Answer("The party.", Party)},
                parameters=(PARTY_IN_PATH,),
                problems=["not-found"],
            ),
            Route(
                "PUT",
                path,
                self.put,
                "Write a party",
                "Parties",
                {200: Answer("It is stored.", Party), 201: Answer("It is new.", Party)},
                role=KeyRole.ADMIN,
                parameters=(PARTY_IN_PATH,),
                body=Body("The whole party.", Party, example=examples.PARTY),
            ),
        ]

    async def list(self, call: Call) -> web.Response:
        """Gives all parties that the key speaks for."""
        parties = [party for party in await self._network.parties() if call.identity.speaks_for(party.id)]
        return respond(Parties(parties), Parties)

    async def get(self, call: Call) -> web.Response:
        """Gives one party with its roles."""
        asked: PartyId = call.demand(call["party"])
        if (party := await self._network.party(asked)) is None:
            raise Problem("not-found", f"There is no party {asked}")
        return respond(party, Party)

    async def put(self, call: Call) -> web.Response:
        """Writes a party: its name is shown to hubs, its roles say what is registered for it."""
        asked = call.demand(call["party"])
        party = await call.json(Party)
        objects.demand_same(party, id=asked)
        created = await self._network.put_party(party, call.who)
        return respond(party, Party, 201 if created else 200)
