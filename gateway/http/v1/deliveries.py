"""What is under way to hubs and webhooks, what they refused, and what translations lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Self

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, model_validator

from adapters.core.connection import ConnectionName
from gateway.http.routing import AFTER, LIMIT, Answer, Body, Call, Parameter, Route, respond
from gateway.http.v1.connections import Why
from gateway.http.v1.shapes import Count
from gateway.services.keys import KeyRole
from gateway.services.ports import (
    DeadLetter,
    Deliveries,
    DeliveryState,
    DeliveryView,
    IssueCount,
    Letters,
    MessageFilter,
    MessageState,
    MessageView,
    Network,
    Page,
)

WebhookName = Annotated[str, Field(min_length=1, max_length=100)]
MessageKey = Annotated[str, Field(min_length=1, max_length=300)]
LetterIds = Annotated[tuple[Annotated[int, Field(ge=1, lt=2**63)], ...], Field(min_length=1, max_length=10_000)]


class Replay(BaseModel):
    """Which dead letters to try again: those of the ids, or all of a connection or of a webhook; one of the three."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ids: LetterIds | None = None
    connection: ConnectionName | None = None
    webhook: WebhookName | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if [self.ids, self.connection, self.webhook].count(None) != 2:
            raise ValueError("name either ids, a connection or a webhook")
        return self


class Discard(BaseModel):
    """Which dead letters to give up, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ids: LetterIds
    why: Why


@dataclass(frozen=True, slots=True)
class IssueCounts:
    """Issues, the most frequent first."""

    items: Sequence[IssueCount]


_CONNECTION = Parameter("connection", ConnectionName, "Only this connection.")
_STATE = Parameter("state", DeliveryState, "Only deliveries in this state.")
_OF_MESSAGES = (
    _CONNECTION,
    Parameter("webhook", WebhookName, "Only events to this webhook."),
    Parameter("state", MessageState, "Only messages in this state."),
    Parameter("key", MessageKey, "Only those of a session, CDR or event, by the key that they show."),
)


class DeliveryOperations:
    """`/v1/deliveries`, `/v1/dead-letters` and `/v1/issues`."""

    def __init__(self, deliveries: Deliveries, network: Network) -> None:
        self._deliveries = deliveries
        self._network = network

    def routes(self) -> Sequence[Route]:
        """Names the operations."""
        return [
            Route(
                "GET",
                "/v1/deliveries",
                self.list,
                "List deliveries",
                "Deliveries",
                {200: Answer("A page.", Page[DeliveryView])},
                whole=True,
                parameters=(_CONNECTION, _STATE, AFTER, LIMIT),
                problems=["not-found"],
            ),
            Route(
                "GET",
                "/v1/deliveries/messages",
                self.messages,
                "List messages and events",
                "Deliveries",
                {200: Answer("A page.", Page[MessageView])},
                whole=True,
                parameters=(*_OF_MESSAGES, AFTER, LIMIT),
                problems=["not-found"],
            ),
            Route(
                "GET",
                "/v1/dead-letters",
                self.dead_letters,
                "List dead letters",
                "Deliveries",
                {200: Answer("A page.", Page[DeadLetter])},
                whole=True,
                parameters=(_CONNECTION, AFTER, LIMIT),
                problems=["not-found"],
            ),
            Route(
                "POST",
                "/v1/dead-letters/replay",
                self.replay,
                "Try dead letters again",
                "Deliveries",
                {200: Answer("How many are tried again.", Count)},
                role=KeyRole.ADMIN,
                whole=True,
                body=Body("Which ones.", Replay, example={"connection": "hubject"}),
                problems=["not-found"],
            ),
            Route(
                "POST",
                "/v1/dead-letters/discard",
                self.discard,
                "Give dead letters up",
                "Deliveries",
                {200: Answer("How many are given up.", Count)},
                role=KeyRole.ADMIN,
                whole=True,
                body=Body("Which ones, and why.", Discard, example={"ids": [17], "why": "the station is gone"}),
            ),
            Route(
                "GET",
                "/v1/issues",
                self.issues,
                "Count what translations lost",
                "Issues",
                {200: Answer("Counts by connection, field and kind.", IssueCounts)},
                parameters=(_CONNECTION,),
                problems=["not-found"],
            ),
        ]

    async def list(self, call: Call) -> web.Response:
        """Gives what every hub should know, with how far it has come: one item for each wire key of a connection."""
        page = await self._deliveries.list(call["connection"], call["state"], call["after"], call["limit"])
        return respond(page, Page[DeliveryView])

    async def messages(self, call: Call) -> web.Response:
        """Gives what hubs are told of charges and webhooks of events, one by one and in order: the newest first."""
        which = MessageFilter(call["connection"], call["webhook"], call["state"], call["key"])
        page = await self._deliveries.messages(which, call["after"], call["limit"])
        return respond(page, Page[MessageView])

    async def dead_letters(self, call: Call) -> web.Response:
        """Gives what a hub, a webhook or a translation refused, with the reason in the hub's own words."""
        page = await self._deliveries.dead_letters(call["connection"], call["after"], call["limit"])
        return respond(page, Page[DeadLetter])

    async def replay(self, call: Call) -> web.Response:
        """Puts what was refused back on its lane, rendered anew: a mended mapping or object applies."""
        given = await call.json(Replay)
        letters = Letters(given.ids or (), given.connection, given.webhook)
        return respond(Count(await self._deliveries.replay(letters, call.who)), Count)

    async def discard(self, call: Call) -> web.Response:
        """Gives up what was refused; a later change of an object is tried all the same, a message never again."""
        given = await call.json(Discard)
        return respond(Count(await self._deliveries.discard(given.ids, given.why, call.who)), Count)

    async def issues(self, call: Call) -> web.Response:
        """Counts the issues of the parties that the key speaks for; one object's issues stand at its own address."""
        counts = await self._network.issue_counts(call.identity.parties, call["connection"])
        return respond(IssueCounts(counts), IssueCounts)
