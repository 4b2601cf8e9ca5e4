"""The NGP API of both roles over HTTP.

In this order: is there a client certificate (HTTP 400, what web servers say in the application's place), is the limit
kept (429), does the certificate speak for anybody (401) and for the party of the path (403), is the party registered
(404), is the body what it has to be (400), then what each asks for.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple

from aiohttp import web

from adapters.core.faults import Fault
from adapters.core.sandbox import SANDBOX
from adapters.hubject.sandbox import admission, rules
from adapters.hubject.sandbox.certificates import certificate_of, operators_of, providers_of
from adapters.hubject.sandbox.ngp import contracts, networks, offering, telling
from adapters.hubject.sandbox.ngp.refusals import Refused, fault_body, invalid, not_found
from adapters.hubject.sandbox.ngp.shapes import Assignment, NewNetwork, NewOffer, NewPrices, read
from adapters.hubject.sandbox.pages import page_of
from adapters.hubject.sandbox.partners import Partner
from adapters.hubject.sandbox.state import HubjectSandbox

_OPERATOR: Final = "operators/{operator}"
_OFFERS: Final = f"/api/partner/v1/{_OPERATOR}/service-offers"
_NETWORKS: Final = f"/api/evsenetwork/v1/{_OPERATOR}"
_CONTRACTS: Final = f"/api/premium/contracts/v1/providers/{{provider}}/{_OPERATOR}"
_ROOTS: Final = ("/api/partner/", "/api/evsenetwork/", "/api/premium/")


class Asked(NamedTuple):
    """A request that was admitted.

    Attributes:
        partner: The CPO; of an EMP's request, the one that it asks about.
        provider: The EMP, in normal form; empty in a CPO's.
    """

    sandbox: HubjectSandbox
    request: web.Request
    partner: Partner
    provider: str

    async def body(self) -> dict[str, Any]:
        """Reads the body.

        Raises:
            Refused: It is no JSON object.
        """
        body = admission.parsed(await self.request.read())
        if isinstance(body, rules.Wrong):
            raise invalid([body])
        return body


class Operation(NamedTuple):
    """One kind of request; `per_minute` is the limit of its document."""

    name: str
    method: str
    path: str
    per_minute: int
    take: Callable[[Asked], Awaitable[web.Response]]


async def _create_network(asked: Asked) -> web.Response:
    made = networks.create(asked.sandbox, asked.partner, read(NewNetwork, await asked.body()))
    return web.json_response(telling.network_body(made), status=201)


async def _assign(asked: Asked) -> web.Response:
    body = read(Assignment, await asked.body())
    network, groups, changed = networks.assign(asked.sandbox, asked.partner, body)
    return web.json_response(telling.assignment_body(network, groups), status=201 if changed else 200)


async def _attach(asked: Asked) -> web.Response:
    if not asked.request.content_type.startswith("multipart/form-data"):
        raise Refused(415, "Content-Type has to be multipart/form-data")
    try:
        form = await asked.request.post()
    except ValueError as error:
        raise Refused(400, "The form cannot be read", [rules.Wrong("body", str(error))]) from None
    # The text and its examples have the type as a field of the form, the swagger in the query.
    kind = form.get("attachmentType") or asked.request.query.get("attachmentType", "")
    file = form.get("file")
    if not isinstance(file, web.FileField):
        raise invalid([rules.Wrong("file", "is needed")])
    content = file.file.read()
    made = offering.attach(asked.sandbox, asked.partner, file.filename, str(kind), content)
    return web.json_response({"uploadedAttachmentId": made.id, "originalFileName": made.name}, status=201)


async def _create_offer(asked: Asked) -> web.Response:
    offer = offering.create(asked.sandbox, asked.partner, read(NewOffer, await asked.body()))
    return web.json_response(telling.offer_body(asked.sandbox, offer, offer.versions[0]), status=201)


async def _reprice(asked: Asked) -> web.Response:
    body, offer_id = await asked.body(), asked.request.match_info["offer"]
    offer, version = offering.reprice(asked.sandbox, asked.partner, offer_id, read(NewPrices, body))
    return web.json_response(telling.offer_body(asked.sandbox, offer, version))


async def _info(asked: Asked) -> web.Response:
    return web.json_response({"offersInfo": telling.info(asked.sandbox, asked.partner.operator.normal)})


async def _history(asked: Asked) -> web.Response:
    """Answers for an unlimited offer that is active, as the text has it."""
    sandbox, offer_id = asked.sandbox, asked.request.match_info["offer"]
    found, now = sandbox.market.version(offer_id, asked.partner.operator.normal), sandbox.wall()
    if found is None or not found[0].asked.unlimited or found[0].version_state(found[1], now) != "ACTIVE":
        raise not_found(f"active unlimited service offer {offer_id}")
    return web.json_response({"offersInfo": telling.history(sandbox, *found)})


async def _contracts(asked: Asked) -> web.Response:
    return web.json_response(contracts.contracts(asked.sandbox, asked.provider, asked.partner.operator.normal))


async def _group_evses(asked: Asked) -> web.Response:
    named = asked.request.match_info
    ids = (named["offer"], named["network"], named["group"])
    group = contracts.group_of(asked.sandbox, asked.provider, asked.partner.operator.normal, *ids)
    orders = asked.request.query.getall("sort", [])
    if wrong := [each for each in orders if each.lower() not in {"evseid", "evseid,asc", "evseid,desc"}]:
        raise invalid([rules.Wrong("sort", f"no such property: {wrong[0]}")])
    return web.json_response(contracts.page_body(group, page_of(asked.request), orders))


OPERATIONS: Final = (
    Operation("ngp_create_network", "POST", f"{_NETWORKS}/networks", 50, _create_network),
    Operation("ngp_assign_evses", "PUT", f"{_NETWORKS}/network", 50, _assign),
    Operation("ngp_upload_terms", "POST", f"{_OFFERS}/attachments", 6, _attach),
    Operation("ngp_create_offer", "POST", _OFFERS, 50, _create_offer),
    Operation("ngp_offers_info", "GET", f"{_OFFERS}/info", 50, _info),
    Operation("ngp_offer_history", "GET", f"{_OFFERS}/{{offer}}/historical-versions-info", 50, _history),
    Operation("ngp_update_prices", "PUT", f"{_OFFERS}/{{offer}}", 50, _reprice),
    Operation("ngp_contracts", "GET", _CONTRACTS, 50, _contracts),
    Operation(
        "ngp_group_evses",
        "GET",
        f"{_CONTRACTS}/service-offers/{{offer}}/networks/{{network}}/groups/{{group}}/evses",
        60,
        _group_evses,
    ),
)


def routes() -> list[web.RouteDef]:
    """Gives the routes."""
    return [web.route(each.method, each.path, _handler(each)) for each in OPERATIONS]


def refuse(request: web.Request, fault: Fault) -> web.Response | None:
    """Makes the hub's refusal for the fault of that name: `code` is the HTTP status; None for what is not NGP's."""
    if not request.path.startswith(_ROOTS):
        return None
    status = int(fault.code) if fault.code and fault.code.isdigit() and 400 <= int(fault.code) < 600 else 400
    return fault_body(Refused(status, "the sandbox was told to refuse"))


def _handler(operation: Operation) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def serve(request: web.Request) -> web.StreamResponse:
        sandbox = request.app[SANDBOX]
        assert isinstance(sandbox, HubjectSandbox)  # noqa: S101
        named = request.match_info
        party = admission.normal(named.get("provider", named["operator"]))
        answer = admission.let_in(sandbox, request, operation.name, operation.per_minute, party)
        if answer is not None:
            return answer
        try:
            done = await operation.take(_admitted(sandbox, request, party))
        except Refused as refused:
            sandbox.counted(operation.name, str(refused.status))
            return fault_body(refused)
        sandbox.counted(operation.name, "ok")
        return done

    return serve


def _admitted(sandbox: HubjectSandbox, request: web.Request, party: str) -> Asked:
    is_emp = "provider" in request.match_info
    if sandbox.checks_certificates:
        certificate = certificate_of(request)
        if not operators_of(certificate) | providers_of(certificate):
            raise Refused(401, "Unauthorized")
        if party not in (providers_of(certificate) if is_emp else operators_of(certificate)):
            raise Refused(403, "Forbidden")
    if is_emp and party not in sandbox.providers:
        raise not_found(f"Provider {party}")
    operator = admission.normal(request.match_info["operator"])
    if (partner := sandbox.partners.get(operator)) is None:
        raise not_found(f"Operator {operator}")
    return Asked(sandbox, request, partner, party if is_emp else "")
