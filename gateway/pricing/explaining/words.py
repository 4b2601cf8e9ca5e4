"""A tariff in plain words, in the reader's language."""

from collections.abc import Iterable, Sequence
from datetime import UTC, tzinfo
from decimal import Decimal
from typing import Final, NamedTuple

from gateway.pricing.coverage import cover
from gateway.pricing.currencies import minor
from gateway.pricing.explaining.groups import UNITS, Group, title_of
from gateway.pricing.explaining.languages import primary, speech_of
from gateway.pricing.explaining.languages.figures import energy, money, number, percent, span, with_tax
from gateway.pricing.explaining.languages.speech import Phrase, Speech
from gateway.pricing.explaining.restrictions import hours_said, restricts, said, turns_on
from gateway.pricing.notes import Note
from gateway.pricing.result import gross_of
from mappings.canonical.tariffs import (
    Money,
    PriceComponent,
    ReservationRestriction,
    RoundingRule,
    Tariff,
    TariffDimension,
    TariffElement,
    TariffRestrictions,
    TariffType,
)


class Section(NamedTuple):
    """A part of an explanation.

    Attributes:
        title: A few words, without a stop.
        lines: A sentence or a price each.
    """

    title: str
    lines: Sequence[str]


class Price(NamedTuple):
    """A price component and when it holds."""

    component: PriceComponent
    restrictions: TariffRestrictions | None


_TYPES: Final = {
    TariffType.AD_HOC_PAYMENT: Phrase.AD_HOC_PAYMENT,
    TariffType.PROFILE_CHEAP: Phrase.PROFILE_CHEAP,
    TariffType.PROFILE_FAST: Phrase.PROFILE_FAST,
    TariffType.PROFILE_GREEN: Phrase.PROFILE_GREEN,
    TariffType.REGULAR: Phrase.REGULAR,
}
_STEPS: Final = {
    RoundingRule.ROUND_UP: Phrase.STEP_UP,
    RoundingRule.ROUND_DOWN: Phrase.STEP_DOWN,
    RoundingRule.ROUND_NEAR: Phrase.STEP_NEAR,
}
_COSTS: Final = {
    RoundingRule.ROUND_UP: Phrase.COST_UP,
    RoundingRule.ROUND_DOWN: Phrase.COST_DOWN,
    RoundingRule.ROUND_NEAR: Phrase.COST_NEAR,
}
for _table, _whole in ((_TYPES, TariffType), (_STEPS, RoundingRule), (_COSTS, RoundingRule)):
    if set(_table) != set(_whole):
        raise TypeError(f"no phrase for each {_whole.__name__}")

_HOUR: Final = 60


def explain(tariff: Tariff, language: str, defects: Iterable[Note] = (), zone: tzinfo = UTC) -> Sequence[Section]:
    """Says all of a tariff.

    Args:
        tariff: Which.
        language: BCP 47 tag; English where it is none of ours.
        defects: What is wrong with it, told last.
        zone: In which its validity is told.
    """
    speech = speech_of(language)
    sections = [Section(_name(tariff, speech), _about(tariff, language, speech, zone))]
    for reserved in (None, *ReservationRestriction):
        for dimension, prices in _grouped(tariff, reserved):
            group = dimension, reserved
            section = Section(speech(title_of(group)), _priced(group, prices, tariff.currency, speech))
            if sections[-1].title == section.title:  # what a reservation costs by the hour, and its fee
                section = Section(section.title, [*sections.pop().lines, *section.lines])
            sections.append(section)
    limits = [
        speech(phrase, money=_both(limit, tariff.currency, speech))
        for phrase, limit in ((Phrase.LEAST, tariff.min_price), (Phrase.MOST, tariff.max_price))
        if limit is not None
    ]
    if limits:
        sections.append(Section(speech(Phrase.LIMITS), limits))
    remarks = [_remark(note, speech) for note in defects]
    if remarks:
        sections.append(Section(speech(Phrase.REMARKS), remarks))
    return sections


