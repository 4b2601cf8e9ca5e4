"""What objects of every kind are drawn from: texts, ids, moments, numbers, and how often a field is there."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from mappings.canonical.energy import (
    EnergyMix,
    EnergySource,
    EnergySourceCategory,
    EnvironmentalImpact,
    ImpactCategory,
)
from mappings.canonical.ids import PartyId
from mappings.canonical.texts import LocalText

ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
START = datetime(2026, 1, 1, tzinfo=UTC)

words = (
    st.text(st.characters(codec="utf-8", categories=("L", "N", "P"), include_characters=" "), min_size=1, max_size=30)
    .map(str.strip)
    .filter(bool)
)
ids = st.text(ALNUM + "abcdefxyz-_.*", min_size=1, max_size=36)
urls = st.builds("https://example.com/{}".format, st.text(ALNUM, max_size=20))
# Whole milliseconds: what OCPI writes. A protocol with whole seconds says so in its table.
instants = st.integers(0, 10**10).map(lambda ms: START + timedelta(milliseconds=ms))
whole_seconds = st.integers(0, 10**7).map(lambda s: START + timedelta(seconds=s))
parties = st.builds(PartyId.of, st.sampled_from(["FR", "NL", "DE", "BE"]), st.text(ALNUM, min_size=3, max_size=3))
languages = st.sampled_from(["fr", "nl", "de", "en"])
local_texts = st.builds(LocalText, language=languages, text=words)
clocks = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))


def decimals(least: int, most: int, places: int) -> st.SearchStrategy[Decimal]:
    return (
        st.decimals(least, most, places=places, allow_nan=False, allow_infinity=False)
        .map(Decimal.normalize)
        .map(lambda d: d.quantize(Decimal(1)) if d == d.to_integral_value() else d)
    )


def tuples(items: st.SearchStrategy, most: int = 2) -> st.SearchStrategy:
    return st.lists(items, max_size=most).map(tuple)


def several(enum: type, most: int = 4) -> st.SearchStrategy:
    return st.lists(st.sampled_from(enum), max_size=most, unique=True).map(tuple)


def maybe(items: st.SearchStrategy) -> st.SearchStrategy:
    return st.none() | items


def rarely(items: st.SearchStrategy) -> st.SearchStrategy:
    """What one of a hub's own words is needed for: seldom enough that most objects can be said without it."""
    return st.integers(0, 7).flatmap(lambda drawn: st.none() if drawn else items)


energy_mixes = st.builds(
    EnergyMix,
    is_green_energy=st.booleans(),
    sources=tuples(
        st.builds(EnergySource, source=st.sampled_from(EnergySourceCategory), percentage=maybe(decimals(0, 100, 1)))
    ),
    impacts=tuples(
        st.builds(EnvironmentalImpact, category=st.sampled_from(ImpactCategory), amount=decimals(0, 900, 4))
    ),
    supplier_name=maybe(words),
    product_name=maybe(words),
)
