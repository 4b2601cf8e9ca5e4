"""Of the tariffs that a connector names, the one in force when the charge began holds."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.pricing.notes import NoteKind, Unpriceable, Why
from gateway.pricing.selecting import Candidate, Selected, select
from mappings.canonical.ids import PartyId
from mappings.canonical.tariffs import ClockSpan, DayOfWeek, Tariff, TariffHours, TariffType
from tests.harness import tariff

START = datetime(2026, 7, 1, 10, 0, tzinfo=UTC)  # a Wednesday; 12:00 in Paris
PARIS = "Europe/Paris"
EMSP, OTHER = PartyId("FR*EMS"), PartyId("FR*OTH")
DAYTIME = TariffHours(spans=(ClockSpan(start="08:00", end="20:00"),))
NIGHT = TariffHours(spans=(ClockSpan(start="20:00", end="08:00"),))


def chosen(
    *tariffs: Tariff | Candidate,
    start: datetime = START,
    zone: str | None = PARIS,
    emsp: PartyId | None = EMSP,
    type_: TariffType = TariffType.REGULAR,
) -> Selected[Candidate]:
    """What is chosen."""
    candidates = [Candidate(each) if isinstance(each, Tariff) else each for each in tariffs]
    return select(candidates, start, zone, emsp, type_)


def refused(*tariffs: Tariff | Candidate, **changes: object) -> Unpriceable:
    """Why nothing is chosen."""
    with pytest.raises(Unpriceable) as caught:
        chosen(*tariffs, **changes)  # type: ignore[arg-type]
    return caught.value


def kinds(selected: Selected[Candidate]) -> list[NoteKind]:
    """The kinds of the notes."""
    return [note.kind for note in selected.notes]


def minutes(count: int) -> timedelta:
    """A span of time."""
    return timedelta(minutes=count)


def test_the_one_tariff_there_is_holds_and_needs_no_note():
    one = chosen(tariff("T1"))
    assert (one.tariff.id, one.notes) == ("T1", [])


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"start": START + minutes(1)}, "begins at"),
        ({"end": START}, "ended at"),
        ({"target": OTHER}, "is for FR*OTH"),
        ({"type": TariffType.AD_HOC_PAYMENT}, "is of the type AD_HOC_PAYMENT"),
        ({"hours": NIGHT}, "begin at other hours"),
    ],
)
def test_what_does_not_hold_is_refused_with_its_reason(limits, said):
    error = refused(tariff("T1", **limits))
    assert error.why is Why.NO_TARIFF
    assert said in error.detail


def test_without_any_tariff_nothing_holds():
    assert refused().why is Why.NO_TARIFF


def test_a_tariff_holds_from_its_start_on_and_until_its_end():
    assert chosen(tariff("T1", start=START, end=START + minutes(1))).tariff.id == "T1"


def test_a_tariff_of_the_wanted_type_and_one_of_none_hold():
    assert chosen(tariff("T1", type=TariffType.REGULAR)).tariff.id == "T1"
    wanted = TariffType.AD_HOC_PAYMENT
    assert chosen(tariff("T1"), type_=wanted).tariff.id == "T1"
    assert chosen(tariff("T1", type=TariffType.REGULAR), tariff("T2", type=wanted), type_=wanted).tariff.id == "T2"


def test_the_variant_for_the_emsp_goes_before_the_one_for_all_of_the_same_id():
    for_all, special = tariff("T1"), tariff("t1", "0.3", target=EMSP)
    assert chosen(for_all, special).tariff is special
    assert chosen(for_all, special, emsp=None).tariff is for_all
    assert chosen(for_all, special, emsp=OTHER).tariff is for_all


def test_a_variant_does_not_displace_another_tariff_that_comes_first():
    first, special = tariff("T1"), tariff("T2", target=EMSP)
    assert chosen(first, special).tariff is first


def test_a_variant_that_does_not_hold_leaves_the_one_for_all():
    assert chosen(tariff("T1"), tariff("T1", target=EMSP, end=START)).tariff.target is None
    assert chosen(tariff("T1"), tariff("T1", target=EMSP, hours=NIGHT)).tariff.target is None


def test_a_tariff_with_hours_that_hold_goes_before_one_without():
    always, day, night = tariff("T1"), tariff("T2", hours=DAYTIME), tariff("T3", hours=NIGHT)
    assert chosen(always, day, night).tariff is day
    assert chosen(always, day, night, start=START + timedelta(hours=10)).tariff is night  # 22:00
    assert chosen(always, night).tariff is always


def test_hours_are_local_and_end_before_their_end():
    day = tariff("T1", hours=DAYTIME)
    assert chosen(day, start=datetime(2026, 7, 1, 6, 0, tzinfo=UTC)).tariff is day
    assert refused(day, start=datetime(2026, 7, 1, 5, 59, 59, tzinfo=UTC)).why is Why.NO_TARIFF
    assert refused(day, start=datetime(2026, 7, 1, 18, 0, tzinfo=UTC)).why is Why.NO_TARIFF


def test_days_are_those_of_the_place():
    wednesday = tariff("T1", hours=TariffHours(days=(DayOfWeek.WEDNESDAY,)))
    assert chosen(wednesday, start=datetime(2026, 6, 30, 22, 30, tzinfo=UTC)).tariff is wednesday
    assert refused(wednesday, start=datetime(2026, 7, 1, 22, 30, tzinfo=UTC)).why is Why.NO_TARIFF


def test_equal_hours_are_all_of_the_day():
    assert chosen(tariff("T1", hours=TariffHours(spans=(ClockSpan(start="00:00", end="00:00"),)))).tariff.id == "T1"


@pytest.mark.parametrize("zone", [None, "Mars/Olympus", "../etc"])
def test_hours_at_a_place_whose_time_is_not_known_are_refused(zone):
    assert refused(tariff("T1", hours=DAYTIME), zone=zone).why is Why.NO_ZONE
    assert chosen(tariff("T1"), zone=zone).tariff.id == "T1"


def test_of_several_alike_the_connector_s_first_is_taken_and_that_is_said():
    several = chosen(tariff("T2"), tariff("T1", start=START))
    assert several.tariff.id == "T2"
    assert kinds(several) == [NoteKind.AMBIGUOUS]
    assert "T2, T1" in several.notes[0].detail


def test_of_two_with_one_id_the_one_that_began_last_is_taken():
    older, newer = tariff("T1", start=START - minutes(9)), tariff("T1", "0.6", start=START - minutes(1))
    assert chosen(older, newer).tariff is newer
    assert kinds(chosen(older, newer)) == [NoteKind.AMBIGUOUS]


def test_the_version_known_at_the_start_counts_though_another_came_while_charging():
    before = Candidate(tariff("T1", "0.5"), START - minutes(60), START + minutes(10))
    after = Candidate(tariff("T1", "0.6"), START + minutes(10), None)
    found = chosen(before, after)
    assert found.candidate is before
    assert kinds(found) == [NoteKind.CHANGED]
    assert chosen(before, after, start=START + minutes(10)).candidate is after


def test_what_was_replaced_or_withdrawn_before_is_out():
    error = refused(Candidate(tariff("T1"), START - minutes(60), START))
    assert "was replaced or withdrawn" in error.detail


def test_what_was_heard_of_too_late_holds_where_nothing_else_does_and_the_first_of_it():
    first = Candidate(tariff("T1", "0.5"), START + minutes(5), START + minutes(10))
    second = Candidate(tariff("T1", "0.6"), START + minutes(10), None)
    found = chosen(second, first)
    assert found.candidate is first
    assert kinds(found) == [NoteKind.KNOWN_LATER]


def test_what_was_known_in_time_goes_before_what_was_not_though_it_be_the_variant_for_the_emsp():
    for_all = Candidate(tariff("T1"), START - minutes(5))
    late = Candidate(tariff("T1", target=EMSP), START + minutes(5))
    found = chosen(late, for_all)
    assert (found.candidate, list(found.notes)) == (for_all, [])
