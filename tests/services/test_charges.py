"""Sessions and CDRs as hubs pull them, and what drivers wish of a session that runs."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from adapters.core.connection import Scope
from adapters.core.inbound import Page, Window
from gateway.events.callouts import Answered, Later, Silence, SilenceReason
from gateway.services.ports import Agreed, Correction
from gateway.services.sessions.pulling import Charges, Word
from mappings.canonical.ids import PartyId
from mappings.canonical.sessions import ChargingPreferences, PreferencesResult
from mappings.canonical.tokens import ProfileType
from tests.harness import PARTY, WHO, later
from tests.services.roaming import Roaming, cdr, ended, leg, session

FAST = ChargingPreferences(profile=ProfileType.FAST)


class Backend:
    """Whoever is called out; says what it is told to say."""

    def __init__(self) -> None:
        self.word: Any = Answered(Word(result=PreferencesResult.ACCEPTED))
        self.asked: list[tuple[PartyId, str, Mapping[str, Any]]] = []

    async def ask(
        self, party: PartyId, kind: str, body: Mapping[str, Any], deadline: datetime, answer: Any, *, id_: str
    ) -> Any:
        assert id_
        self.asked.append((party, kind, body))
        return self.word


@pytest.fixture
def backend() -> Backend:
    return Backend()


@pytest.fixture
def charges(hubs: Roaming, backend: Backend) -> Charges:
    return Charges(hubs.store, hubs.links, backend, lambda: hubs.now, hubs.wake)  # type: ignore[arg-type]


def keys(page: Page) -> list[str]:
    return [message.key for message in page.objects]


async def test_a_hub_pulls_the_sessions_that_roam_over_its_connection(hubs: Roaming, charges: Charges) -> None:
    await hubs.connect("other")
    for number in range(3):
        await hubs.admit(f"a-{number}", leg=leg(f"r-{number}", hub_session=f"h-{number}"))
        await hubs.put(session(f"s-{number}", reference=f"a-{number}", last_updated=later(900 + number)))
    everything = await charges.sessions(hubs.connection("hub"), Window(0, 10))
    assert (keys(everything), everything.total) == (["s-0", "s-1", "s-2"], 3)
    assert [message.leg.reference for message in everything.objects] == ["r-0", "r-1", "r-2"]
    page = await charges.sessions(hubs.connection("hub"), Window(1, 1))
    assert (keys(page), page.total) == (["s-1"], 3)
    dated = await charges.sessions(hubs.connection("hub"), Window(0, 10, later(901), later(902)))
    assert (keys(dated), dated.total) == (["s-1"], 1)
    assert (await charges.sessions(hubs.connection("other"), Window(0, 10))).total == 0


async def test_what_waits_for_a_person_is_not_pulled(hubs: Roaming, charges: Charges) -> None:
    await hubs.admit()
    await hubs.admit("a-2", leg=leg("r-2"))
    await hubs.put(ended())
    await hubs.accept()
    assert (await charges.sessions(hubs.connection("hub"), Window(0, 10))).total == 0
    assert (await charges.cdrs(hubs.connection("hub"), Window(0, 10))).total == 0


async def test_a_hub_pulls_the_cdrs_that_go_over_its_connection(hubs: Roaming, charges: Charges) -> None:
    await hubs.charged()
    await hubs.accept(cdr())
    page = await charges.cdrs(hubs.connection("hub"), Window(0, 10, later(3700)))
    assert ([message.cdr.id for message in page.objects], page.total) == (["c-1"], 1)
    assert (await charges.cdrs(hubs.connection("hub"), Window(0, 10, None, later(3700)))).total == 0


@pytest.mark.parametrize("takes_credit", [True, False])
async def test_of_a_corrected_charge_only_the_cdr_in_effect_is_pulled(
    hubs: Roaming, charges: Charges, takes_credit: bool
) -> None:
    hubs.hubs["hub"].charging = replace(hubs.hubs["hub"].charging, takes_credit=takes_credit)
    await hubs.charged()
    await hubs.accept()
    await hubs.settle("delivered" if takes_credit else "refused")
    agreed = Agreed.model_validate({"energy": 10})
    done = await hubs.cdrs.correct(PARTY, "c-1", Correction(reason="read wrongly", agreed=agreed), WHO)
    assert (done.credit is not None) is takes_credit
    page = await charges.cdrs(hubs.connection("hub"), Window(0, 10))
    assert ([message.cdr.id for message in page.objects if message.cdr], page.total) == (["c-1-R1"], 1)
    assert (await charges.cdrs(hubs.connection("hub"), Window(1, 10))) == Page([], 1)


@pytest.mark.parametrize(("state", "pulled"), [("pending", 1), ("delivered", 1), ("refused", 0), ("discarded", 0)])
async def test_what_a_hub_refused_or_a_person_discarded_is_not_pulled(
    hubs: Roaming, charges: Charges, state: str, pulled: int
) -> None:
    await hubs.charged()
    await hubs.accept()
    await hubs.settle(state)
    page = await charges.cdrs(hubs.connection("hub"), Window(0, 10))
    assert (len(page.objects), page.total) == (pulled, pulled)


async def test_a_connection_of_one_party_pulls_nothing_of_another(hubs: Roaming, charges: Charges) -> None:
    await hubs.charged()
    await hubs.accept()
    narrowed = replace(hubs.connection("hub"), scope=Scope(parties=frozenset({PartyId("NL*XYZ")})))
    assert (await charges.sessions(narrowed, Window(0, 10))).total == 0
    assert (await charges.cdrs(narrowed, Window(0, 10))).total == 0
    assert await charges.prefer(narrowed, "s-1", FAST) is None


async def test_an_emsp_wishes_nothing_of_anothers_session(hubs: Roaming, charges: Charges, backend: Backend) -> None:
    emsp = PartyId("FR*XYZ")
    await hubs.admit(leg=leg("r-1", emsp=emsp))
    await hubs.put()
    assert await charges.prefer(hubs.connection("hub"), "s-1", FAST, PartyId("DE*MP1")) is None
    assert not backend.asked
    assert await charges.prefer(hubs.connection("hub"), "s-1", FAST, emsp) is PreferencesResult.ACCEPTED


async def test_the_backend_is_asked_for_its_word_on_a_drivers_wishes(
    hubs: Roaming, charges: Charges, backend: Backend
) -> None:
    await hubs.admit()
    await hubs.put()
    assert await charges.prefer(hubs.connection("hub"), "s-1", FAST) is PreferencesResult.ACCEPTED
    [(party, kind, body)] = backend.asked
    assert (party, kind) == (PARTY, "CHARGING_PREFERENCES")
    assert body == {"session_id": "s-1", "connection": "hub", "preferences": {"profile": "FAST"}}
    assert (await hubs.events())[-1] == "preferences.received"


@pytest.mark.parametrize("word", [Later(), Silence(SilenceReason.NOBODY, "no call-out is set up for it")])
async def test_a_backend_that_does_not_answer_has_promised_nothing(
    hubs: Roaming, charges: Charges, backend: Backend, word: object
) -> None:
    await hubs.admit()
    await hubs.put()
    backend.word = word
    assert await charges.prefer(hubs.connection("hub"), "s-1", FAST) is PreferencesResult.NOT_POSSIBLE


async def test_nobody_is_asked_about_a_session_that_is_over_or_not_known(
    hubs: Roaming, charges: Charges, backend: Backend
) -> None:
    await hubs.charged()
    assert await charges.prefer(hubs.connection("hub"), "s-1", FAST) is None
    assert await charges.prefer(hubs.connection("hub"), "s-9", FAST) is None
    assert not backend.asked
