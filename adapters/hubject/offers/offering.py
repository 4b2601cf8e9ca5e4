"""All that a CPO's connection to Hubject has to do with offers, put together."""

from datetime import timedelta
from typing import Final

from adapters.core.adapter import Call
from adapters.core.charging import Message
from adapters.core.inbound import Observer
from adapters.core.offers import OffersProfile, OfferToTell
from adapters.core.outcomes import Outcome
from adapters.core.roaming import FeedProfile, PulledPage
from adapters.core.secured import SecuredClient
from adapters.core.tls import TlsSettings
from adapters.hubject.offers.client import OffersClient
from adapters.hubject.offers.pulling import OffersPulling
from adapters.hubject.offers.rendering import Rendering
from adapters.hubject.offers.settings import OffersSettings
from mappings.canonical.agreements import Offer, OfferTerms
from mappings.canonical.ids import PartyId
from mappings.report import Issue

_SOCKETS: Final = 4
_LARGEST_ANSWER: Final = 64 * 1024 * 1024
"""Bytes: all offers with their subscriptions and the prices of every group come in one answer."""


class Offering:
    """Offers over one connection, by sockets of their own, so that no charge waits behind a document.

    Args:
        hub, connection: Names, for the metrics.
        base: What the API's paths stand behind.
        timeout, connect_timeout: Of one request.
    """

    def __init__(
        self,
        hub: str,
        connection: str,
        observer: Observer,
        tls: TlsSettings,
        settings: OffersSettings,
        operator: PartyId,
        base: str,
        *,
        timeout: timedelta,
        connect_timeout: timedelta,
    ) -> None:
        self._settings = settings
        self._client = SecuredClient(
            hub,
            connection,
            observer,
            tls,
            timeout=timeout,
            connect_timeout=connect_timeout,
            limit=_SOCKETS,
            max_answer=_LARGEST_ANSWER,
        )
        self._rendering = Rendering(operator, settings)
        self._telling = OffersClient(self._client, base, self._rendering)
        self._pulling = OffersPulling(self._client, base, self._rendering, operator)

    @property
    def profile(self) -> OffersProfile:
        """What Hubject takes of offers."""
        return self._settings.profile()

    @property
    def feed(self) -> FeedProfile:
        """How offers are read back."""
        return self._settings.feed()

    def check(self, offer: Offer, terms: OfferTerms, first: OfferTerms | None) -> None:
        """See `Rendering.check`."""
        self._rendering.check(offer, terms, first)

    def message(self, told: OfferToTell) -> Message:
        """See `Rendering.message`."""
        return self._rendering.message(told)

    def render(self, told: OfferToTell) -> tuple[Call, list[Issue]]:
        """See `Rendering.render`."""
        return self._rendering.render(told)

    async def tell(self, call: Call, *, doubtful: bool) -> Outcome:
        """See `OffersClient.tell`."""
        return await self._telling.tell(call, doubtful=doubtful)

    async def pull(self, cursor: str | None) -> PulledPage:
        """See `OffersPulling.pull`."""
        return await self._pulling.pull(cursor)

    async def close(self) -> None:
        """Gives up sockets."""
        await self._client.close()
