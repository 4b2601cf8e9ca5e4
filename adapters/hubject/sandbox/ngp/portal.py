"""The portal: what has no call in the API, people do here. Whoever opens it chooses whom they are; there is no login.

| page | what for |
| --- | --- |
| `/portal` | everybody who is registered |
| `/portal/emps/{provider}` | an EMP sees the offers that it may have, subscribes and cancels |
| `/portal/terms/{id}` | a document that a CPO uploaded |
| `/portal/cpos/{operator}` | a CPO sees its offers and who wants them, decides within seven days, cancels |

A form is answered by the page again: after an act by a redirect, so that reloading repeats nothing, else with what is
wrong.
"""

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import quote

from aiohttp import web

from adapters.core.faults import Fault
from adapters.hubject.sandbox import admission
from adapters.hubject.sandbox.control import sandbox_of
from adapters.hubject.sandbox.ngp import subscribing, views
from adapters.hubject.sandbox.ngp.html import Html, element, listed, markup, page
from adapters.hubject.sandbox.ngp.refusals import Refused, not_found
from adapters.hubject.sandbox.ngp.subscribing import TERMS_READ, Reason
from adapters.hubject.sandbox.state import HubjectSandbox

_ROOT: Final = "/portal"
_EMP: Final = f"{_ROOT}/emps/{{party}}"
_CPO: Final = f"{_ROOT}/cpos/{{party}}"
_DONE: Final = {
    "subscribed": "You are subscribed, or the CPO was asked.",
    "cancelled": "It is cancelled.",
    "approved": "The EMP is subscribed.",
    "declined": "The request is declined.",
}

Form = dict[str, str]
Act = Callable[[HubjectSandbox, web.Request, str, Form], str]


def routes() -> list[web.RouteDef]:
    """Gives the portal's routes."""
    return [
        web.get(_ROOT, _everybody),
        web.get(f"{_ROOT}/", _everybody),
        web.get(f"{views.TERMS}/{{id}}", _terms),
        web.get(_EMP, _shown),
        web.get(_CPO, _shown),
        web.post(f"{_EMP}/subscribe", _taking(_subscribe)),
        web.post(f"{_EMP}/subscriptions/{{id}}/cancel", _taking(_cancel)),
        web.post(f"{_CPO}/subscriptions/{{id}}/approve", _taking(_approve)),
        web.post(f"{_CPO}/subscriptions/{{id}}/decline", _taking(_decline)),
        web.post(f"{_CPO}/offers/{{id}}/cancel", _taking(_cancel_offer)),
    ]


def refuse(request: web.Request, fault: Fault) -> web.Response | None:
    """Makes the refusal for the fault of that name; None for what is no page of the portal."""
    if not request.path.startswith(_ROOT):
        return None
    return page("Refused", element("p", f"The sandbox was told to refuse {fault.code or ''}"), status=503)


async def _everybody(request: web.Request) -> web.Response:
    sandbox = sandbox_of(request)
    emps = (_link(f"{_ROOT}/emps/{quote(each)}", each) for each in sorted(sandbox.known_emps()))
    cpos = (_link(f"{_ROOT}/cpos/{quote(each)}", each) for each in sorted(sandbox.partners))
    return page(
        "Hubject sandbox: portal",
        element("p", f"The time here is {sandbox.wall():%Y-%m-%d %H:%M} UTC. Choose who you are."),
        element("h2", "EMPs"),
        listed(emps),
        element("h2", "CPOs"),
        listed(cpos),
    )


async def _terms(request: web.Request) -> web.Response:
    found = sandbox_of(request).market.attachments.get(request.match_info["id"])
    if found is None:
        return page("Not found", element("p", "There is no such document."), status=404)
    # What was uploaded is taken for nothing but the PDF that it was said to be.
    headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"}
    return web.Response(body=found.content, content_type="application/pdf", headers=headers)


def _link(target: str, text: str) -> Html:
    return element("a", text, href=target)


