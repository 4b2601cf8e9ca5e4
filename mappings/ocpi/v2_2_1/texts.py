"""Display texts, images, business details and energy mixes, both ways (2.2.1, types and mod_locations)."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from mappings.canonical.base import json_number
from mappings.canonical.energy import EnergyMix, EnergySource, EnvironmentalImpact
from mappings.canonical.texts import Business, Image, LocalText
from mappings.ocpi import numbers, values
from mappings.ocpi.reading import Path, show
from mappings.ocpi.v2_2_1 import wire as w
from mappings.ocpi.v2_2_1.enums import ENERGY_SOURCES, IMAGE_CATEGORIES, IMPACTS
from mappings.report import IssueKind, Report

_TEXT, _IMAGE = w.names(w.DisplayText), w.names(w.Image)
_BUSINESS = w.names(w.BusinessDetails)
_SOURCE, _IMPACT, _MIX = w.names(w.EnergySource), w.names(w.EnvironmentalImpact), w.names(w.EnergyMix)
_LANGUAGE_LETTERS = 2
LONGEST = 512
"""Of a text (types, DisplayText)."""


def text_in(wire: w.DisplayText, report: Report, path: Path) -> LocalText:
    """Reads one text."""
    values.dropped(wire, _TEXT, report, path)
    return LocalText(language=wire["language"], text=wire["text"])


def texts_in(wires: list[w.DisplayText] | None, report: Report, path: Path) -> tuple[LocalText, ...]:
    """Reads a list of texts."""
    return tuple(text_in(wire, report, (*path, index)) for index, wire in enumerate(wires or ()))


def text_out(text: LocalText, report: Report, path: Path) -> w.Wire | None:
    """Writes one text; None where its language has no code of two letters."""
    language = text.language
    if len(language) != _LANGUAGE_LETTERS:
        language = language.partition("-")[0]
        if len(language) != _LANGUAGE_LETTERS:
            report.add(IssueKind.LOST, show(path), "OCPI has only languages with a code of two letters", text.language)
            return None
        report.add(IssueKind.NARROWED, show((*path, "language")), f"said as {language}", text.language)
    return {"language": language, "text": values.fit(text.text, LONGEST, report, path, "text")}


def texts_out(texts: Iterable[LocalText], report: Report, path: Path) -> list[w.Wire]:
    """Writes a list of texts."""
    made = (text_out(text, report, (*path, index)) for index, text in enumerate(texts))
    return [text for text in made if text is not None]


def image_in(wire: w.Image, report: Report, path: Path) -> Image:
    """Reads an image; a category that is unknown is OTHER, the vocabulary's own word for it."""
    values.dropped(wire, _IMAGE, report, path)
    category = values.informational(IMAGE_CATEGORIES, wire["category"], report, path, "category", {})
    return Image(
        url=wire["url"],
        category=category or IMAGE_CATEGORIES.to_canonical("OTHER"),
        type=wire["type"],
        thumbnail=wire.get("thumbnail"),
        width=wire.get("width"),
        height=wire.get("height"),
    )


def images_in(wires: list[w.Image] | None, report: Report, path: Path) -> tuple[Image, ...]:
    """Reads a list of images."""
    return tuple(image_in(wire, report, (*path, index)) for index, wire in enumerate(wires or ()))


def image_out(image: Image, report: Report, path: Path) -> w.Wire | None:
    """Writes an image; None where its address or its type does not fit."""
    url = values.link(image.url, report, path, "url")
    if url is None:
        return None
    if len(image.type) > 4:
        report.add(IssueKind.LOST, show(path), "OCPI allows an image type of four characters", image.type)
        return None
    made = {
        "url": url,
        "thumbnail": values.link(image.thumbnail, report, path, "thumbnail"),
        "category": values.said(IMAGE_CATEGORIES, image.category, report, path, "category"),
        "type": image.type,
        "width": image.width,
        "height": image.height,
    }
    return {field: value for field, value in made.items() if value is not None}


