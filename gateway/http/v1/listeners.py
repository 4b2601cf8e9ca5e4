"""Webhooks, which are told of events, and call-outs, which are asked for the backend's word."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from adapters.core.connection import ConnectionName
from gateway.events.writing import EventType
from gateway.http.routing import Answer, Body, Call, Parameter, Route, respond
from gateway.http.v1 import examples
from gateway.services.keys import KeyRole
from gateway.services.ports import Invalid
from gateway.services.ports.events import HookChange, HookView, Listeners, Question, Tested
from mappings.canonical.commands import CommandResult
from mappings.canonical.ids import PartyId

Url = Annotated[str, StringConstraints(min_length=8, max_length=1000, pattern=r"^https?://\S+$")]
Parties = Annotated[tuple[PartyId, ...], Field(max_length=1000)]


class Given(BaseModel):
    """Base of what these resources take."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NewWebhook(Given):
    """A webhook to add.

    Attributes:
        name: Chosen by the operator.
        url: https; http only for hosts of an internal network.
        types: Events that it is told of, with or without `roamgate.`; none for all.
        parties: Whose; none for all.
    """

    name: ConnectionName
    url: Url
    types: tuple[EventType, ...] = ()
    parties: Parties = ()


class WebhookChange(Given):
    """What is to change; what is left out stays."""

    url: Url | None = None
    types: tuple[EventType, ...] | None = None
    parties: Parties | None = None
    active: bool | None = None


class NewCallOut(Given):
    """A call-out to add.

    Attributes:
        name: Chosen by the operator.
        url: https; http only for hosts of an internal network.
        types: Questions that it is asked; none for all.
        parties: Whose; none for all. Who names the party is asked before who names none.
        silence: What a command counts as answered by when no answer comes in time.
    """

    name: ConnectionName
    url: Url
    types: tuple[Question, ...] = ()
    parties: Parties = ()
    silence: CommandResult = CommandResult.TIMEOUT


class CallOutChange(Given):
    """What is to change; what is left out stays."""

    url: Url | None = None
    types: tuple[Question, ...] | None = None
    parties: Parties | None = None
    active: bool | None = None
    silence: CommandResult | None = None


@dataclass(frozen=True, slots=True)
class ListenerList:
    """All of them, by name."""

    items: Sequence[HookView]


@dataclass(frozen=True, slots=True)
class Disclosed:
    """What there is now, with its secret, which is shown this once.

    Attributes:
        secret: `whsec_` and 256 bits in Base64: the key of the signatures, by the Standard Webhooks scheme.
    """

    listener: HookView
    secret: str


_NAME = Parameter("name", ConnectionName, "Its name.", "path")


@dataclass(frozen=True, slots=True)
class _Words:
    """How one of the two is spoken of."""

    path: str
    tag: str
    one: str
    example: Mapping[str, Any]


