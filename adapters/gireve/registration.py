"""Registering with IOP, begun by either side (OCPI 2.2.1, credentials and versions; guide, Connection And Register).

Gireve has no update of credentials: whoever wants to change them unregisters and registers again. We do the same, and
still answer a PUT as OCPI says.
"""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Self

from pydantic import ValidationInfo, model_validator
from tenacity import AsyncRetrying, RetryCallState, retry_if_result, stop_after_attempt, wait_exponential_jitter

from adapters.core import ocpi
from adapters.core.connection import Connection
from adapters.core.http import Answer, Reply, UrlRefused, compact_json
from adapters.core.hub import Gateway, RegistrationFailed, RegistrationOutOfPlace
from adapters.core.inbound import Observer
from adapters.core.ocpi import Endpoints
from adapters.core.outcomes import Delivered, NotSent, Outcome, OutcomeUnknown, Throttled, words
from adapters.gireve.client import make_client
from adapters.gireve.errors import judge
from adapters.gireve.settings import Settings
from mappings.canonical.parties import Party, Role
from mappings.ocpi.v2_2_1 import credentials, versions
from mappings.ocpi.v2_2_1.credentials import Credentials
from mappings.ocpi.v2_2_1.enums import InterfaceRole, ModuleId
from mappings.report import Refused

WHO = "gireve"
"""Who did it, in the audit log, where IOP did."""

VERSIONS_PATH = "/ocpi/versions"
_PASSING = (NotSent, OutcomeUnknown, Throttled)


class VersionRefused(RegistrationFailed):
    """The platforms have no version in common, or one lacks an endpoint that the other needs."""


def new_token() -> str:
    """Makes a token for IOP to present to us: 43 characters that OCPI allows, 256 bits."""
    return secrets.token_urlsafe(32)


async def our_credentials(connection: Connection, gateway: Gateway, settings: Settings, token: str) -> dict[str, Any]:
    """Writes our credentials object.

    Raises:
        RegistrationFailed: The connection speaks for no party, or for one that OCPI cannot name.
    """
    known: Sequence[Party] = settings.parties or await gateway.published.parties(connection)
    parties = [_as_played(party, settings) for party in known if party.roles & settings.roles]
    if not parties:
        missing = f"the connection speaks for no party that is {' or '.join(sorted(settings.roles))}; OCPI demands one"
        raise RegistrationOutOfPlace(f"{missing}: write it (PUT /v1/parties), or name it in the settings")
    try:
        ours = Credentials(token, gateway.public_url + VERSIONS_PATH, tuple(parties))
        return credentials.from_canonical(ours)[0]
    except Refused as refused:
        raise RegistrationFailed(f"our credentials: {refused}") from None


def _as_played(party: Party, settings: Settings) -> Party:
    """Gives a party with the roles alone that it plays over the connection."""
    return party.model_copy(update={"roles": party.roles & settings.roles})


def check_identity(parties: Sequence[Party], settings: Settings) -> None:
    """Makes sure that we speak with the platform that the settings name: pushes are addressed to its party.

    Raises:
        Refused: It presents itself as another hub.
    """
    hubs = [party.id for party in parties if Role.HUB in party.roles]
    if hubs and settings.hub_party not in hubs:
        named = ", ".join(map(str, hubs))
        raise Refused("roles", f"the platform is {named}; {settings.environment} is {settings.hub_party}")


def needed(settings: Settings) -> list[str]:
    """Names the endpoints that we call whatever is agreed upon, as in `Endpoints.modules`."""
    modules = [ModuleId.LOCATIONS] if settings.is_cpo else []
    if settings.is_cpo and settings.push_tariffs:
        modules.append(ModuleId.TARIFFS)
    if settings.is_emsp:
        modules.append(ModuleId.TOKENS)
    return [str(ModuleId.CREDENTIALS), *(f"{module}/{InterfaceRole.RECEIVER}" for module in modules)]


