"""Connections to hubs: what there is, how far they go, registration, and what a hub does not have yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from adapters.core.connection import ConnectionName, Mode, Scope
from gateway.http.routing import AFTER, LIMIT, Answer, Body, Call, Parameter, Route, respond
from gateway.http.v1 import examples
from gateway.http.v1.shapes import Count
from gateway.services.keys import KeyRole
from gateway.services.ports import Connections, ConnectionView, Difference

OperationName = Annotated[str, StringConstraints(min_length=1, max_length=60)]
Why = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Token = Annotated[SecretStr, Field(min_length=1, max_length=1000)]


class Given(BaseModel):
    """Base of what this resource takes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NewConnection(Given):
    """A connection to add.

    Attributes:
        name: Chosen by the operator, as `gireve-pp`.
        hub: `gireve` or `hubject`.
        settings: The hub's own, as its page in the docs names them.
    """

    name: ConnectionName
    hub: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    mode: Mode = Mode.OFF
    scope: Scope = Scope()
    settings: dict[str, Any] = {}


class ModeGiven(Given):
    """How far the connection goes from now on."""

    mode: Mode


class Registration(Given):
    """The token that the hub gave for the registration (OCPI: token A), in clear."""

    token: Token


class Adoption(Given):
    """A connection that is live elsewhere.

    Attributes:
        token_ours: What we present to the hub.
        token_theirs: What the hub presents to us.
        endpoints: What the hub told: its versions URL, and endpoint URLs by `module/role`.
    """

    token_ours: Token
    token_theirs: Token
    endpoints: dict[str, Any]


class Reason(Given):
    """Why, for the audit log and whoever looks next."""

    why: Why


@dataclass(frozen=True, slots=True)
class ExpectedToken:
    """The token to hand to the hub (OCPI: token A), in clear. It is shown once."""

    token: str


@dataclass(frozen=True, slots=True)
class ConnectionList:
    """Connections, by name."""

    items: Sequence[ConnectionView]


_NAME = Parameter("name", ConnectionName, "The connection's name.", "path")
_OPERATION = Parameter("operation", OperationName, "Only this operation, as `locations` or `evse_status`.")


