"""A Hubject that takes offers as its NGP API has it, and tells of them; each request is held against its OpenAPI."""

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.ngp_schema import document, validate

CPO, EMP = "FR*HUB", "DE*EMS"
LOST = "lost"
"""The request is acted upon, and the connection cut before an answer."""

Said = tuple[int, Any] | str


def created(id_: str, asked: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What is said of an offer that was created."""
    return {
        "id": id_,
        "partnerInternalId": asked["partnerInternalId"],
        "externalPartnerId": CPO,
        "serviceTypeVersion": asked["serviceTypeVersion"],
        "offerToAll": asked["offerToAll"],
        "validFrom": asked["validFrom"],
        "validTo": asked.get("validTo") or "+13544-01-20T21:59:59.999Z",
        "unlimited": asked["unlimited"],
        "status": "PENDING",
        "cancellationTo": None,
        "previousServiceOfferId": None,
        "nextServiceOfferId": None,
    } | changes


def info(offer: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What is said of an offer that is held."""
    return {"serviceOffer": offer, "subscriptions": [], "pricingDetails": []} | more


@dataclass
class NgpPeer:
    """The peer.

    Attributes:
        says: By operation, what it says next in place of what it would: status and body, or `LOST`.
        heard: Operation and body of every request; of a document its form.
        offers: What it lists.
        past: By id, the versions before one.
        contracts: By operator, the body of its contracts.
        evses: By group, its EVSEs' ids.
        page_size: Of a page of EVSEs, at the most.
    """

    url: str = ""
    says: dict[str, deque[Said]] = field(default_factory=dict)
    heard: list[tuple[str, Any]] = field(default_factory=list)
    offers: list[dict[str, Any]] = field(default_factory=list)
    past: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    contracts: dict[str, Any] = field(default_factory=dict)
    evses: dict[str, list[str]] = field(default_factory=dict)
    page_size: int = 1000
    made: int = 0

    def say(self, operation: str, *answers: Said) -> None:
        """Has it say something else to the next requests."""
        self.says.setdefault(operation, deque()).extend(answers)

    def asked(self) -> list[str]:
        """Names the requests in their order."""
        return [operation for operation, _ in self.heard]

    def new_id(self, kind: str) -> str:
        self.made += 1
        return f"{kind}-{self.made}"

    async def answer(
        self, request: web.Request, operation: str, heard: Any, body: Any, status: int = 200
    ) -> web.StreamResponse:
        self.heard.append((operation, heard))
        queue = self.says.get(operation)
        said = queue.popleft() if queue else (status, body)
        if isinstance(said, str):
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        given, told = said
        if isinstance(told, bytes):
            return web.Response(status=given, body=told)
        return web.json_response(told, status=given)

    # The CPO's

    async def network(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        validate("cpo-evse", "EvseNetworkRequestDTO", asked)
        groups = [{**group, "id": self.new_id("group")} for group in asked["evseGroups"]]
        # In another order than it was asked.
        body = {"id": self.new_id("network"), **asked, "evseGroups": groups[::-1], "createdAt": "2026-06-07T12:00:00Z"}
        validate("cpo-evse", "EvseNetworkResponseDTO", body)
        return await self.answer(request, "network", asked, body, 201)

    async def members(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        validate("cpo-evse", "NetworkAssignmentDTO", asked)
        groups = [{**group, "Evses": [*group["Evses"], "FR*HUB*EOLD"]} for group in asked["GroupsAssignments"]]
        return await self.answer(request, "members", asked, {**asked, "GroupsAssignments": groups}, 201)

    async def document(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        heard = {
            "query": request.query["attachmentType"],
            "type": form["attachmentType"],
            "name": file.filename,
            "media": file.content_type,
            "content": file.file.read(),
        }
        body = {"uploadedAttachmentId": self.new_id("document"), "originalFileName": file.filename}
        validate("cpo-offers", "AttachmentUploadResponse", body)
        return await self.answer(request, "document", heard, body, 201)

    async def offer(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        validate("cpo-offers", "NGP", asked)
        body = created(self.new_id("offer"), asked)
        validate("cpo-offers", "ServiceOfferDTO", body)
        return await self.answer(request, "offer", asked, body, 201)

    async def prices(self, request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        validate("cpo-offers", "UnlimitedNgpUpdate", asked)
        body = {"id": self.new_id("offer"), "previousServiceOfferId": request.match_info["offer"]}
        return await self.answer(request, "prices", {"of": request.match_info["offer"], **asked}, body)

    async def info(self, request: web.Request) -> web.StreamResponse:
        return await self.answer(request, "info", None, {"offersInfo": self.offers})

    async def history(self, request: web.Request) -> web.StreamResponse:
        offer = request.match_info["offer"]
        status = 200 if offer in self.past else 404
        return await self.answer(request, "history", offer, {"offersInfo": self.past.get(offer, [])}, status)

    # The EMP's

    async def contract(self, request: web.Request) -> web.StreamResponse:
        operator = request.match_info["operator"]
        found = self.contracts.get(operator)
        unknown = {"message": "Operator not found", "extendedInfo": None, "validationErrors": []}
        return await self.answer(request, "contract", operator, found or unknown, 404 if found is None else 200)

    async def group_evses(self, request: web.Request) -> web.StreamResponse:
        named = request.match_info
        page, size = int(request.query["page"]), min(int(request.query["size"]), self.page_size)
        evses = self.evses.get(named["group"], [])
        shown = evses[page * size : (page + 1) * size]
        pages = -(-len(evses) // size)
        body = {
            "content": [{"evseId": each} for each in shown],
            "empty": not shown,
            "first": page == 0,
            "last": page + 1 >= pages,
            "number": page,
            "numberOfElements": len(shown),
            "size": size,
            "totalElements": len(evses),
            "totalPages": pages,
        }
        validate("emp-contracts", "PageServiceOfferNetworkGroupEvse", body)
        heard = (named["offer"], named["network"], named["group"], page)
        return await self.answer(request, "evses", heard, body)


@asynccontextmanager
async def ngp_peer() -> AsyncIterator[NgpPeer]:
    """Runs one on loopback; skips the test where Hubject's OpenAPI is absent."""
    document("cpo-offers")
    peer = NgpPeer()
    networks, offers = "/api/evsenetwork/v1/operators/" + CPO, f"/api/partner/v1/operators/{CPO}/service-offers"
    contracts = f"/api/premium/contracts/v1/providers/{EMP.replace('*', '-')}/operators/{{operator}}"
    groups = f"{contracts}/service-offers/{{offer}}/networks/{{network}}/groups/{{group}}/evses"
    app = web.Application(client_max_size=32 * 1024 * 1024)
    app.add_routes(
        [
            web.post(f"{networks}/networks", peer.network),
            web.put(f"{networks}/network", peer.members),
            web.post(f"{offers}/attachments", peer.document),
            web.post(offers, peer.offer),
            web.get(f"{offers}/info", peer.info),
            web.get(f"{offers}/{{offer}}/historical-versions-info", peer.history),
            web.put(f"{offers}/{{offer}}", peer.prices),
            web.get(contracts, peer.contract),
            web.get(groups, peer.group_evses),
        ]
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    peer.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield peer
    finally:
        await runner.cleanup()