def summary(tariff: Tariff, language: str) -> str:
    """Says a tariff in one sentence: in the tariff's own words where it has some in the language.

    Args:
        tariff: Which.
        language: BCP 47 tag; English where the tariff does not speak it and it is none of ours.
    """
    if own := own_texts(tariff, language):
        return own[0]
    speech = speech_of(language)
    grouped = [
        ((dimension, reserved), prices)
        for reserved in (None, *ReservationRestriction)
        for dimension, prices in _grouped(tariff, reserved)
        if any(one.component.price for one in prices)
    ]
    told = [one.component for _, prices in grouped for one in prices]
    limits = [
        (phrase, limit)
        for phrase, limit in ((Phrase.LEAST, tariff.min_price), (Phrase.MOST, tariff.max_price))
        if limit is not None and (limit.net or phrase is Phrase.MOST)
    ]
    if not told and not any(phrase is Phrase.LEAST for phrase, _ in limits):
        return speech(Phrase.FREE)
    gross = all(one.vat is not None for one in told) and all(gross_of(limit) is not None for _, limit in limits)
    parts = [_short(group, prices, gross, tariff.currency, speech) for group, prices in grouped]
    for phrase, limit in limits:
        amount = (gross_of(limit) if gross else None) or limit.net
        parts.append(_within(speech(phrase, money=money(amount, tariff.currency, speech))))
    parts.append(speech(Phrase.GROSS if gross else Phrase.NET))
    sentence = ", ".join(parts)
    return f"{sentence[0].upper()}{sentence[1:].rstrip('.')}."


def own_texts(tariff: Tariff, language: str) -> Sequence[str]:
    """Gives what a tariff says of itself in a language: the very one first, then others of the same kind."""
    wanted = language.replace("_", "-").casefold()
    exact = [one for one in tariff.texts if one.language.replace("_", "-").casefold() == wanted]
    near = [one for one in tariff.texts if one not in exact and primary(one.language) == primary(language)]
    return [text for one in (*exact, *near) if (text := one.text.strip())]


def _name(tariff: Tariff, speech: Speech) -> str:
    return speech(Phrase.TARIFF, id=tariff.id, party=str(tariff.party), currency=tariff.currency)


def _about(tariff: Tariff, language: str, speech: Speech, zone: tzinfo) -> Sequence[str]:
    lines = [*own_texts(tariff, language)]
    if tariff.type is not None:
        lines.append(speech(_TYPES[tariff.type]))
    if tariff.target is not None:
        lines.append(speech(Phrase.TARGET, target=str(tariff.target)))
    start, end = (
        None if moment is None else speech.moment(moment.astimezone(zone)) for moment in (tariff.start, tariff.end)
    )
    if start and end:
        lines.append(speech(Phrase.VALID_BETWEEN, start=start, end=end))
    elif start:
        lines.append(speech(Phrase.VALID_FROM, start=start))
    elif end:
        lines.append(speech(Phrase.VALID_UNTIL, end=end))
    if tariff.hours is not None and (when := hours_said(tariff.hours, speech)):
        lines.append(speech(Phrase.HOURS, when=when))
    if tariff.url is not None:
        lines.append(speech(Phrase.URL, url=tariff.url))
    return lines


def _grouped(
    tariff: Tariff, reserved: ReservationRestriction | None
) -> Iterable[tuple[TariffDimension, Sequence[Price]]]:
    """Gives the prices of each dimension down to the first that always holds."""
    elements = [one for one in tariff.elements if _reservation(one) is reserved]
    for dimension, kind in UNITS:
        if kind is reserved and (prices := list(_prices(elements, dimension))):
            yield dimension, prices


def _reservation(element: TariffElement) -> ReservationRestriction | None:
    return None if element.restrictions is None else element.restrictions.reservation


def _prices(elements: Iterable[TariffElement], dimension: TariffDimension) -> Iterable[Price]:
    for element in elements:
        component = next((one for one in element.price_components if one.type is dimension), None)
        if component is None:
            continue
        restricted = restricts(element.restrictions)
        yield Price(component, element.restrictions if restricted else None)
        if not restricted:
            return


