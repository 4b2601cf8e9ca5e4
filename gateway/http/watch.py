"""What those who run the gateway look at: figures, health, and the API's description."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from gateway.http import openapi, page
from gateway.http.routing import Answer, Call, Route, respond
from gateway.metrics import Exposition
from gateway.services.ports import Readiness

_METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the process serves.

    Attributes:
        ok: All checks passed.
        checks: `ok`, or what is wrong, by check.
    """

    ok: bool
    checks: Mapping[str, str]


class WatchOperations:
    """`/metrics`, `/healthz`, `/readyz`; no key is needed, so they show nothing of anybody's data."""

    def __init__(self, exposition: Exposition, readiness: Readiness) -> None:
        self._exposition = exposition
        self._readiness = readiness

    def routes(self) -> Sequence[Route]:
        """Names the operations."""
        return [
            Route(
                "GET",
                "/healthz",
                self.alive,
                "Ask whether the process is alive",
                "Health",
                {200: Answer("It is.", Health)},
                role=None,
            ),
            Route(
                "GET",
                "/readyz",
                self.ready,
                "Ask whether the process can serve",
                "Health",
                {200: Answer("It can.", Health), 503: Answer("It cannot, and why.", Health)},
                role=None,
            ),
            Route(
                "GET",
                "/metrics",
                self.metrics,
                "Read figures",
                "Health",
                {200: Answer("All figures, in the text format of Prometheus.", bytes, "text/plain")},
                role=None,
            ),
        ]

    async def alive(self, _call: Call) -> web.Response:
        """Answers without touching anything else: a process that cannot reach its database is not to be killed."""
        return respond(Health(True, {}), Health)

    async def ready(self, _call: Call) -> web.Response:
        """Checks the database, its migrations and the dispatcher."""
        faults = await self._readiness.faults()
        ok = not any(faults.values())
        checks = {name: fault or "ok" for name, fault in faults.items()}
        return respond(Health(ok, checks), Health, 200 if ok else 503)

    async def metrics(self, _call: Call) -> web.Response:
        """Gives all figures; those of the store are some seconds old at most."""
        return web.Response(body=await self._exposition.render(), headers={"Content-Type": _METRICS_TYPE})


class DescriptionOperations:
    """`/v1/openapi.json` and `/docs`.

    Args:
        described: Every operation of the API; this class adds its own.
    """

    def __init__(self, described: Sequence[Route], release: str) -> None:
        self._described = described
        self._release = release
        self._document: bytes | None = None

    def routes(self) -> Sequence[Route]:
        """Names the operations."""
        return [
            Route(
                "GET",
                "/v1/openapi.json",
                self.openapi,
                "Read this description",
                "Description",
                {200: Answer("The OpenAPI document.", dict)},
                role=None,
            ),
            Route(
                "GET",
                "/docs",
                self.docs,
                "Read this description as a page",
                "Description",
                {200: Answer("A page that needs nothing from elsewhere.", bytes, "text/html")},
                role=None,
            ),
        ]

    async def openapi(self, _call: Call) -> web.Response:
        """Gives the OpenAPI 3.1 document, made from what serves the requests."""
        if self._document is None:
            self._document = openapi.document([*self._described, *self.routes()], self._release)
        return web.Response(body=self._document, content_type="application/json")

    async def docs(self, _call: Call) -> web.Response:
        """Gives a page for people."""
        return web.Response(body=page.HTML, content_type="text/html", charset="utf-8", headers=page.HEADERS)
