"""The tokens of our own drivers."""

from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web

from gateway.http import bodies
from gateway.http.problems import Problem
from gateway.http.routing import AFTER, LIMIT, Answer, Body, Call, Parameter, Route, adapter_of, respond
from gateway.http.v1 import objects
from gateway.http.v1.bulk import Bulk
from gateway.http.v1.shapes import BulkSummary, HubIssues, HubIssueShown, Written
from gateway.services.keys import KeyRole
from gateway.services.ports import Page, PutResult
from gateway.services.ports.driver_tokens import (
    DriverId,
    DriverToken,
    DriverTokenFilter,
    DriverTokens,
    StoredDriverToken,
    Switched,
    Whose,
)
from mappings.canonical.ids import ContractId, PartyId
from mappings.canonical.tokens import TokenType, TokenUid

_PARTY = Parameter("party", PartyId, "The EMSP, `FR*XYZ`; the asterisk may be left out.", "path")
_TYPE = Parameter("type", TokenType, "The token's type.", "path")
_UID = Parameter("uid", TokenUid, "The token's uid, in any case.", "path")
_DRIVER = Parameter("driver", DriverId, "Your own id of the driver.", "path")
_CONTRACT = Parameter("contract", ContractId, "The contract, with or without separators and check digit.", "path")
_ONE = (_PARTY, _TYPE, _UID)
_FILTERS = (
    Parameter("party", PartyId, "Only this EMSP's."),
    Parameter("driver", DriverId, "Only this driver's, by your own id."),
    Parameter("contract", ContractId, "Only those of this contract."),
    Parameter("uid", TokenUid, "Only those with this uid, in any case."),
)
_PATH = "/v1/driver-tokens/{party}/{type}/{uid}"

_TOKEN: Final[dict[str, Any]] = {
    "party": "FR*XYZ",
    "uid": "04A2B3C4D5E680",
    "type": "RFID",
    "contract_id": "FR-XYZ-C12345678",
    "issuer": "XYZ Mobility",
    "valid": True,
    "whitelist": "ALLOWED",
    "driver": "d-4711",
    "last_updated": "2026-03-01T11:00:00Z",
}