class _ListenerOperations:
    """What both have in common."""

    def __init__(self, listeners: Listeners, words: _Words, new: type[Given], change: type[Given]) -> None:
        self._listeners = listeners
        self._words = words
        self._new = new
        self._change = change

    def routes(self) -> Sequence[Route]:
        """Names the operations."""
        one = self._words.one
        at = f"{self._words.path}/{{name}}"
        return [
            self._route("GET", self._words.path, self.list, f"List {one}s", {200: Answer("All.", ListenerList)}),
            self._route(
                "POST",
                self._words.path,
                self.create,
                f"Add a {one}",
                {201: Answer("It is added; its secret is shown this once.", Disclosed)},
                body=Body(f"The {one}.", self._new, example=self._words.example),
                problems=["conflict"],
            ),
            self._named("GET", at, self.get, f"Read a {one}", {200: Answer(f"The {one}.", HookView)}),
            self._named(
                "PATCH",
                at,
                self.change,
                f"Change a {one}",
                {200: Answer(f"The {one} as it is now.", HookView)},
                body=Body("What is to change.", self._change, example={"active": False}),
            ),
            self._named("DELETE", at, self.remove, f"Remove a {one}", {204: Answer("It is gone.")}),
            self._named(
                "POST",
                at + "/rotate",
                self.rotate,
                f"Change a {one}'s secret",
                {200: Answer("The new secret, which is shown this once.", Disclosed)},
            ),
        ]

    def _route(
        self, method: str, path: str, handler: Any, summary: str, answers: Mapping[int, Answer], **more: Any
    ) -> Route:
        return Route(method, path, handler, summary, self._words.tag, answers, role=KeyRole.ADMIN, whole=True, **more)

    def _named(
        self, method: str, path: str, handler: Any, summary: str, answers: Mapping[int, Answer], **more: Any
    ) -> Route:
        return self._route(method, path, handler, summary, answers, parameters=(_NAME,), problems=["not-found"], **more)

    async def list(self, _call: Call) -> web.Response:
        """Gives all of them, without their secrets."""
        return respond(ListenerList(await self._listeners.list()), ListenerList)

    async def create(self, call: Call) -> web.Response:
        """Adds one. Requests to it are signed by the Standard Webhooks scheme with the secret that this answers."""
        new: Any = await call.json(self._new)
        silence = getattr(new, "silence", None)
        view, secret = await self._listeners.create(
            new.name, new.url, _texts(new.types), new.parties, silence and silence.value, call.who
        )
        headers = {"Location": f"{self._words.path}/{new.name}", "Cache-Control": "no-store"}
        return respond(Disclosed(view, secret), Disclosed, 201, headers)

    async def get(self, call: Call) -> web.Response:
        """Gives one, without its secret."""
        return respond(await self._listeners.get(call["name"]), HookView)

    async def change(self, call: Call) -> web.Response:
        """Changes one: where it is, what it hears of, and whether it hears of anything."""
        given: Any = await call.json(self._change)
        if not given.model_fields_set:
            raise Invalid(("", "names nothing to change"))
        silence = getattr(given, "silence", None)
        change = HookChange(
            given.url,
            None if given.types is None else _texts(given.types),
            given.parties,
            given.active,
            silence and silence.value,
        )
        return respond(await self._listeners.change(call["name"], change, call.who), HookView)

    async def remove(self, call: Call) -> web.Response:
        """Removes one, with all that it was not told yet."""
        await self._listeners.remove(call["name"], call.who)
        return web.Response(status=204)

    async def rotate(self, call: Call) -> web.Response:
        """Makes a new secret. For a day requests are signed with the one before, too."""
        view, secret = await self._listeners.rotate(call["name"], call.who)
        return respond(Disclosed(view, secret), Disclosed, headers={"Cache-Control": "no-store"})


def _texts(types: Sequence[StrEnum]) -> list[str]:
    return sorted({one.value for one in types})


class WebhookOperations(_ListenerOperations):
    """`/v1/webhooks`."""

    def __init__(self, listeners: Listeners) -> None:
        super().__init__(
            listeners, _Words("/v1/webhooks", "Webhooks", "webhook", examples.WEBHOOK), NewWebhook, WebhookChange
        )

    def routes(self) -> Sequence[Route]:
        """Names the operations."""
        path = "/v1/webhooks/{name}/test"
        answers = {200: Answer("What came of it.", Tested)}
        return [*super().routes(), self._named("POST", path, self.test, "Try a webhook", answers)]

    async def test(self, call: Call) -> web.Response:
        """Tells a made-up event `roamgate.webhook.test`, now and once, whether or not the webhook is active."""
        return respond(await self._listeners.test(call["name"]), Tested)


class CallOutOperations(_ListenerOperations):
    """`/v1/call-outs`."""

    def __init__(self, listeners: Listeners) -> None:
        super().__init__(
            listeners, _Words("/v1/call-outs", "Call-outs", "call-out", examples.CALL_OUT), NewCallOut, CallOutChange
        )