class ConnectionOperations:
    """`/v1/connections`."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def routes(self) -> Sequence[Route]:
        """Names the operations."""
        path = "/v1/connections/{name}"
        change = self._change
        return [
            Route(
                "GET",
                "/v1/connections",
                self.list,
                "List connections",
                "Connections",
                {200: Answer("All of them, without secrets.", ConnectionList)},
                whole=True,
            ),
            Route(
                "POST",
                "/v1/connections",
                self.create,
                "Add a connection",
                "Connections",
                {201: Answer("It is added.", ConnectionView)},
                role=KeyRole.ADMIN,
                whole=True,
                body=Body("The connection.", NewConnection, example=examples.CONNECTION),
                problems=["conflict"],
            ),
            Route(
                "GET",
                path,
                self.get,
                "Read a connection",
                "Connections",
                {200: Answer("Its state, and how much waits.", ConnectionView)},
                whole=True,
                parameters=(_NAME,),
                problems=["not-found"],
            ),
            change(
                "PUT",
                "mode",
                self.set_mode,
                "Set a connection's mode",
                Body("The mode.", ModeGiven, example={"mode": "live"}),
            ),
            change(
                "PUT",
                "scope",
                self.set_scope,
                "Set a connection's scope",
                Body("The scope; empty lists mean all.", Scope, example=examples.CONNECTION["scope"]),
            ),
            change(
                "PUT",
                "settings",
                self.set_settings,
                "Set a connection's settings",
                Body(
                    "All of them, as the hub's page in the docs names them.",
                    dict[str, Any],
                    example=examples.CONNECTION["settings"],
                ),
            ),
            Route(
                "DELETE",
                path,
                self.remove,
                "Remove a connection",
                "Connections",
                {204: Answer("It is gone; what its hub has stays there.")},
                role=KeyRole.ADMIN,
                whole=True,
                parameters=(_NAME,),
                problems=["not-found", "conflict"],
            ),
            change(
                "POST",
                "register",
                self.register,
                "Register with the hub",
                Body("The hub's token.", Registration, example={"token": "the token that the hub gave"}),
            ),
            Route(
                "POST",
                path + "/expect",
                self.expect,
                "Expect the hub to register",
                "Connections",
                {200: Answer("The token to hand to the hub.", ExpectedToken)},
                role=KeyRole.ADMIN,
                whole=True,
                parameters=(_NAME,),
                problems=["not-found", "conflict"],
            ),
            change(
                "POST",
                "adopt",
                self.adopt,
                "Adopt a live connection",
                Body("Tokens and endpoints.", Adoption, example=examples.ADOPTION),
            ),
            change(
                "POST",
                "pause",
                self.pause,
                "Pause a connection",
                Body("Why.", Reason, example={"why": "the contract ends today"}),
            ),
            change("POST", "resume", self.resume, "Resume a connection"),
            change("POST", "unregister", self.unregister, "Give the credentials up"),
            Route(
                "POST",
                path + "/resync",
                self.resync,
                "Synchronise everything anew",
                "Connections",
                {202: Answer("How many projections are asked for again.", Count)},
                role=KeyRole.ADMIN,
                whole=True,
                parameters=(_NAME,),
                problems=["not-found", "conflict"],
            ),
            Route(
                "GET",
                path + "/difference",
                self.difference,
                "Read what a hub does not have",
                "Connections",
                {200: Answer("Counts for each operation, and a page of the projections that differ.", Difference)},
                whole=True,
                parameters=(_NAME, _OPERATION, AFTER, LIMIT),
                problems=["not-found"],
            ),
        ]

    @staticmethod
    def _change(method: str, what: str, handler: Any, summary: str, body: Body | None = None) -> Route:
        problems = ["not-found", "conflict"]
        return Route(
            method,
            "/v1/connections/{name}/" + what,
            handler,
            summary,
            "Connections",
            {200: Answer("The connection as it is now.", ConnectionView)},
            role=KeyRole.ADMIN,
            whole=True,
            parameters=(_NAME,),
            body=body,
            problems=[*problems, "hub-failed"] if what in ("register", "unregister") else problems,
        )

    async def list(self, _call: Call) -> web.Response:
        """Gives every connection with its state."""
        return respond(ConnectionList(await self._connections.list()), ConnectionList)

    async def create(self, call: Call) -> web.Response:
        """Adds a connection; off unless a mode is given."""
        new = await call.json(NewConnection)
        view = await self._connections.create(new.name, new.hub, new.mode, new.scope, new.settings, call.who)
        return respond(view, ConnectionView, 201, {"Location": f"/v1/connections/{new.name}"})

    async def get(self, call: Call) -> web.Response:
        """Gives one connection."""
        return respond(await self._connections.get(call["name"]), ConnectionView)

    async def set_mode(self, call: Call) -> web.Response:
        """Sets `off`, `shadow` (everything is rendered, nothing sent) or `live`."""
        given = await call.json(ModeGiven)
        return respond(await self._connections.set_mode(call["name"], given.mode, call.who), ConnectionView)

    async def set_scope(self, call: Call) -> web.Response:
        """Sets what it carries. What leaves the scope is withdrawn from the hub."""
        scope = await call.json(Scope)
        return respond(await self._connections.set_scope(call["name"], scope, call.who), ConnectionView)

    async def set_settings(self, call: Call) -> web.Response:
        """Sets all of the hub's own settings. What would now be sent otherwise is sent."""
        settings = await call.json(dict[str, Any])
        return respond(await self._connections.set_settings(call["name"], settings, call.who), ConnectionView)

    async def remove(self, call: Call) -> web.Response:
        """Forgets a connection that is off and not registered, with its commands, tokens and agreements.

        Sessions and CDRs stay. While its hub has not taken every CDR, or a session has none, it is a conflict.
        """
        await self._connections.remove(call["name"], call.who)
        return web.Response(status=204)

    async def register(self, call: Call) -> web.Response:
        """Starts the registration from our side, where the hub's protocol has one."""
        given = await call.json(Registration)
        token = given.token.get_secret_value()
        return respond(await self._connections.register(call["name"], token, call.who), ConnectionView)

    async def expect(self, call: Call) -> web.Response:
        """Makes a token for a hub that starts the registration itself. An earlier one no longer counts."""
        return respond(ExpectedToken(await self._connections.expect(call["name"], call.who)), ExpectedToken)

    async def adopt(self, call: Call) -> web.Response:
        """Takes a connection over with tokens and endpoints; in shadow mode the first synchronisation only shows."""
        given = await call.json(Adoption)
        view = await self._connections.adopt(
            call["name"],
            given.token_ours.get_secret_value(),
            given.token_theirs.get_secret_value(),
            given.endpoints,
            call.who,
        )
        return respond(view, ConnectionView)

    async def pause(self, call: Call) -> web.Response:
        """Stops it. Nothing is tried and nothing lost."""
        given = await call.json(Reason)
        return respond(await self._connections.pause(call["name"], given.why, call.who), ConnectionView)

    async def resume(self, call: Call) -> web.Response:
        """Lets a paused connection go on."""
        return respond(await self._connections.resume(call["name"], call.who), ConnectionView)

    async def unregister(self, call: Call) -> web.Response:
        """Gives the credentials up. What is queued waits for the next registration."""
        return respond(await self._connections.unregister(call["name"], call.who), ConnectionView)

    async def resync(self, call: Call) -> web.Response:
        """Sends everything again, whatever the hub acknowledged."""
        return respond(Count(await self._connections.resync(call["name"], call.who)), Count, 202)

    async def difference(self, call: Call) -> web.Response:
        """Compares what the hub should have with what it acknowledged."""
        difference = await self._connections.difference(call["name"], call["operation"], call["after"], call["limit"])
        return respond(difference, Difference)
