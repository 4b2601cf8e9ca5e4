"""Corrections of CDRs, as their hub can take them."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from gateway.services.ports import (
    CdrFilter,
    CdrState,
    Conflict,
    Invalid,
)
from mappings.canonical.tariffs import Money, Tax
from tests.harness import PARTY, WHO
from tests.services.roaming import Roaming, agreed, cdr, ended, leg, state, told


async def test_a_hub_that_understands_credits_has_the_cdr_taken_back_and_another_one(hubs: Roaming) -> None:
    hubs.hubs["hub"].charging = hubs.hubs["hub"].charging.__class__(
        hubs.hubs["hub"].charging.messages, timedelta(1), timedelta(1), takes_credit=True
    )
    await hubs.charged()
    await hubs.accept()
    done = await hubs.cdrs.correct(PARTY, "c-1", agreed(energy=10, total_cost={"net": 5}), WHO)
    assert (done.outcome, done.credit, done.cdr) == ("credited", "c-1-C1", "c-1-R1")
    first, credit, second = await told(hubs)
    assert (credit.credit, credit.credited_cdr, credit.energy) == (True, "c-1", first.energy)
    assert credit.total_cost == Money(net=Decimal(-6), taxes=(Tax(name="VAT", amount=Decimal("-1.2")),))
    assert (second.credit, second.energy, second.total_cost) == (False, Decimal(10), Money(net=Decimal(5)))
    view = await hubs.cdrs.get(PARTY, "c-1")
    assert view is not None
    assert (view.state, view.replaced_by) == (CdrState.TAKEN_BACK, "c-1-R1")
    assert await hubs.cdrs.correct(PARTY, "c-1", agreed(energy=10, total_cost={"net": 5}), WHO) == replace(
        done, unchanged=True
    )
    assert len(await told(hubs)) == 3
    stands = await hubs.cdrs.get(PARTY, "c-1-R1")
    assert stands is not None
    assert (stands.replaces, stands.correction) == ("c-1", agreed(energy=10, total_cost={"net": 5}))
    family = await hubs.cdrs.list(CdrFilter(None, session="s-1"), None, 10)
    assert [one.cdr.id for one in family.items] == ["c-1-R1", "c-1-C1", "c-1"]
    assert not (await hubs.cdrs.list(CdrFilter(None, session="s-2"), None, 10)).items
    with pytest.raises(Conflict, match="taken back"):
        await hubs.cdrs.correct(PARTY, "c-1", agreed(energy=9), WHO)
    with pytest.raises(Conflict, match="takes another one back"):
        await hubs.cdrs.correct(PARTY, "c-1-C1", agreed(energy=9), WHO)
    again = await hubs.cdrs.correct(PARTY, "c-1-R1", agreed(energy=9), WHO)
    assert (again.outcome, again.cdr) == ("credited", "c-1-R1-R3")
    assert sum(not sent.credit for sent in await told(hubs)) - sum(sent.credit for sent in await told(hubs)) == 1


async def test_a_hub_that_understands_no_credit_never_gets_a_second_cdr(hubs: Roaming) -> None:
    await hubs.charged()
    await hubs.accept()
    await hubs.settle("delivered")
    done = await hubs.cdrs.correct(PARTY, "c-1", agreed(energy=10), WHO)
    assert done.outcome == "dispute"
    again = await hubs.cdrs.correct(PARTY, "c-1", agreed(energy=10), WHO)
    assert again == replace(done, unchanged=True)
    assert len(await told(hubs)) == 1
    view = await hubs.cdrs.get(PARTY, "c-1")
    assert view is not None
    [dispute] = view.disputes
    assert (dispute.reason, dispute.agreed, dispute.who) == ("the meter was read wrongly", {"energy": 10}, WHO)
    assert view.state is CdrState.DELIVERED
    assert (await hubs.events())[-1] == "cdr.disputed"
    assert len((await hubs.cdrs.list(CdrFilter(None, disputed=True), None, 10)).items) == 1


async def test_a_cdr_that_its_hub_refused_is_replaced_without_a_credit(hubs: Roaming) -> None:
    await hubs.charged()
    await hubs.accept()
    await hubs.settle("refused")
    done = await hubs.cdrs.correct(PARTY, "c-1", agreed(energy=10), WHO)
    assert (done.outcome, done.cdr) == ("replaced", "c-1-R1")
    assert [sent.id for sent in await told(hubs)] == ["c-1", "c-1-R1"]
    assert await state(hubs, "c-1-R1") is CdrState.PENDING
    assert await state(hubs) is CdrState.TAKEN_BACK
    assert not await hubs.store.fetch("SELECT FROM delivery WHERE cdr_no IS NOT NULL AND state = 'refused'")


async def test_long_ids_that_differ_at_their_end_only_can_both_be_corrected(hubs: Roaming) -> None:
    ids = [f"{'c' * 35}{end}" for end in "12"]
    for number, cdr_id in enumerate(ids):
        await hubs.admit(f"a-{number}", leg=leg(f"r-{number}", hub_session=f"h-{number}"))
        await hubs.put(ended(f"s-{number}", reference=f"a-{number}"))
        await hubs.accept(cdr(cdr_id, f"s-{number}"))
    await hubs.settle("refused")
    made = [(await hubs.cdrs.correct(PARTY, cdr_id, agreed(energy=10), WHO)).cdr for cdr_id in ids]
    assert len(set(made)) == 2
    assert all(len(one) <= 36 for one in made)


@pytest.mark.parametrize("settled", ["refused", "delivered"])
@pytest.mark.parametrize("changes", [{}, {"energy": 1001}, {"total_cost": {"net": -1}}, {"time": 99}])
async def test_a_correction_that_makes_no_sense_is_refused(
    hubs: Roaming, changes: dict[str, Any], settled: str
) -> None:
    await hubs.charged()
    await hubs.accept()
    await hubs.settle(settled)
    with pytest.raises(Invalid):
        await hubs.cdrs.correct(PARTY, "c-1", agreed(**changes), WHO)
