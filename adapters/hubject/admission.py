"""Who may have something done: whether Hubject calls, and whether whom it names belongs together."""

from typing import Final, TypeAlias, TypeVar

import structlog
from aiohttp import web
from pydantic import ValidationError

from adapters.core.connection import Connection
from adapters.core.hub import Gateway
from adapters.core.peers import KnownCertificate, known, on_loopback
from adapters.core.validated import Validated
from adapters.hubject.settings import HubjectSettings, Settings
from mappings.canonical.commands import CancelReservation, ReserveNow, StartSession, StopSession
from mappings.canonical.ids import PartyId
from mappings.oicp.v2_3.commands import DATA_ERROR, FOREIGN_DRIVER, UNAUTHORISED

HUB: Final = "hubject"
S = TypeVar("S", bound=HubjectSettings)

_log = structlog.get_logger(__name__)

Order: TypeAlias = StartSession | StopSession | ReserveNow | CancelReservation
"""What Hubject has a CPO do."""


class Refusal(Exception):
    """A command that is not carried out.

    Attributes:
        code: One of OICP's.
        text: Goes beside the code's own.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


async def admitted(
    request: web.Request, gateway: Gateway, validated: Validated[S]
) -> tuple[Connection, S, KnownCertificate | None]:
    """Finds the connection that is called, and makes sure that it is Hubject who calls.

    Args:
        validated: The settings of the role whose operation is called.

    Returns:
        The certificate is None for a sandbox that needs none.

    Raises:
        Refusal: It is not. Nothing tells whether there is such a connection.
    """
    stranger = Refusal(UNAUTHORISED, "the client certificate is missing or not Hubject's")
    connection = await gateway.registry.by_name(request.match_info["connection"])
    if connection is None or connection.hub != HUB:
        raise stranger
    try:
        settings = validated.of(connection)
    except ValidationError:  # the connection plays the other role
        raise stranger from None
    shown = gateway.peers.shown(request)
    certificate = known(shown, settings.hub_certificates)
    if certificate is None and not (settings.sandbox and settings.trust_loopback and on_loopback(request)):
        if shown is not None:
            # For whoever sets a connection up: this is what Hubject shows, or somebody else.
            _log.warning("unknown client certificate", connection=connection.name, shown=str(shown))
        raise stranger
    return connection, settings, certificate


def check_names(in_path: str, order: Order, certificate: KnownCertificate | None, settings: Settings) -> None:
    """Checks the names in an order: those of path and body, of the certificate, and the driver's.

    OICP 2.3, Security: the ProviderID is held against the certificate, else 017. Hubject's own speaks for every
    provider, unless the settings bind it to some.

    Args:
        in_path: The ProviderID there.
        certificate: That was shown; None for a sandbox that needs none.

    Raises:
        Refusal: A ProviderID is missing or malformed (022), the two differ or are not the certificate's (017), or the
            driver is somebody else's (019).
    """
    if order.emsp is None:
        raise Refusal(DATA_ERROR, "ProviderID: missing, or not the id of a provider")
    try:
        provider = PartyId(in_path)
    except ValueError:
        raise Refusal(DATA_ERROR, "the path names no provider") from None
    if provider != order.emsp:
        raise Refusal(UNAUTHORISED, "the ProviderIDs of path and body differ")
    if certificate is not None and not certificate.speaks_for(provider):
        raise Refusal(UNAUTHORISED, f"the certificate does not speak for {provider}")
    if settings.sub_providers is not None:
        _check_driver(order, provider, settings.sub_providers.get(provider, frozenset()))


def _check_driver(order: Order, provider: PartyId, others: frozenset[PartyId]) -> None:
    """Checks that a driver is the provider's or of one that it speaks for.

    OICP 2.3, Hub Provider and Hub Operator: who bundles others names itself as the provider, and their drivers'
    EvcoIDs are the others'. Hubject holds it to that, so that it is checked again only where the settings ask for it.

    Raises:
        Refusal: The driver is somebody else's.
    """
    if not isinstance(order, StartSession | ReserveNow):
        return
    contract = order.leg.identification.contract_id
    owner = None if contract is None else contract.party
    if owner is not None and owner != provider and owner not in others:
        raise Refusal(FOREIGN_DRIVER, f"EvcoID: not of {provider}")
