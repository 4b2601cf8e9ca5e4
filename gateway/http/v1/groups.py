"""What offers speak of together: CPOs in network groups, EVSEs in EVSE groups."""

from collections.abc import Sequence
from typing import Final

from aiohttp import web

from gateway.complaints import FieldError
from gateway.http.problems import Problem
from gateway.http.routing import AFTER, LIMIT, PARTY, Answer, Body, Call, Parameter, Route, respond
from gateway.http.v1 import offer_examples as examples
from gateway.http.v1.objects import demand_same
from gateway.http.v1.standing import Standing
from gateway.services.keys import KeyRole
from gateway.services.ports import NotFound, Page
from gateway.services.ports.offers import EvseGroupView, Groups, MembersChanged, OfferFilter
from mappings.canonical.agreements import AgreementKey, EvseGroup, NetworkGroup
from mappings.canonical.ids import EvseId, PartyId

_NETWORKS: Final = "/v1/network-groups"
_EVSES: Final = "/v1/evse-groups"
_ID = Parameter("id", AgreementKey, "The group's id.", "path")


class NetworkGroupOperations:
    """`/v1/network-groups`."""

    def __init__(self, groups: Groups) -> None:
        self._groups = groups

    def routes(self) -> Sequence[Route]:
        """Names the operations."""
        tag, one = "Network groups", _NETWORKS + "/{id}"
        return [
            Route(
                "GET",
                _NETWORKS,
                self.list,
                "List network groups",
                tag,
                {200: Answer("A page, by id.", Page[NetworkGroup])},
                parameters=(AFTER, LIMIT),
            ),
            Route(
                "GET",
                one,
                self.get,
                "Read a network group",
                tag,
                {200: Answer("The group with its members.", NetworkGroup, example=examples.NETWORK_GROUP)},
                parameters=(_ID,),
                problems=["not-found"],
            ),
            Route(
                "PUT",
                one,
                self.put,
                "Write a network group",
                tag,
                {200: Answer("It is changed.", NetworkGroup), 201: Answer("It is new.", NetworkGroup)},
                role=KeyRole.ADMIN,
                whole=True,
                parameters=(_ID,),
                body=Body("The whole group.", NetworkGroup, example=examples.NETWORK_GROUP),
                problems=["conflict"],
            ),
            Route(
                "DELETE",
                one,
                self.remove,
                "Forget a network group",
                tag,
                {204: Answer("It is gone.")},
                role=KeyRole.ADMIN,
                whole=True,
                parameters=(_ID,),
                problems=["not-found", "conflict"],
            ),
        ]

    async def list(self, call: Call) -> web.Response:
        """Gives the groups of CPOs that offer their networks together; who is in them is open to all."""
        return respond(await self._groups.networks(call["after"], call["limit"]), Page[NetworkGroup])

    async def get(self, call: Call) -> web.Response:
        """Gives one group."""
        return respond(await self._groups.network(call["id"]), NetworkGroup)

    async def put(self, call: Call) -> web.Response:
        """Writes a group. Whoever comes to it has its agreements at once; whoever leaves has an `until`, and stays.

        Who was a member in the past cannot be taken from the list, so that what was charged then can be explained.
        """
        group = await call.json(NetworkGroup)
        demand_same(group, id=call["id"])
        is_new = await self._groups.put_network(group, call.who)
        return respond(group, NetworkGroup, 201 if is_new else 200)

    async def remove(self, call: Call) -> web.Response:
        """Forgets a group that no offer names."""
        await self._groups.remove_network(call["id"], call.who)
        return web.Response(status=204)