class AdoptedEndpoints(Endpoints):
    """Endpoints of a connection that is live elsewhere: complete, and such as may be called."""

    @model_validator(mode="after")
    def _complete(self, info: ValidationInfo) -> Self:
        settings = Settings.model_validate((info.context or {})["settings"])
        if missing := [name for name in needed(settings) if name not in self.modules]:
            raise ValueError(f"modules: {', '.join(missing)} is missing")
        for name, url in self.modules.items():
            try:
                settings.checked(url)
            except UrlRefused as refused:
                raise ValueError(f"modules: {name} may not be called: {refused}") from None
        return self


class Handshake:
    """The requests of a registration towards IOP. An asynchronous context manager, which closes its sockets."""

    def __init__(self, connection: Connection, settings: Settings, observer: Observer, token: str) -> None:
        self._settings = settings
        self._token = token
        self._client = make_client(connection, settings, observer, limit=1)

    async def __aenter__(self) -> "Handshake":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def endpoints(self, versions_url: str) -> Endpoints:
        """Fetches the versions, and the endpoints of 2.2.1.

        Raises:
            VersionRefused: 2.2.1 or an endpoint that we need is not offered.
            RegistrationFailed: They cannot be fetched, or a URL may not be called.
        """
        listed = await self._get(versions_url, "versions")
        try:
            offered, _ = versions.versions_to_canonical(listed)
            url = next((each.url for each in offered if each.version == versions.VERSION), None)
            if url is None:
                raise VersionRefused(f"{versions.VERSION} is not offered")
            details, _ = versions.to_canonical(await self._get(url, "version details"))
        except Refused as refused:
            raise RegistrationFailed(f"versions: {refused}") from None
        found = {}
        for each in details.endpoints:
            name = str(each.module)
            found[name if each.module == ModuleId.CREDENTIALS else f"{name}/{each.role}"] = self._checked(each.url)
        for module in needed(self._settings):
            if module not in found:
                raise VersionRefused(f"the platform has no endpoint {module}")
        return Endpoints(versions=versions_url, modules=found)

    async def post(self, url: str, ours: dict[str, Any]) -> Credentials:
        """Posts our credentials, once; gives the platform's.

        Raises:
            RegistrationFailed: They were not taken, or it is unknown whether they were.
        """
        reply = await self._request("POST", url, compact_json(ours))
        if reply.answer is not None and reply.answer.status == 405:
            raise RegistrationFailed("the platform holds us for registered: have it unregister us first")
        try:
            theirs, _ = credentials.to_canonical(ocpi.data_of(reply))
            check_identity(theirs.parties, self._settings)
        except (Refused, ValueError) as error:
            raise RegistrationFailed(f"the platform's credentials: {error}") from None
        return theirs

    async def delete(self, url: str) -> None:
        """Withdraws the credentials.

        Raises:
            RegistrationFailed: The platform still holds them, or it is unknown whether it does.
        """
        reply = await self._request("DELETE", self._checked(url), None)
        gone = reply.answer is not None and reply.answer.status in {401, 405}  # it does not hold them any more
        if not gone and not isinstance(reply.outcome, Delivered):
            raise RegistrationFailed(f"unregistering: {words(reply.outcome)}")

    def _checked(self, url: str) -> str:
        try:
            return self._settings.checked(url)
        except UrlRefused as refused:
            raise RegistrationFailed(f"{url[:200]!r} may not be called: {refused}") from None

    async def _get(self, url: str, what: str) -> Any:
        """Fetches, with short repeats: somebody waits for the answer, and nothing is changed by asking twice."""
        checked = self._checked(url)
        repeats = AsyncRetrying(
            stop=stop_after_attempt(3),
            wait=wait_exponential_jitter(multiplier=0.2, max=2.0, jitter=0.2),
            retry=retry_if_result(lambda reply: isinstance(reply.outcome, _PASSING)),
            retry_error_callback=_last,
        )
        reply: Reply = await repeats(self._request, "GET", checked, None)
        if not isinstance(reply.outcome, Delivered):
            raise RegistrationFailed(f"{what}: {words(reply.outcome)}")
        try:
            return ocpi.data_of(reply)
        except ValueError:
            raise RegistrationFailed(f"{what}: no OCPI answer") from None

    async def _request(self, method: str, url: str, body: bytes | None) -> Reply:
        def understood(answer: Answer) -> Outcome:
            return judge(answer, method, datetime.now(UTC))

        return await self._client.request(
            str(ModuleId.CREDENTIALS), method, url, judge=understood, body=body, headers=ocpi.headers(self._token)
        )


