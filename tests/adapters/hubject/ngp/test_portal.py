"""The portal's pages, as a browser without scripts uses them: what a form sends is read from its HTML."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

from tests.adapters.hubject.ngp.test_offers import upload
from tests.adapters.hubject.ngp.trading import DATA, EVSES, RIVAL, Trade, bilateral, product, tariff, two_step

VOID = {"input", "meta"}


@dataclass
class Form:
    """A form, with what it sends by itself, and which fields wait for somebody."""

    action: str = ""
    sends: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    button: str = ""


class Page(HTMLParser):
    """Reads a page, and fails where its elements are not closed in order or a field has no label."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.roles: dict[str, str] = {}
        self.text = ""
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in VOID:
            self._open.append((tag, given))
        if tag == "a":
            self.links.append(str(given["href"]))
        if tag == "form":
            assert given["method"] == "post"
            self.forms.append(Form(str(given["action"])))
        if tag in {"input", "select"}:
            name = str(given["name"])
            if given.get("type") == "hidden":
                self.forms[-1].sends[name] = str(given["value"])
            else:
                assert any(each == "label" for each, _ in self._open), f"{name} has no label"
                self.forms[-1].labels[name] = str(given.get("type", "select"))

    def handle_endtag(self, tag: str) -> None:
        opened, _ = self._open.pop()
        assert opened == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        for tag, given in self._open:
            if role := given.get("role"):
                self.roles[role] = self.roles.get(role, "") + data
            if tag == "button":
                self.forms[-1].button = data

    def form(self, button: str) -> Form:
        (found,) = (each for each in self.forms if each.button == button)
        return found


async def opened(trade: Trade, path: str) -> Page:
    async with trade.session.get(path) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        return Page(await answer.text())


async def sent(trade: Trade, form: Form, status: int = 200, **filled: str) -> Page:
    assert filled.keys() <= form.labels.keys()
    async with trade.session.post(form.action, data={**form.sends, **filled}) as answer:
        assert answer.status == status
        assert bool(answer.history) is (status == 200)  # what was done is not done again by reloading
        return Page(await answer.text())


async def test_everybody_finds_their_page(trade: Trade) -> None:
    page = await opened(trade, "/portal")
    assert page.links == [
        "/portal/emps/DE%2AEMP",
        "/portal/emps/NL%2AEMS",
        "/portal/cpos/FR%2AHUB",
        "/portal/cpos/FR%2AOTH",
    ]
    for link in page.links:
        assert "There are none." in (await opened(trade, link)).text


async def test_an_emp_asks_a_cpo_approves_and_the_emp_cancels(trade: Trade) -> None:
    await trade.offer(await trade.network(EVSES), partnerInternalId="<All> & more", **two_step())
    page = await opened(trade, "/portal/emps/NL-EMS")
    assert "<All> & more" in page.text
    assert "0.5 EUR a kWh" in page.text
    form = page.form("Ask to subscribe")
    assert set(form.labels) == set(DATA)
    filled = {name: str(value) for name, value in DATA.items()} | {"termsAndConditionsRead": "yes"}
    refused = await sent(trade, form, 400, **filled | {"taxId": ""})
    assert "taxId" in refused.roles["alert"]
    page = await sent(trade, form, **filled)
    assert "the CPO was asked" in page.roles["status"]
    assert "Your subscription: under review" in page.text

    page = await opened(trade, "/portal/cpos/FR*HUB")
    assert "Tax id: NL001" in page.text
    approve = page.form("Approve")
    page = await sent(trade, approve)
    assert "SUBSCRIBED" in page.text
    # Another tab still shows the button.
    assert "SUBSCRIBED" in (await sent(trade, approve, 409)).roles["alert"]

    cancel = (await opened(trade, "/portal/emps/NL-EMS")).form("Cancel")
    assert "minimum term" in (await sent(trade, cancel, 409)).roles["alert"].lower()
    await trade.at(days=57)
    assert "cancelled" in (await sent(trade, cancel)).roles["status"]


