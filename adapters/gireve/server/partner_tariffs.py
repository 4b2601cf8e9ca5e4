"""The Receiver interface of tariffs (OCPI 2.2.1, mod_tariffs).

IOP itself pushes none to EMSPs, who pull them (guide, EMSP side, tariffs). An id may stand for several tariffs: one for
all, and one for each EMSP that the CPO targets; GET and DELETE may name the target as the tariff itself does.
"""

from collections.abc import Sequence

from aiohttp import web

from adapters.core.digest import digest
from adapters.gireve.home import home_of
from adapters.gireve.server.asked import LARGE, Asked, Failure, Given
from adapters.gireve.server.bodies import parsed
from adapters.gireve.server.requests import RECEIVER, Desk
from adapters.gireve.settings import Settings
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import Tariff
from mappings.ocpi.dialects import gireve_tariffs
from mappings.ocpi.envelope import StatusCode
from mappings.ocpi.v2_2_1 import paths
from mappings.ocpi.v2_2_1.enums import InterfaceRole, ModuleId
from mappings.ocpi.v2_2_1.versions import Endpoint
from mappings.report import Refused

_TARIFFS = f"{RECEIVER}/tariffs"
_COUNTRY, _PARTY = "target_operator_country_code", "target_operator_party_id"


class PartnerTariffs:
    """Implements `Module` for the tariffs of partners."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._catalogue = desk.gateway.catalogue

    def routes(self) -> Sequence[web.RouteDef]:
        """Gives the routes."""
        one = f"{_TARIFFS}/{{country}}/{{party}}/{{tariff}}"
        return [
            self._desk.route(method, one, "partner_tariffs", handler)
            for method, handler in (("GET", self._get), ("PUT", self._put), ("DELETE", self._delete))
        ]

    def endpoints(self, settings: Settings) -> Sequence[Endpoint]:  # noqa: ARG002  # always served
        """Gives what the version details name of it."""
        return [Endpoint(ModuleId.TARIFFS, InterfaceRole.RECEIVER, self._desk.url(_TARIFFS))]

    async def _get(self, asked: Asked) -> Given:
        found = await self._catalogue.tariff(asked.connection, asked.owner(), _id(asked), _target(asked))
        if found is None:
            raise _unknown()
        try:
            return Given(gireve_tariffs.from_canonical(found)[0])
        except Refused as refused:
            raise Failure(404, StatusCode.CLIENT_ERROR, f"it cannot be told: {refused}") from None

    async def _put(self, asked: Asked) -> Given:
        party = asked.owner()

        def read(body: bytes) -> tuple[Tariff, bytes]:
            raw = parsed(body)
            tariff, _ = gireve_tariffs.to_canonical(raw, self._desk.now())
            paths.of_tariff(tariff, party, _id(asked))
            return tariff, digest(raw)

        tariff, digested = await asked.read(read, LARGE)
        if (
            tariff.target is not None
            and tariff.target not in await home_of(asked.connection, self._desk.gateway).emsps()
        ):
            return Given()  # it is no price of our drivers', and nobody else's concern here
        new = await self._catalogue.put_tariff(asked.connection, tariff, digested)
        return Given(status=201 if new else 200)

    async def _delete(self, asked: Asked) -> Given:
        target = _target(asked)
        # Without a target it is not said which is meant, and OCPI itself has one tariff of an id.
        variant = None if target is None else target.normal
        if not await self._catalogue.withdraw_tariff(asked.connection, asked.owner(), _id(asked), variant):
            raise _unknown()
        return Given()


def _id(asked: Asked) -> str:
    return asked.request.match_info["tariff"]


def _target(asked: Asked) -> PartyId | None:
    query = asked.request.query
    if _COUNTRY not in query and _PARTY not in query:
        return None
    try:
        return PartyId.of(query.get(_COUNTRY, ""), query.get(_PARTY, ""))
    except ValueError:
        raise Failure(400, StatusCode.INVALID_PARAMETERS, f"{_PARTY}: not a party") from None


def _unknown() -> Failure:
    return Failure(404, StatusCode.CLIENT_ERROR, "unknown tariff")