def _last(state: RetryCallState) -> Any:
    return state.outcome.result() if state.outcome is not None else None


async def register(connection: Connection, gateway: Gateway, token: str) -> None:
    """Registers, begun by us.

    Args:
        token: What Gireve gave us to register with (CREDENTIALS_TOKEN_A).

    Raises:
        RegistrationFailed: It did not come about; what stood before still stands.
    """
    settings = Settings.model_validate(connection.settings)
    if settings.versions_url is None:
        raise RegistrationOutOfPlace("the connection's settings name no versions_url")
    if connection.secrets.ours is not None:
        raise RegistrationOutOfPlace("already registered: unregister first, since Gireve takes no update")
    async with Handshake(connection, settings, gateway.observer, token) as handshake:
        endpoints = await handshake.endpoints(settings.versions_url)
        ours = new_token()
        presented = await our_credentials(connection, gateway, settings, ours)
        # IOP reads our versions with this token while it answers the POST.
        await gateway.registry.expect(connection, ours, "registration")
        theirs = await handshake.post(endpoints.modules[ModuleId.CREDENTIALS], presented)
    await take(connection, gateway, theirs, endpoints, ours, "registration")


async def accept(connection: Connection, gateway: Gateway, body: bytes) -> dict[str, Any]:
    """Registers, begun by IOP: takes the credentials that it posted and gives ours.

    Raises:
        Refused: The body is no credentials object, or of another platform than the settings name.
        VersionRefused: IOP lacks an endpoint that we need.
        RegistrationFailed: IOP's side cannot be read.
    """
    settings = Settings.model_validate(connection.settings)
    theirs, _ = credentials.to_canonical(body)
    check_identity(theirs.parties, settings)
    async with Handshake(connection, settings, gateway.observer, theirs.token) as handshake:
        endpoints = await handshake.endpoints(theirs.url)
    ours = new_token()
    presented = await our_credentials(connection, gateway, settings, ours)
    await take(connection, gateway, theirs, endpoints, ours, WHO)
    return presented


async def take(
    connection: Connection, gateway: Gateway, theirs: Credentials, endpoints: Endpoints, ours: str, who: str
) -> None:
    """Writes the outcome of a registration."""
    named = tuple(f"{role} {party.id}" for party in theirs.parties for role in sorted(party.roles))
    stored = endpoints.model_copy(update={"versions": theirs.url, "parties": named})
    await gateway.registry.registered(
        connection, ours=theirs.token, endpoints=stored.model_dump(mode="json"), token=ours, who=who
    )


async def unregister(connection: Connection, gateway: Gateway) -> None:
    """Unregisters, begun by us; what is queued stays queued.

    Raises:
        RegistrationFailed: IOP did not confirm; the credentials stand.
    """
    settings = Settings.model_validate(connection.settings)
    token = connection.secrets.ours
    if token is None:
        raise RegistrationOutOfPlace("not registered")
    url = ocpi.modules_of(connection).get(ModuleId.CREDENTIALS)
    if url is None:
        raise RegistrationFailed("no endpoint for credentials is known: have Gireve unregister us")
    async with Handshake(connection, settings, gateway.observer, token) as handshake:
        await handshake.delete(url)
    await gateway.registry.unregistered(connection, why="we unregistered", who="registration")