async def test_a_cpo_declines_with_a_reason(trade: Trade) -> None:
    made = await trade.offer(await trade.network(EVSES), **two_step())
    await trade.subscribed(made, data=DATA)
    form = (await opened(trade, "/portal/cpos/FR*HUB")).form("Decline")
    assert form.labels == {"error": "select", "why": "text"}
    page = await sent(trade, form, error="NOT_ELIGIBLE", why="<b>no</b>")
    assert "NOT_ELIGIBLE <b>no</b>" in page.text
    await trade.subscribed(made, data=DATA)
    form = (await opened(trade, "/portal/cpos/FR*HUB")).form("Decline")
    assert "reason" in (await sent(trade, form, 400, error="BECAUSE")).roles["alert"]


async def test_everybody_sees_and_does_what_is_theirs(trade: Trade) -> None:
    network = await trade.network(EVSES)
    mine = await trade.offer(network)
    week = [{"daysOfTheWeek": each["daysOfTheWeek"], "timeSlots": [("00:00", "23:59:59", "b")]} for each in _plans()]
    for_rival = {"tariffs": [tariff("b")], "products": [product(network["evseGroups"][0]["id"], week)]}
    theirs = await trade.offer(network, **bilateral(RIVAL), **for_rival)
    page = await opened(trade, "/portal/emps/NL-EMS")
    assert [each.sends["offer"] for each in page.forms] == [mine["id"]]
    assert len((await opened(trade, "/portal/emps/DE-EMP")).forms) == 2
    await sent(trade, page.form("Subscribe"))
    (held,) = (await opened(trade, "/portal/emps/NL-EMS")).forms
    await sent(trade, Form(held.action.replace("NL%2AEMS", "DE%2AEMP")), 404)
    await sent(trade, Form("/portal/emps/NL-EMS/subscribe", {"offer": theirs["id"]}), 404)
    await sent(trade, Form(f"/portal/cpos/FR*OTH/offers/{mine['id']}/cancel"), 404)
    await sent(trade, Form(f"/portal/cpos/FR*HUB/offers/{theirs['id']}/cancel"))
    await sent(trade, Form("/portal/emps/XX-NIX/subscribe", {"offer": mine["id"]}), 404)


def _plans() -> list[dict[str, list[str]]]:
    days = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"]
    return [{"daysOfTheWeek": days}]


async def test_a_form_of_another_site_does_nothing(trade: Trade) -> None:
    made = await trade.offer(await trade.network(EVSES))
    elsewhere = {"Origin": "https://elsewhere.example"}
    async with trade.session.post(
        "/portal/emps/NL-EMS/subscribe", data={"offer": made["id"]}, headers=elsewhere
    ) as answer:
        assert answer.status == 403
    assert await trade.ask("GET", "/_sandbox/subscriptions") == (200, [])


async def test_terms_can_be_read_before_they_are_agreed_to(trade: Trade) -> None:
    _, uploaded = await upload(trade, b"%PDF-1.7 all of it")
    await trade.offer(await trade.network(EVSES), uploadedAttachmentId=uploaded["uploadedAttachmentId"])
    page = await opened(trade, "/portal/emps/NL-EMS")
    (terms,) = (link for link in page.links if "terms" in link)
    async with trade.session.get(terms) as answer:
        assert (answer.content_type, await answer.read()) == ("application/pdf", b"%PDF-1.7 all of it")
    async with trade.session.get("/portal/terms/nobody's") as answer:
        assert answer.status == 404


async def test_nobody_has_no_page(trade: Trade) -> None:
    for path in ("/portal/emps/XX-NIX", "/portal/cpos/nobody"):
        async with trade.session.get(path) as answer:
            assert answer.status == 404
            Page(await answer.text())


async def test_the_portal_can_fail_too(trade: Trade) -> None:
    await trade.do("faults", [{"kind": "refuse", "path": "^/portal", "count": 1}])
    async with trade.session.get("/portal") as answer:
        assert answer.status == 503
