"""Whatever becomes of agreements: who has none does not start, and what was let begin is never cut off or changed.

What is right says a slow judge, who remembers what was agreed and knows nothing of the policy.
"""

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from gateway.cli.demo.charges import Charge
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import Money
from tests.e2e.abroad import EMSP, abroad
from tests.e2e.scene import BEGUN, HALFWAY, OVER
from tests.e2e.year import CARDS, GUEST, Year, YearsClock, year
from tests.harness import eventually

ACTS = 30
MINUTE = 1 / 1440
EVSES = ("U1", "U2", "U3", "U4")
ALWAYS = frozenset({"poi", "status", "cdr"})
BEGINS = ("authorise", "remote")

Version = tuple[str, int]


@dataclass
class Had:
    """A subscription, as it was answered."""

    offer: str
    emsp: str
    starts: datetime | None
    ends: datetime | None = None


@dataclass
class Published:
    """An offer, as it was answered.

    Attributes:
        versions: From when on which services, in order.
    """

    audience: tuple[str, ...] | None
    open: bool
    starts: datetime
    ends: datetime | None
    versions: list[tuple[datetime, frozenset[str]]]


@dataclass
class Judge:
    """Remembers what was agreed, and looks all of it through for every question."""

    offers: dict[str, Published] = field(default_factory=dict)
    subscriptions: dict[str, Had] = field(default_factory=dict)

    def grants(self, emsp: PartyId, service: str, now: datetime) -> set[Version] | None:
        """Gives the versions by which somebody may start; None where the network is still public."""
        # One that is cancelled before its start never starts.
        began = [one for one in self.offers.values() if one.ends is None or one.starts < one.ends]
        if all(offer.starts > now for offer in began):
            return None
        return {
            (id_, number)
            for id_, offer in self.offers.items()
            for number, (starts, services) in enumerate(offer.versions, 1)
            if _within(offer.starts, offer.ends, now)
            and starts <= now
            and all(later > now for later, _ in offer.versions[number:])
            and service in services
            and (offer.audience is None or emsp.normal in offer.audience)
            and (offer.open or self._subscribed(id_, emsp, now))
        }

    def _subscribed(self, offer: str, emsp: PartyId, now: datetime) -> bool:
        mine = [one for one in self.subscriptions.values() if (one.offer, one.emsp) == (offer, emsp.normal)]
        return any(one.starts is not None and _within(one.starts, one.ends, now) for one in mine)


def _within(starts: datetime, ends: datetime | None, now: datetime) -> bool:
    return starts <= now and (ends is None or now < ends)


@dataclass
class Running:
    """A charge that was let begin.

    Attributes:
        pinned: The version under which; None where none was needed.
        over: Its session has ended.
    """

    emsp: PartyId
    uid: str
    charge: Charge
    pinned: Version | None
    over: bool = False


