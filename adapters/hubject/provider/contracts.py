"""What an EMP subscribed to: its contracts with prices, operator by operator, and the EVSEs of each group of them."""

import json
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import quote

from adapters.core.http import Answer
from adapters.core.roaming import PulledPage, Record
from adapters.core.secured import SecuredClient
from adapters.hubject.offers.answers import fault
from adapters.hubject.offers.pulling import asked
from adapters.hubject.provider.digests import of_record
from adapters.hubject.provider.settings import CONTRACT_EVSES, CONTRACTS, ProviderSettings
from mappings.canonical.ids import PartyId
from mappings.oicp.ngp import contracts_in, reading, wire_in
from mappings.oicp.v2_3.pages import PageFacts
from mappings.oicp.v2_3.process import provider_id
from mappings.report import Refused


class _At(NamedTuple):
    """Where a pull of EVSEs stands: at a page of the first of some groups of an operator, or before its groups."""

    operator: int
    groups: tuple[tuple[str, str, str], ...] | None = None
    page: int = 0

    def written(self) -> str:
        return json.dumps(self)


class Contracts:
    """Reads one EMP's contracts."""

    def __init__(self, client: SecuredClient, settings: ProviderSettings) -> None:
        self._client, self._settings = client, settings
        self._operators = sorted(settings.contracts_of, key=str)
        named = quote(provider_id(settings.provider_id), safe="*")
        self._url = f"{settings.ngp_base}/api/premium/contracts/v1/providers/{named}/operators"

    async def pull(self, feed: str, cursor: str | None) -> PulledPage:
        """See `RoamingAdapter.pull`.

        Raises:
            PullFailed: It did not come.
        """
        if feed == CONTRACTS:
            return await self._contracts(int(cursor or 0))
        if cursor is None:
            return await self._group_evses(_At(0))
        operator, groups, page = json.loads(cursor)
        return await self._group_evses(_At(operator, None if groups is None else tuple(map(tuple, groups)), page))

    async def _contracts(self, number: int) -> PulledPage:
        operator = self._operators[number]
        offers, unreadable = await self._offers(operator)
        records = []
        for raw in offers:
            try:
                key = (operator.normal, contracts_in.contract_id(raw))
            except Refused as refused:
                unreadable.append(refused)
                continue
            read = partial(contracts_in.contract, raw, operator, self._settings.provider_id)
            records.append(Record(key, of_record(raw), read))
        following = str(number + 1) if number + 1 < len(self._operators) else None
        return PulledPage(records, unreadable, following)

    async def _offers(self, operator: PartyId) -> tuple[Sequence[Any], list[Refused]]:
        def read(body: Any) -> tuple[Sequence[Any], list[Refused]]:
            return wire_in.ContractInfo.model_validate(body).offers or (), []

        def unknown(answer: Answer) -> tuple[Sequence[Any], list[Refused]]:
            return (), [Refused("contracts_of", fault(answer) or "Hubject knows no such operator", operator)]

        return await asked(self._client, CONTRACTS, self._operator_url(operator), read, unknown)

    def _operator_url(self, operator: PartyId) -> str:
        return f"{self._url}/{quote(operator.normal, safe='*')}"

    # EVSEs

    async def _group_evses(self, at: _At) -> PulledPage:
        """Gives the groups of an operator first, with no records, and then each group's EVSEs page by page."""
        operator = self._operators[at.operator]
        if at.groups is None:
            offers, unreadable = await self._offers(operator)
            groups = tuple({group: (offer, network, group) for offer, network, group in _named(offers)}.values())
            return PulledPage([], unreadable, self._following(at._replace(groups=groups)))
        offer, network, group = at.groups[0]
        tail = "/".join(
            quote(part, safe="") for part in ("service-offers", offer, "networks", network, "groups", group)
        )
        url = f"{self._operator_url(operator)}/{tail}/evses?page={at.page}&size={self._settings.contract_page_size}"
        body = await asked(self._client, CONTRACT_EVSES, url, _page, lambda _: {})
        content = body.get("content") or []
        records, unreadable = [], []
        for raw in content:
            try:
                evse = contracts_in.group_evse(raw, operator, offer, group)
            except Refused as refused:
                unreadable.append(refused)
                continue
            key = (operator.normal, group, evse.evse_key)
            records.append(Record(key, of_record([offer, raw]), partial(contracts_in.read_already, evse)))
        further = at._replace(page=at.page + 1) if _facts(body).more else at._replace(groups=at.groups[1:], page=0)
        total = body.get("totalElements")
        return PulledPage(
            records,
            unreadable,
            self._following(further),
            total if isinstance(total, int) else None,
            f"{operator}/{group}",
        )

    def _following(self, at: _At) -> str | None:
        if at.groups:
            return at.written()
        return _At(at.operator + 1).written() if at.operator + 1 < len(self._operators) else None


def _named(offers: Sequence[Any]) -> Iterator[tuple[str, str, str]]:
    """Names offer, network and group of all groups; what cannot be read is told by the pull of contracts."""
    for raw in offers:
        try:
            info = reading.parsed(wire_in.ContractOffer, raw)
        except Refused:
            continue
        network = info.network_details.network_id if info.network_details is not None else None
        if network is not None:
            for group in info.pricing or ():
                yield info.offer_details.service_offer_id, network, group.group_id


def _page(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict) or not isinstance(body.get("content") or [], list):
        raise ValueError("no page")  # noqa: TRY004 - of the answer, as any other that has no sense
    return body


def _facts(body: dict[str, Any]) -> PageFacts:
    def whole(name: str) -> int | None:
        value = body.get(name)
        return value if type(value) is int else None

    last = body.get("last")
    return PageFacts(
        records=len(body.get("content") or []),
        number=whole("number"),
        size=whole("size"),
        last=last if isinstance(last, bool) else None,
        total_pages=whole("totalPages"),
    )