class DriverTokenOperations:
    """`/v1/driver-tokens`, `/v1/drivers` and `/v1/contracts`."""

    def __init__(self, tokens: DriverTokens) -> None:
        self._tokens = tokens

    def routes(self) -> Sequence[Route]:
        """Names the operations."""
        written = {200: Answer("It is stored.", Written), 201: Answer("It is new.", Written)}
        return [
            Route(
                "GET",
                "/v1/driver-tokens",
                self.list,
                "List driver tokens",
                "Driver tokens",
                {200: Answer("A page.", Page[StoredDriverToken])},
                parameters=(*_FILTERS, AFTER, LIMIT),
            ),
            Route(
                "POST",
                "/v1/driver-tokens",
                self.bulk,
                "Write many driver tokens",
                "Driver tokens",
                {200: Answer("What came of the lines.", BulkSummary)},
                role=KeyRole.PUBLISH,
                body=Body("One token a line, any number of lines.", DriverToken, bodies.NDJSON, _TOKEN),
            ),
            Route(
                "GET",
                _PATH,
                self.get,
                "Read a driver token",
                "Driver tokens",
                {200: Answer("The token.", DriverToken)},
                parameters=_ONE,
                problems=["not-found", "withdrawn"],
            ),
            Route(
                "PUT",
                _PATH,
                self.put,
                "Write a driver token",
                "Driver tokens",
                written,
                role=KeyRole.PUBLISH,
                parameters=_ONE,
                body=Body("The whole token.", DriverToken, example=_TOKEN),
                problems=["conflict", "revision"],
            ),
            Route(
                "DELETE",
                _PATH,
                self.delete,
                "Withdraw a driver token",
                "Driver tokens",
                {204: Answer("It is withdrawn, and hubs will be told.")},
                role=KeyRole.PUBLISH,
                parameters=_ONE,
                problems=["not-found"],
            ),
            Route(
                "GET",
                _PATH + "/issues",
                self.issues,
                "Read what translations lost of a driver token",
                "Issues",
                {200: Answer("Issues of the token on the way in, and of each hub's translation.", HubIssues)},
                parameters=_ONE,
                problems=["not-found"],
            ),
            _switch("/v1/drivers/{party}/{driver}/block", self.block, "Block a driver", _DRIVER),
            _switch("/v1/drivers/{party}/{driver}/unblock", self.unblock, "Unblock a driver", _DRIVER),
            _switch("/v1/contracts/{party}/{contract}/block", self.block_contract, "Block a contract", _CONTRACT),
            _switch("/v1/contracts/{party}/{contract}/unblock", self.unblock_contract, "Unblock a contract", _CONTRACT),
        ]

    async def list(self, call: Call) -> web.Response:
        """Gives tokens in the order of EMSP, type and uid, withdrawn ones too."""
        wanted = DriverTokenFilter(call.parties(call["party"]), call["driver"], call["contract"], call["uid"])
        return respond(await self._tokens.list(wanted, call["after"], call["limit"]), Page[StoredDriverToken])

    async def bulk(self, call: Call) -> web.Response:
        """Reads one token a line, as for locations."""

        async def put(batch: objects.Batch[DriverToken]) -> Sequence[PutResult]:
            return await self._tokens.put(batch, call.who)

        return respond(await Bulk[DriverToken](call, adapter_of(DriverToken), put).run(), BulkSummary)

    async def get(self, call: Call) -> web.Response:
        """Gives a token as it was written; its uid in the spelling that it had first."""
        party: PartyId = call.demand(call["party"])
        stored = await self._tokens.get(party, call["type"], call["uid"])
        if stored is None:
            raise _missing(party)
        if stored.withdrawn:
            raise Problem("withdrawn", f"The token of {party} was withdrawn")
        return objects.answer_stored(stored.token, stored.revision, stored.updated)

    async def put(self, call: Call) -> web.Response:
        """Writes a token whole. With `If-Match`, only over that revision.

        A uid that differs from a stored one by case only is the same token, and keeps the spelling that it had first.
        """
        party = call.demand(call["party"])
        token = await call.json(DriverToken)
        named = token.model_copy(update={"uid": token.uid.upper()})
        objects.demand_same(named, party=party, type=call["type"], uid=call["uid"].upper())
        revision = await objects.expected_revision(call, lambda: self._tokens.get(party, call["type"], call["uid"]))
        [result] = await self._tokens.put([(token, ())], call.who, if_revision=revision)
        return objects.answer_written(result)

    async def delete(self, call: Call) -> web.Response:
        """Takes a token out of use at every hub at once."""
        party: PartyId = call.demand(call["party"])
        if not await self._tokens.withdraw(party, call["type"], call["uid"], call.who):
            raise _missing(party)
        return web.Response(status=204)

    async def issues(self, call: Call) -> web.Response:
        """Says what was noticed when the token came in, and what was lost at each hub."""
        party: PartyId = call.demand(call["party"])
        if await self._tokens.get(party, call["type"], call["uid"]) is None:
            raise _missing(party)
        issues = await self._tokens.issues(party, call["type"], call["uid"])
        return respond(HubIssues([HubIssueShown.of(issue) for issue in issues]), HubIssues)

    async def block(self, call: Call) -> web.Response:
        """Makes every token of a driver invalid, in one transaction.

        From then on every hub that asks for the driver is told no; hubs that keep tokens themselves are told at once.
        """
        return await self._switch(call, valid=False)

    async def unblock(self, call: Call) -> web.Response:
        """Makes every token of a driver valid, in one transaction."""
        return await self._switch(call, valid=True)

    async def block_contract(self, call: Call) -> web.Response:
        """Makes every token of a contract invalid, as for a driver."""
        return await self._switch(call, valid=False)

    async def unblock_contract(self, call: Call) -> web.Response:
        """Makes every token of a contract valid, in one transaction."""
        return await self._switch(call, valid=True)

    async def _switch(self, call: Call, *, valid: bool) -> web.Response:
        party = call.demand(call["party"])
        whose = Whose(party, call.arguments.get("driver"), call.arguments.get("contract"))
        return respond(await self._tokens.switch(whose, call.who, valid=valid), Switched)


def _switch(path: str, handler: Any, summary: str, whose: Parameter) -> Route:
    return Route(
        "POST",
        path,
        handler,
        summary,
        "Driver tokens",
        {200: Answer("How many tokens there are, and how many were not so already.", Switched)},
        role=KeyRole.PUBLISH,
        parameters=(_PARTY, whose),
        problems=["not-found"],
    )


def _missing(party: PartyId) -> Problem:
    return Problem("not-found", f"{party} has no such token")