@dataclass
class Life:
    """People who agree, drivers who charge, and time that goes by, at random.

    Attributes:
        asked: How often somebody wanted to subscribe.
    """

    it: Year
    random: random.Random
    judge: Judge = field(default_factory=Judge)
    charges: dict[str, Running] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    asked: int = 0

    @property
    def now(self) -> datetime:
        return self.it.clock.now

    async def act(self) -> None:
        acts: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (3, self.publish),
            (2, self.add_version),
            (3, self.subscribe),
            (3, self.approve),
            (1, self.leave),
            (1, self.cancel),
            (4, self.wait),
            (6, self.tap),
            (6, self.start),
            (8, self.go_on),
        ]
        [(_, act)] = self.random.choices(acts, [weight for weight, _ in acts])
        await act()
        await self.after(MINUTE)

    async def after(self, days: float) -> None:
        await self.it.turn(self.it.day + days)

    async def wait(self) -> None:
        await self.after(self.random.choice([0.1, 0.6, 1.0, 2.5]))

    async def always_asked(self, emsp: PartyId) -> None:
        """Has an EMSP be asked whenever its card is held up."""
        path = f"/v1/driver-tokens/{emsp}/RFID/{CARDS[str(emsp)]}"
        token = await self.it.ask("GET", path)
        changed = {"whitelist": "NEVER", "last_updated": self.now.isoformat()}
        kept = ("party", "uid", "type", "contract_id", "issuer", "valid")
        await self.it.ask("PUT", path, {name: token[name] for name in kept} | changed)
        await self.it.scene.quiet()

    # Who agrees

    async def publish(self, *, first: bool = False) -> None:
        """Publishes an offer; the first one restricts the network at once."""
        id_ = f"o-{len(self.judge.offers)}"
        joining = self.random.choice(["OPEN", "SUBSCRIBE", "SUBSCRIBE", "APPROVE"])
        audience = self.random.choice([None, None, (str(EMSP),), (str(GUEST),)])
        starts = self.now + timedelta(days=self.random.choice([0, 0, 0.5, 2]))
        ends = self.random.choice([None, starts + timedelta(days=self.random.choice([1, 3]))])
        services = self._services()
        if first:
            joining, audience, starts, ends, services = "SUBSCRIBE", None, self.now, None, ALWAYS | set(BEGINS)
        offer = {"id": id_, "connection": "home", "cpo": "NL*ABC", "title": id_, "joining": joining}
        offer |= {"audience": audience, "starts": starts.isoformat(), "ends": ends.isoformat() if ends else None}
        await self.it.ask("PUT", f"/v1/offers/{id_}", {"offer": offer, "terms": {"services": sorted(services)}})
        await self.it.ask("POST", f"/v1/offers/{id_}/publish")
        named = tuple(PartyId(one).normal for one in audience) if audience is not None else None
        self.judge.offers[id_] = Published(named, joining == "OPEN", starts, ends, [(starts, services)])
        self.done["publish"] += 1

    def _services(self) -> frozenset[str]:
        return ALWAYS | set(self.random.choice([BEGINS, BEGINS, BEGINS[:1], BEGINS[1:]]))

    async def add_version(self) -> None:
        if self.judge.offers:
            id_ = self.random.choice(sorted(self.judge.offers))
            starts, services = self.now + timedelta(days=self.random.choice([0.2, 1])), self._services()
            version = {"starts": starts.isoformat(), "terms": {"services": sorted(services)}}
            if await self._granted("add_version", f"/v1/offers/{id_}/versions", version):
                self.judge.offers[id_].versions.append((starts, services))

    async def subscribe(self) -> None:
        if self.judge.offers:
            id_, emsp = self.random.choice(sorted(self.judge.offers)), self.random.choice([EMSP, GUEST])
            self.asked += 1
            wish = {"id": f"s-{self.asked}", "offer": id_, "emsp": str(emsp)}
            self._note(await self._granted("subscribe", "/v1/subscriptions", wish))

    async def approve(self) -> None:
        if (id_ := self._subscription()) is not None:
            self._note(await self._granted("approve", f"/v1/subscriptions/{id_}/approve", {}))

    async def leave(self) -> None:
        if (id_ := self._subscription()) is not None:
            side = self.random.choice(["emsp", "cpo"])
            self._note(await self._granted("leave", f"/v1/subscriptions/{id_}/cancel", {"as": side}))

    async def cancel(self, id_: str | None = None) -> None:
        if self.judge.offers:
            id_ = id_ or self.random.choice(sorted(self.judge.offers))
            if (gone := await self._granted("cancel", f"/v1/offers/{id_}/cancel", {})) is not None:
                self.judge.offers[id_].ends = datetime.fromisoformat(gone["ends_at"])

    def _subscription(self) -> str | None:
        return self.random.choice(sorted(self.judge.subscriptions)) if self.judge.subscriptions else None

    async def _granted(self, act: str, path: str, body: Any) -> Any:
        """Asks for something that may be refused, as it often is at random."""
        status, answer = await self.it.said("POST", path, body)
        assert status < 300 or status in {409, 422}, answer
        if status >= 300:
            return None
        self.done[act] += 1
        return answer

    def _note(self, view: Any) -> None:
        if view is not None:
            told = view["subscription"]
            had = told["state"] in {"ACTIVE", "CANCELLED", "ENDED"}
            starts, ends = (
                datetime.fromisoformat(told[name]) if told.get(name) else None for name in ("starts", "ends")
            )
            emsp = PartyId(told["emsp"]).normal
            self.judge.subscriptions[told["id"]] = Had(told["offer"], emsp, starts if had else None, ends)

    # Who charges

    def free(self) -> str | None:
        """Gives an EVSE where nobody charges."""
        taken = {one.uid for one in self.charges.values() if not one.over}
        return next((uid for uid in EVSES if uid not in taken), None)

    async def tap(self) -> None:
        emsp, uid = self.random.choice([EMSP, GUEST]), self.free()
        if uid is None:
            return
        right = self.judge.grants(emsp, "authorise", self.now)
        granted = await self.it.scene.tap(self.it.driver(emsp), uid)
        assert granted["allowed"] == (right is None or bool(right)), (emsp, uid, self.now, granted, self.judge)
        self.done[f"tap {granted['allowed']}"] += 1
        if granted["allowed"]:
            charge = self.it.scene.admitted(self.it.driver(emsp).card, granted["reference"], uid, self._name)
            await self._begun(emsp, uid, charge, right)

    async def start(self) -> None:
        emsp, uid = self.random.choice([EMSP, GUEST]), self.free()
        if uid is None:
            return
        right = self.judge.grants(emsp, "remote", self.now)
        wish = self.it.scene.wish(uid, CARDS[str(emsp)], party=emsp.normal)
        status, answer = await self.it.said("POST", "/v1/sent-commands", wish)
        assert (status < 300) == (right is None or bool(right)), (emsp, right, answer)
        self.done[f"start {status < 300}"] += 1
        if status < 300:
            assert answer["result"] == "ACCEPTED", answer
            charge = self.it.scene.begun(self.it.scene.asked("START_SESSION")[-1], self._name)
            await self._begun(emsp, uid, charge, right)
        else:
            assert answer["errors"][0]["detail"].startswith("NO_CONTRACT"), answer

    @property
    def _name(self) -> str:
        return f"S-{len(self.charges)}"

    async def _begun(self, emsp: PartyId, uid: str, charge: Charge, right: set[Version] | None) -> None:
        charge = replace(charge, start=self.now)
        [pinned] = set(await self.pins(charge)) or {None}
        assert pinned in right if right is not None else pinned is None, (pinned, right)
        self.charges[charge.session_id] = Running(emsp, uid, charge, pinned)
        await self.it.scene.tell(charge, BEGUN, last_updated=self.now.isoformat())

    async def pins(self, charge: Charge) -> list[Version | None]:
        """Gives the versions that are kept with a charge, on both sides."""
        rows = await self.it.scene.gateway.app.store.fetch(
            "WITH mine AS (SELECT agreement, leg FROM authorisation WHERE id = $1 OR leg ->> 'reference' = $1)"
            " SELECT b.agreement ->> 'offer' AS offer, (b.agreement ->> 'version')::int AS version FROM ("
            " SELECT agreement FROM mine"
            " UNION ALL SELECT p.agreement FROM permit p JOIN mine ON p.id = mine.leg ->> 'reference') b",
            charge.reference,
        )
        assert len(rows) == 2, "the CPO's and the EMSP's"
        return [(row["offer"], row["version"]) if row["offer"] is not None else None for row in rows]

    # What goes on

    async def go_on(self) -> None:
        if running := [one for one in self.charges.values() if not one.over]:
            one = self.random.choice(running)
            await self.random.choice(
                [self.report, self.stop_by_card, self.stop_by_app, self.unlock, self.finish, self.finish]
            )(one)

    async def report(self, one: Running) -> None:
        charge = self._by_now(one)
        await self.it.scene.tell(charge, HALFWAY, last_updated=self.now.isoformat())

    def _by_now(self, one: Running) -> Charge:
        """Gives the charge as it is by now: with a kWh for every hour."""
        lasts = self.now - one.charge.start
        energy = (Decimal(lasts // timedelta(minutes=1)) / 60).quantize(Decimal("0.01"))
        return replace(one.charge, lasts=lasts, energy=energy)

    async def stop_by_card(self, one: Running) -> None:
        card = {"identification": one.charge.identification.model_dump(mode="json", exclude_none=True)}
        stopped = await self.it.ask("POST", f"/v1/authorisations/{one.charge.reference}/stop", card)
        assert stopped["allowed"], stopped

    async def stop_by_app(self, one: Running) -> None:
        told = (await self.it.ask("GET", "/v1/received-sessions?limit=1000"))["items"]
        [session] = [each["id"] for each in told if each["session_id"] == one.charge.session_id]
        await self._carried(one, kind="STOP_SESSION", evse=None, session=session)

    async def unlock(self, one: Running) -> None:
        await self._carried(one, kind="UNLOCK_CONNECTOR")

    async def _carried(self, one: Running, **wish: Any) -> None:
        wished = self.it.scene.wish(one.uid, party=one.emsp.normal, token=None, **wish)
        answer = await self.it.ask("POST", "/v1/sent-commands", wished)
        assert answer["result"] == "ACCEPTED", answer
        right = self.judge.grants(one.emsp, "remote", self.now)
        if right is not None and not right:
            self.done[f"{wish['kind']} without an agreement"] += 1

    async def finish(self, one: Running) -> None:
        """Has a charge end; its plug is held a little longer, and let go."""
        await self.after(MINUTE)
        one.over, one.charge = True, self._by_now(one)
        await self.it.scene.tell(one.charge, OVER, last_updated=self.now.isoformat())
        await self.it.scene.quiet()
        await self.unlock(one)
        await self.it.ask("POST", "/v1/cdrs", one.charge.cdr(Money(net=5)))


@pytest.mark.parametrize("seed", range(2))
async def test_nobody_starts_without_an_agreement_and_what_began_goes_on_as_it_began(
    database_url: str, seed: int
) -> None:
    clock = YearsClock()
    async with abroad(database_url, "home", clock=clock) as scene:
        life = Life(await year(scene, clock), random.Random(seed))
        await life.after(MINUTE)
        for emsp in (EMSP, GUEST):  # asked at every tap, so that both sides decide
            await life.always_asked(emsp)
        await life.tap()
        await life.start()
        await life.publish(first=True)
        for _ in range(ACTS):
            await life.act()
        for id_ in life.judge.offers:  # what still runs outlives every agreement
            await life.cancel(id_)
        await life.after(3)
        for one in life.charges.values():
            if not one.over and life.free() is None:
                await life.finish(one)
        await life.tap()
        await life.start()
        for one in life.charges.values():
            if not one.over:
                for deed in (life.report, life.unlock, life.stop_by_app, life.stop_by_card, life.finish):
                    await deed(one)
                    await life.after(MINUTE)
        await scene.quiet()
        bills = await scene.came_home("cdrs?limit=1000", len(life.charges))
        assert {(one["standing"], tuple(one.get("review", ()))) for one in bills} == {("accepted", ())}
        assert {one["cdr"]["id"] for one in bills} == {f"CDR-{name}" for name in life.charges}
        for one in life.charges.values():
            assert set(await life.pins(one.charge)) == {one.pinned}
        await eventually(lambda: life.it.priced(min(2 * len(life.charges), 50)), "both sides' prices")
        assert life.done["UNLOCK_CONNECTOR without an agreement"], life.done
        assert all(life.done[f"{begun} {let}"] for begun in ("tap", "start") for let in (True, False)), life.done