def images_out(images: Iterable[Image], report: Report, path: Path) -> list[w.Wire]:
    """Writes a list of images."""
    made = (image_out(image, report, (*path, index)) for index, image in enumerate(images))
    return [image for image in made if image is not None]


def business_in(wire: w.BusinessDetails, report: Report, path: Path) -> Business:
    """Reads who runs or owns a place."""
    logo = wire.get("logo")
    if logo is None and wire.keys() <= _BUSINESS:
        return _business(wire["name"], wire.get("website"))
    return Business(
        name=wire["name"],
        website=wire.get("website"),
        logo=None if logo is None else image_in(logo, report, (*path, "logo")),
        unknown=values.kept(wire, _BUSINESS, report, path),
    )


# A network names few businesses, each at a great many places; the models are immutable.
@lru_cache(maxsize=4096)
def _business(name: str, website: str | None) -> Business:
    return Business(name=name, website=website)


def business_out(business: Business, report: Report, path: Path) -> w.Wire:
    """Writes who runs or owns a place."""
    made = values.given_back(business.unknown, _BUSINESS) if business.unknown else {}
    made["name"] = values.fit(business.name, 100, report, path, "name")
    if business.website is not None:
        website = values.link(business.website, report, path, "website")
        if website is not None:
            made["website"] = website
    if business.logo is not None:
        logo = image_out(business.logo, report, (*path, "logo"))
        if logo is not None:
            made["logo"] = logo
    return made


def energy_in(wire: w.EnergyMix, report: Report, path: Path) -> EnergyMix:
    """Reads an energy mix; a source or an impact that is unknown is left out."""
    unknown = values.kept(wire, _MIX, report, path)
    sources, impacts = [], []
    for index, source in enumerate(wire.get("energy_sources") or ()):
        at = (*path, "energy_sources", index)
        values.dropped(source, _SOURCE, report, at)
        if category := values.members(ENERGY_SOURCES, [source["source"]], report, at, "source", unknown):
            share = source.get("percentage")
            sources.append(EnergySource(source=category[0], percentage=None if share is None else numbers.read(share)))
    for index, impact in enumerate(wire.get("environ_impact") or ()):
        at = (*path, "environ_impact", index)
        values.dropped(impact, _IMPACT, report, at)
        if kind := values.members(IMPACTS, [impact["category"]], report, at, "category", unknown):
            impacts.append(EnvironmentalImpact(category=kind[0], amount=numbers.read(impact["amount"])))
    return EnergyMix(
        is_green_energy=wire["is_green_energy"],
        sources=tuple(sources),
        impacts=tuple(impacts),
        supplier_name=wire.get("supplier_name"),
        product_name=wire.get("energy_product_name"),
        unknown=unknown,
    )


def energy_out(mix: EnergyMix, report: Report, path: Path) -> w.Wire:
    """Writes an energy mix; a source without a share is left out, since OCPI demands one."""
    made = values.given_back(mix.unknown, _MIX | {"source", "category"})
    made["is_green_energy"] = mix.is_green_energy
    sources: list[dict[str, Any]] = []
    for index, source in enumerate(mix.sources):
        at = (*path, "sources", index)
        if source.percentage is None:
            report.add(IssueKind.LOST, show(at), "OCPI demands the share of a source", source.source.value)
            continue
        said = values.said(ENERGY_SOURCES, source.source, report, at, "source")
        sources.append({"source": said, "percentage": json_number(source.percentage)})
    if sources:
        made["energy_sources"] = sources
    if mix.impacts:
        made["environ_impact"] = [
            {
                "category": values.said(IMPACTS, impact.category, report, (*path, "impacts", index), "category"),
                "amount": json_number(impact.amount),
            }
            for index, impact in enumerate(mix.impacts)
        ]
    if mix.supplier_name is not None:
        made["supplier_name"] = values.fit(mix.supplier_name, 64, report, path, "supplier_name")
    if mix.product_name is not None:
        made["energy_product_name"] = values.fit(mix.product_name, 64, report, path, "product_name")
    return made