class EvseGroupOperations:
    """`/v1/evse-groups`."""

    def __init__(self, groups: Groups, standing: Standing) -> None:
        self._groups = groups
        self._standing = standing

    def routes(self) -> Sequence[Route]:
        """Names the operations."""
        tag, one = "EVSE groups", _EVSES + "/{id}"
        return [
            Route(
                "GET",
                _EVSES,
                self.list,
                "List EVSE groups",
                tag,
                {200: Answer("A page, by id.", Page[EvseGroupView])},
                parameters=(PARTY, AFTER, LIMIT),
            ),
            Route(
                "GET",
                one,
                self.get,
                "Read an EVSE group",
                tag,
                {200: Answer("The group, and how many EVSEs are in it.", EvseGroupView)},
                parameters=(_ID,),
                problems=["not-found"],
            ),
            Route(
                "PUT",
                one,
                self.put,
                "Write an EVSE group",
                tag,
                {200: Answer("It is changed.", EvseGroupView), 201: Answer("It is new.", EvseGroupView)},
                role=KeyRole.PUBLISH,
                parameters=(_ID,),
                body=Body("The whole group, with its EVSEs.", EvseGroup, example=examples.EVSE_GROUP),
                problems=["conflict"],
            ),
            Route(
                "DELETE",
                one,
                self.remove,
                "Forget an EVSE group",
                tag,
                {204: Answer("It is gone.")},
                role=KeyRole.PUBLISH,
                parameters=(_ID,),
                problems=["not-found", "conflict"],
            ),
            Route(
                "GET",
                one + "/evses",
                self.evses,
                "List the EVSEs of a group",
                tag,
                {200: Answer("A page, by EvseID.", Page[EvseId])},
                parameters=(_ID, AFTER, LIMIT),
                problems=["not-found"],
            ),
            Route(
                "PATCH",
                one + "/evses",
                self.change,
                "Change the EVSEs of a group",
                tag,
                {200: Answer("The group, and how many EVSEs are in it now.", EvseGroupView)},
                role=KeyRole.PUBLISH,
                parameters=(_ID,),
                body=Body("Which come to it, and which leave it.", MembersChanged, example=examples.MEMBERS),
                problems=["not-found", "conflict"],
            ),
        ]

    async def list(self, call: Call) -> web.Response:
        """Gives the groups of the key's CPOs."""
        page = await self._groups.evse_groups(call.parties(call["party"]), call["after"], call["limit"])
        return respond(page, Page[EvseGroupView])

    async def get(self, call: Call) -> web.Response:
        """Gives one group of the key's CPOs, or one that an offer names which the key may see."""
        return respond(await self._seen(call), EvseGroupView)

    async def put(self, call: Call) -> web.Response:
        """Writes a group with all its EVSEs. Its id is the same for all CPOs, so that an offer can name it."""
        group = await call.json(EvseGroup)
        demand_same(group, id=call["id"])
        call.demand(group.party)
        await self._demand_free(call, group.party)
        is_new = await self._groups.put_evse_group(group, call.who)
        return respond(await self._groups.evse_group(group.id), EvseGroupView, 201 if is_new else 200)

    async def remove(self, call: Call) -> web.Response:
        """Forgets a group that no version in force or to come names."""
        call.demand((await self._seen(call)).party)
        await self._groups.remove_evse_group(call["id"], call.who)
        return web.Response(status=204)

    async def evses(self, call: Call) -> web.Response:
        """Gives the EvseIDs of a group, to whoever may see the group."""
        await self._seen(call)
        return respond(await self._groups.members(call["id"], call["after"], call["limit"]), Page[EvseId])

    async def change(self, call: Call) -> web.Response:
        """Adds EVSEs to a group and takes others from it; what is so already stays so."""
        changed = await call.json(MembersChanged)
        call.demand((await self._seen(call)).party)
        return respond(await self._groups.change_members(call["id"], changed, call.who), EvseGroupView)

    async def _seen(self, call: Call) -> EvseGroupView:
        group = await self._groups.evse_group(call["id"])
        identity, naming = call.identity, OfferFilter(cpo=group.party, evse_group=group.id)
        if not identity.speaks_for(group.party) and not await self._standing.is_named(identity, naming):
            raise NotFound(f"there is no EVSE group {call['id']}")
        return group

    async def _demand_free(self, call: Call, party: PartyId) -> None:
        """Raises the problem 409 where the id is that of another CPO's group."""
        try:
            there = await self._groups.evse_group(call["id"])
        except NotFound:
            return
        if there.party != party:
            detail = "is the id of another CPO's group"
            raise Problem("conflict", "The id is taken", [FieldError(field="id", detail=detail)])
