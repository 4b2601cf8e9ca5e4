"""A week's drawing: well-formed, said in words too, nothing beyond its edge, and every label readable on its ground."""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import pairwise
from xml.etree import ElementTree as Xml

import pytest

from gateway.pricing.explaining.languages import LANGUAGES
from gateway.pricing.explaining.shades import INKS, SHADES
from gateway.pricing.explaining.svg import WIDTH, draw
from gateway.pricing.explaining.week import Conditions, week_of
from mappings.canonical.tariffs import Tariff
from tests.pricing.building import WEEKEND, WORKDAYS, element, energy, flat, hourly, parking_fee, tariff

SVG = "{http://www.w3.org/2000/svg}"
AT = Conditions(date(2026, 1, 5))

MANY = tariff(
    *(element(energy(f"0.{n:02}", "20"), start_time=f"{n:02}:00", end_time=f"{(n + 1) % 24:02}:00") for n in range(24)),
    element(hourly("3", "20", 60), min_power=50),
    element(parking_fee("5"), day_of_week=WORKDAYS, start_time="22:00", end_time="06:00"),
    element(parking_fee("6"), day_of_week=WEEKEND, start_time="09:15", end_time="18:45"),
    element(flat("1234.5678")),
)


def drawn(made: Tariff, language: str = "en") -> Xml.Element:
    return Xml.fromstring(draw(week_of(made, AT), language))


def every(root: Xml.Element, name: str) -> Iterator[Xml.Element]:
    return root.iter(f"{SVG}{name}")


def cells(root: Xml.Element) -> list[tuple[str, Xml.Element, str | None]]:
    """Gives what each cell says, its shape and its label."""
    found = []
    for group in every(root, "g"):
        [said], [box], labels = (group.findall(f"{SVG}{name}") for name in ("title", "rect", "text"))
        found.append((said.text or "", box, labels[0].text if labels else None))
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_drawing_stands_alone_and_is_said_in_words(language: str) -> None:
    root = drawn(MANY, language)
    assert (root.tag, root.get("role"), root.get("lang")) == (f"{SVG}svg", "img", language)
    title, text = root[0], root[1]
    assert (title.tag, text.tag) == (f"{SVG}title", f"{SVG}desc")
    assert root.get("aria-labelledby") == f"{title.get('id')} {text.get('id')}"
    assert "T" in (title.text or "")
    for figure in ("0.23", "5.00", "6.00") if language == "en" else ("0,23", "5,00", "6,00"):
        assert figure in (text.text or "")
    whole = draw(week_of(MANY, AT), language)
    # The namespace is the one address in it, and nothing is fetched from there.
    assert re.findall(r"https?://[^\"<]*", whole) == [SVG.strip("{}")]
    assert not {"script", "image", "use", "foreignObject", "a"} & {each.tag.removeprefix(SVG) for each in root.iter()}
    assert "prefers-color-scheme:dark" in whole
    assert not re.search(r"url\(|@import|@font-face|\son\w+=", whole)


def test_each_day_is_covered_from_end_to_end_without_overlap() -> None:
    rows: dict[float, list[tuple[float, float]]] = {}
    for _, box, _ in cells(drawn(MANY)):
        x, y, wide = (float(box.get(name, "")) for name in ("x", "y", "width"))
        rows.setdefault(y, []).append((x, x + wide))
    # Seven days of energy and of parking; the fee and the time that nothing prices are the same all week.
    assert len(rows) == 7 + 7 + 1 + 1
    begins, ends = set(), set()
    for spans in rows.values():
        spans.sort()
        begins.add(spans[0][0])
        ends.add(spans[-1][1])
        assert all(abs(a[1] - b[0]) < 0.02 for a, b in pairwise(spans))
    assert len(begins) == len(ends) == 1


def test_a_cell_lies_where_its_hours_are() -> None:
    [(_, box, label)] = [one for one in cells(drawn(MANY)) if one[0] == "Saturday 09:15–18:45: 6.00 EUR"]
    [(_, day, _)] = [one for one in cells(drawn(MANY)) if one[0] == "1,234.5678 EUR"]
    left, wide = float(day.get("x", "")), float(day.get("width", ""))
    assert float(box.get("x", "")) == pytest.approx(left + wide * 9.25 / 24, abs=0.02)
    assert float(box.get("width", "")) == pytest.approx(wide * 9.5 / 24, abs=0.02)
    assert label == "6.00"