async def _shown(request: web.Request) -> web.Response:
    try:
        party = _party(sandbox_of(request), request)
    except Refused as refused:
        return page("Not found", element("p", refused.message), _link(_ROOT, "Everybody"), status=refused.status)
    said = _DONE.get(request.query.get("done", ""))
    return _view(request, party, element("p", said, role="status") if said else None, 200)


def _party(sandbox: HubjectSandbox, request: web.Request) -> str:
    party = admission.normal(request.match_info["party"])
    if party not in (sandbox.known_emps() if _is_emp(request) else sandbox.partners):
        raise not_found(party)
    return party


def _is_emp(request: web.Request) -> bool:
    return request.path.startswith(f"{_ROOT}/emps/")


def _view(request: web.Request, party: str, said: Html | None, status: int) -> web.Response:
    sandbox, base = sandbox_of(request), _base(request, party)
    about = views.of_emp(sandbox, party, base) if _is_emp(request) else views.of_cpo(sandbox, party, base)
    parts = [said] if said is not None else []
    here = element("p", f"The time here is {sandbox.wall():%Y-%m-%d %H:%M} UTC. ", _link(_ROOT, "Be somebody else"))
    return page(f"{'EMP' if _is_emp(request) else 'CPO'} {party}", *parts, here, about, status=status)


def _base(request: web.Request, party: str) -> str:
    return f"{_ROOT}/{'emps' if _is_emp(request) else 'cpos'}/{quote(party)}"


def _taking(act: Act) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def serve(request: web.Request) -> web.Response:
        sandbox = sandbox_of(request)
        # A page from elsewhere must not act here in the name of whoever looks at it.
        origin = request.headers.get("Origin")
        if origin not in {None, str(request.url.origin())}:
            return page("Refused", element("p", "The form is of another site."), status=403)
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        try:
            party = _party(sandbox, request)
        except Refused as refused:
            return page("Not found", element("p", refused.message), status=refused.status)
        try:
            done = act(sandbox, request, party, form)
        except Refused as refused:
            wrong = [markup(element("strong", each.field), f": {each.text}") for each in refused.wrong]
            said = element("div", element("p", refused.message), *([listed(wrong)] if wrong else []), role="alert")
            return _view(request, party, said, refused.status)
        raise web.HTTPSeeOther(f"{_base(request, party)}?done={done}")

    return serve


def _subscribe(sandbox: HubjectSandbox, _request: web.Request, party: str, form: Form) -> str:
    data: dict[str, str | bool] = {name: value for name, value in form.items() if name not in {"offer", TERMS_READ}}
    if form.get(TERMS_READ) == "yes":
        data[TERMS_READ] = True
    subscribing.subscribe(sandbox, party, form.get("offer", ""), data)
    return "subscribed"


def _cancel(sandbox: HubjectSandbox, request: web.Request, party: str, _form: Form) -> str:
    found = subscribing.subscription_of(sandbox, request.match_info["id"], provider=party)
    subscribing.cancel(sandbox, found)
    return "cancelled"


def _approve(sandbox: HubjectSandbox, request: web.Request, party: str, _form: Form) -> str:
    subscribing.approve(sandbox, subscribing.subscription_of(sandbox, request.match_info["id"], operator=party))
    return "approved"


def _decline(sandbox: HubjectSandbox, request: web.Request, party: str, form: Form) -> str:
    found = subscribing.subscription_of(sandbox, request.match_info["id"], operator=party)
    if form.get("error") not in set(Reason):
        raise Refused(400, "A reason is needed")
    subscribing.decline(sandbox, found, Reason(form["error"]), form.get("why") or None)
    return "declined"


def _cancel_offer(sandbox: HubjectSandbox, request: web.Request, party: str, _form: Form) -> str:
    offer = subscribing.offer_of(sandbox, request.match_info["id"])
    if offer.operator != party:
        raise not_found("service offer")
    subscribing.cancel_offer(sandbox, offer)
    return "cancelled"