def _priced(group: Group, prices: Sequence[Price], currency: str, speech: Speech) -> list[str]:
    lines = [_line(group, one, currency, speech) for one in prices]
    if prices[-1].restrictions is not None:
        if not cover([one.restrictions for one in prices]):
            lines.append(speech(Phrase.OTHERWISE_NOTHING))
    elif len(prices) > 1:
        lines[-1] = speech(Phrase.OTHERWISE, price=lines[-1])
    if len(prices) > 1:
        lines.insert(0, speech(Phrase.FLAT_ONCE if group[0] is TariffDimension.FLAT else Phrase.FIRST_HOLDS))
    return lines


def _line(group: Group, price: Price, currency: str, speech: Speech) -> str:
    component = price.component
    text = speech(UNITS[group], money=money(component.price, currency, speech))
    notes = [*_per_minute(component, currency, speech), _vat(component, currency, speech)]
    text += f" ({', '.join(notes)})"
    parts = [text, *_roundings(component, currency, speech)]
    if price.restrictions is not None:
        parts.insert(1, said(price.restrictions, speech))
    return ", ".join(parts)


def _per_minute(component: PriceComponent, currency: str, speech: Speech) -> list[str]:
    """Says a price per hour by the minute too, where that comes out even."""
    if component.type in {TariffDimension.ENERGY, TariffDimension.FLAT} or not component.price:
        return []
    by_minute = round(component.price / _HOUR, 4)
    if by_minute * _HOUR != component.price:
        return []
    return [speech(Phrase.PER_MINUTE, money=money(by_minute, currency, speech))]


def _vat(component: PriceComponent, currency: str, speech: Speech) -> str:
    if component.vat is None:
        return speech(Phrase.VAT_UNKNOWN)
    if not component.vat:
        return speech(Phrase.ZERO_VAT)
    gross = money(with_tax(component.price, component.vat), currency, speech)
    return speech(Phrase.WITH_VAT, gross=gross, rate=percent(component.vat, speech))


def _roundings(component: PriceComponent, currency: str, speech: Speech) -> list[str]:
    parts = []
    if component.type is not TariffDimension.FLAT and component.step_size != 1:
        by_energy = component.type is TariffDimension.ENERGY
        size = energy(component.step_size, speech) if by_energy else span(component.step_size, speech)
        rule = component.step_rounding or RoundingRule.ROUND_UP
        parts.append(speech(_STEPS[rule], step=size) if component.step_size else speech(Phrase.STEP_ZERO))
    if component.price_rounding is not None:
        unit = money(Decimal(1).scaleb(-component.price_rounding.places), currency, speech)
        parts.append(speech(_COSTS[component.price_rounding.rule], unit=unit))
    if component.exact is False:
        parts.append(speech(Phrase.INEXACT))
    return parts


def _both(amount: Money, currency: str, speech: Speech) -> str:
    net, gross = money(amount.net, currency, speech), gross_of(amount)
    if gross is None:
        return f"{net} ({speech(Phrase.NET)})"
    return speech(Phrase.BOTH, net=net, gross=money(gross, currency, speech))


def _short(group: Group, prices: Sequence[Price], gross: bool, currency: str, speech: Speech) -> str:
    amounts = sorted({_amount(one.component, gross=gross) for one in prices})
    figure = money(amounts[-1], currency, speech)
    if len(amounts) > 1:
        figure = speech(Phrase.RANGE, least=number(amounts[0], speech, minor(currency)), most=figure)
    text = speech(UNITS[group], money=figure)
    limits = [one.restrictions for one in prices]
    if len(limits) == 1:
        return f"{text} {said(limits[0], speech)}" if limits[0] is not None else text
    if len(amounts) == 1 and cover(limits, in_common=True):
        return text
    turns = [speech(one) for one in turns_on(limits)]
    return f"{text} {speech(Phrase.DEPENDING, what=speech.listed(turns))}" if turns else text


def _amount(component: PriceComponent, *, gross: bool) -> Decimal:
    return with_tax(component.price, component.vat) if gross and component.vat else component.price


def _within(sentence: str) -> str:
    """Puts a sentence inside another."""
    return f"{sentence[0].lower()}{sentence[1:].rstrip('.')}"


def _remark(note: Note, speech: Speech) -> str:
    # The details of notes are English; other languages say the kind alone.
    text = note.detail if speech.tag == "en" else speech.notes.get(note.kind, note.detail)
    return f"{note.field}: {text}" if note.field else text