def test_nothing_lies_beyond_the_edge() -> None:
    for language in LANGUAGES:
        root = drawn(MANY, language)
        high = float(root.get("height", ""))
        assert root.get("viewBox") == f"0 0 {WIDTH} {high:g}"
        for box in every(root, "rect"):
            x, y, wide, tall = (float(box.get(name, "0")) for name in ("x", "y", "width", "height"))
            assert (x >= 0, x + wide <= WIDTH, y + tall <= high) == (True, True, True)
        for text in every(root, "text"):
            # An estimate on the safe side for text of 11 px; titles are larger and begin far to the left.
            wide, x = len(text.text or "") * 6.6, float(text.get("x", ""))
            anchor = {"middle": wide / 2, "end": wide}.get(text.get("text-anchor", ""), 0)
            assert x - anchor >= 0, text.text
            assert float(text.get("y", "")) <= high
            if "head" not in text.get("class", "") and "name" not in text.get("class", ""):
                assert x - anchor + wide <= WIDTH, text.text


def test_labels_that_would_not_fit_are_left_to_the_tooltip() -> None:
    found = {said: label for said, _, label in cells(drawn(MANY)) if said.startswith("Monday") and "0." in said}
    assert len(found) == 23  # midnight is free
    made = tariff(
        element(energy("0.12345"), start_time="00:00", end_time="00:30"),
        element(energy("0.5")),
    )
    assert {label for said, _, label in cells(drawn(made)) if "0.12345" in said} == {None}
    assert {label for said, _, label in cells(drawn(made)) if "0.50" in said} == {"0.50"}


def test_the_legend_names_every_shade_that_is_drawn() -> None:
    root = drawn(MANY)
    boxes = [box for box in root if box.tag == f"{SVG}rect" and box.get("class") != "paper"]
    in_legend = [box.get("class") for box in boxes]
    assert set(in_legend) == {box.get("class") for _, box, _ in cells(root)}
    texts = [each.text for each in root if each.tag == f"{SVG}text"]
    # 24 prices share six shades.
    assert "0.20 to 0.23 EUR" in texts
    assert "no price" in texts


def test_what_a_partner_wrote_stays_text() -> None:
    root = drawn(tariff(element(energy("1")), id='<b>&"\x07]]>'))
    assert root[0].text == 'Prices of the tariff <b>&"\xa0]]> over a week'
    assert not list(root.iter("b"))


def test_a_tariff_that_prices_nothing_in_that_week_is_drawn_all_the_same() -> None:
    root = drawn(tariff(element(energy("1"), end_date="2020-01-01")))
    assert [(said, label) for said, _, label in cells(root)] == [("no price", "–")]


# Colours


def luminance(colour: str) -> float:
    """Gives the relative luminance of a colour (WCAG 2.2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_labels_can_be_read_on_every_shade() -> None:
    assert all(contrast(shade, ink) >= 4.5 for shade, ink in zip(SHADES, INKS, strict=True))
    assert [luminance(one) for one in SHADES] == sorted((luminance(one) for one in SHADES), reverse=True)


def test_texts_can_be_read_in_light_and_in_dark() -> None:
    style = next(every(drawn(MANY), "style")).text or ""
    light, dark = style.split("@media")
    for rules in (light, dark):
        colours = {
            name: shade
            for names, shade in re.findall(r"((?:\.\w+,?)+)\{fill:(#\w+)", rules)
            for name in names.replace(".", "").split(",")
        }
        paper = colours["paper"].ljust(7, "f")
        assert contrast(paper, colours["ink"]) >= 7
        assert contrast(paper, colours["faint"]) >= 4.5
        assert contrast(colours["none"].ljust(7, "f"), colours["gap"]) >= 4.5


def test_prices_of_any_size_are_drawn() -> None:
    made = tariff(element(energy("-0.5"), max_power=5), element(energy("1000000000")), element(flat("0")))
    assert {said for said, _, _ in cells(drawn(made))} == {"1,000,000,000.00 EUR", "free"}
    low = week_of(made, Conditions(date(2026, 1, 5), power=Decimal(4)))
    assert "-0.50 EUR" in draw(low, "en")
