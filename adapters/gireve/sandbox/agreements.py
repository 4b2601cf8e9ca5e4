"""Who has an agreement with whom at the sandbox IOP: as on Connect Place, a CPO and an EMSP, from a moment to another.

| request | what it does |
| --- | --- |
| `GET /_sandbox/agreements` | what was said |
| `POST /_sandbox/agreements` | a list of `Agreement` to add; of all that fit a pair now, what was said last counts |
| `DELETE /_sandbox/agreements` | everybody has an agreement with everybody again, as at the beginning |

Without one an EMSP sees nothing of a CPO, its drivers are not authorised there (OCPI's NOT_ALLOWED), and its starts and
reservations are not passed on. Stops, sessions and CDRs are: they belong to charges that began under an agreement.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Self

from aiohttp import web
from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter, ValidationError, model_validator

from adapters.core.sandbox import PREFIX
from adapters.gireve.sandbox.serving import problem
from mappings.canonical.ids import PartyId


class Agreement(BaseModel):
    """Says that a CPO and an EMSP have an agreement, or have none.

    Attributes:
        cpo, emsp: Every one where it is None.
        since, until: The first moment, and the first that is too late.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    cpo: PartyId | None = None
    emsp: PartyId | None = None
    agreed: bool = True
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.since is not None and self.until is not None and self.until <= self.since:
            raise ValueError("until: is not after since")
        return self

    def fits(self, cpo: PartyId, emsp: PartyId, now: datetime) -> bool:
        """Tells whether it speaks of a pair, now."""
        pair = self.cpo in {None, cpo} and self.emsp in {None, emsp}
        return pair and (self.since is None or self.since <= now) and (self.until is None or now < self.until)


_AGREEMENTS: TypeAdapter[list[Agreement]] = TypeAdapter(list[Agreement])


class Agreements:
    """All that was said.

    Args:
        wall: The time of day.
    """

    def __init__(self, wall: Callable[[], datetime]) -> None:
        self._wall = wall
        self._said: list[Agreement] = []

    def routes(self) -> list[web.RouteDef]:
        """Gives the control routes."""
        return [
            web.get(f"{PREFIX}/agreements", self._show),
            web.post(f"{PREFIX}/agreements", self._add),
            web.delete(f"{PREFIX}/agreements", self._forget),
        ]

    @property
    def for_all(self) -> bool:
        """Whether nothing was said, so that everybody has one with everybody."""
        return not self._said

    def agreed(self, cpo: PartyId, emsp: PartyId) -> bool:
        """Tells whether a CPO and an EMSP have an agreement now."""
        now = self._wall()
        return next((each.agreed for each in reversed(self._said) if each.fits(cpo, emsp, now)), True)

    def any_agreed(self, cpo: PartyId, emsps: Iterable[PartyId]) -> bool:
        """Tells whether one of several EMSPs has; of a platform that presents none, nobody is kept away."""
        several = list(emsps)
        return not several or any(self.agreed(cpo, emsp) for emsp in several)

    async def _show(self, _request: web.Request) -> web.Response:
        return web.json_response(_AGREEMENTS.dump_python(self._said, mode="json"))

    async def _add(self, request: web.Request) -> web.Response:
        try:
            self._said += _AGREEMENTS.validate_json(await request.read())
        except ValidationError as error:
            return problem(400, str(error))
        return await self._show(request)

    async def _forget(self, request: web.Request) -> web.Response:
        self._said.clear()
        return await self._show(request)
