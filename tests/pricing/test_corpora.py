"""Every real tariff beside the project is read, and prices every sample charge or says why not.

In a run of the tests each tariff has a few of the hundred samples, another few for the next one; the benchmark
`tariffs` has them all.
"""

from collections import Counter
from decimal import Decimal

import pytest

from gateway.pricing.defects import find
from gateway.pricing.notes import NoteKind, Unpriceable
from gateway.pricing.result import Calculation
from gateway.pricing.samples import samples
from mappings.canonical.tariffs import Tariff
from tests.pricing.corpora import DUTCH, FRENCH, Read, dutch, french, priced, told_apart
from tests.shared import shared_path

_EACH = 5
_STRIDE = 7  # prime to 100, so that tariff by tariff all of them come round


@pytest.fixture(scope="module")
def feed() -> Read:
    return dutch(shared_path(DUTCH))


@pytest.fixture(scope="module")
def both_french() -> Read:
    found = [french(shared_path(name)) for name in FRENCH]
    return Read([one for each in found for one in each.tariffs], [one for each in found for one in each.refused])


def test_all_dutch_tariffs_are_read(feed: Read) -> None:
    assert (len(feed.tariffs), feed.refused) == (11_527, [])


def test_all_french_tariffs_are_read(both_french: Read) -> None:
    assert (len(both_french.tariffs), both_french.refused) == (72, [])


def _hold(tariffs: list[Tariff]) -> Counter[str]:
    charges = samples()
    answers: Counter[str] = Counter()
    for number, (tariff, _) in enumerate(told_apart(tariffs)):
        some = [charges[(number * _EACH + each) * _STRIDE % len(charges)] for each in range(_EACH)]
        for answer in priced(tariff, some):
            answers["priced" if isinstance(answer, Calculation) else answer.why] += 1
            _sound(tariff, answer)
    return answers


def _sound(tariff: Tariff, answer: Calculation | Unpriceable) -> None:
    if isinstance(answer, Unpriceable):
        assert str(answer)
        return
    assert answer.net == sum((line.net for line in answer.lines), Decimal(0))
    assert answer.tax == sum((line.tax for line in answer.lines), Decimal(0))
    assert answer.net >= 0
    if tariff.max_price is not None:
        assert answer.net <= tariff.max_price.net
    for line in answer.lines:
        if line.element is not None and line.component is not None:
            component = tariff.elements[line.element].price_components[line.component]
            assert (component.type, component.price, component.vat) == (line.of, line.price, line.vat)


def test_each_dutch_tariff_prices_the_samples(feed: Read) -> None:
    answers = _hold(feed.tariffs)
    assert set(answers) == {"priced"}
    assert answers["priced"] > 5_000


def test_each_french_tariff_prices_the_samples(both_french: Read) -> None:
    assert set(_hold(both_french.tariffs)) == {"priced"}


def test_what_is_wrong_with_the_dutch_tariffs_is_found(feed: Read) -> None:
    found = Counter(note.kind for tariff, _ in told_apart(feed.tariffs) for note in find(tariff))
    # Days that end on the day they begin, ends of 23:59, a free hour before every other. Steps are 0 in flat fees only.
    assert set(found) == {NoteKind.NEVER_HOLDS, NoteKind.GAP, NoteKind.HIDDEN, NoteKind.OVERLAP}


def test_what_is_wrong_with_the_french_tariffs_is_found(both_french: Read) -> None:
    found = Counter(note.kind for tariff, _ in told_apart(both_french.tariffs) for note in find(tariff))
    # One of the two operators writes 20 per cent as 0.2.
    assert set(found) == {NoteKind.TAX_AS_FRACTION}
