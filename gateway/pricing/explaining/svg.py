"""A week's prices as a drawing: SVG that stands alone, without script or font, readable in light and dark."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from html import escape
from typing import Final

from gateway.pricing.clock import DAY
from gateway.pricing.currencies import minor
from gateway.pricing.explaining.languages import speech_of
from gateway.pricing.explaining.languages.figures import number
from gateway.pricing.explaining.languages.speech import Phrase, Speech
from gateway.pricing.explaining.shades import INKS, SHADES, Level, levels, shade_of
from gateway.pricing.explaining.week import Span, Track, Week
from gateway.pricing.explaining.week_words import assumptions, heading, price_said, rows, spoken, title

WIDTH: Final = 760
_LEFT: Final = 76
_RIGHT: Final = 24
_GRID: Final = WIDTH - _LEFT - _RIGHT
_ROW: Final = 20
_LINE: Final = 18
_TOP: Final = 44
_SIGN: Final = 6.6
"""What a sign of a label is wide at most, at the size of labels; labels that would not fit are left out."""
_SWATCH: Final = 14
_EVERY: Final = 3
"""Hours from one mark to the next."""

_STYLE: Final = "".join(
    [
        "text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-size:11px}",
        ".paper{fill:#fff}.ink{fill:#1b2733}.faint{fill:#51606e}.rule{stroke:#9aa7b3;stroke-width:.5}",
        ".none{fill:#fff;stroke:#9aa7b3;stroke-width:.5;stroke-dasharray:3 2}.gap{fill:#51606e}",
        ".cell{stroke:#fff;stroke-width:1}.head{font-size:13px;font-weight:600}.name{font-size:16px;font-weight:600}",
        "".join(f".s{n}{{fill:{shade}}}.i{n}{{fill:{INKS[n]}}}" for n, shade in enumerate(SHADES)),
        "@media (prefers-color-scheme:dark){.paper,.none{fill:#12181f}.ink{fill:#e8edf2}.faint,.gap{fill:#a9b6c2}",
        ".rule,.none{stroke:#5c6975}.cell{stroke:#12181f}}",
    ]
)


def draw(week: Week, language: str) -> str:
    """Draws a week.

    Args:
        week: The prices.
        language: BCP 47 tag; English where it is none of ours.

    Returns:
        An SVG document, 760 units wide and as high as it needs.
    """
    speech = speech_of(language)
    parts: list[str] = []
    at = _TOP
    if told := assumptions(week, speech):
        parts.append(_text(_LEFT, at, told, "faint"))
        at += _LINE
    parts.append(_text(_LEFT, at, f"{speech(Phrase.LEGEND)}, {week.currency}", "faint"))
    at += _LINE
    for track in week.tracks:
        at += 12
        drawn, at = _panel(track, week, at, speech)
        parts += drawn
    height = at + 12
    name = _clean(title(week, speech))
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    access = f'role="img" aria-labelledby="week-title week-text" lang="{speech.tag}"'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} {access}>',
            f'<title id="week-title">{name}</title>',
            f'<desc id="week-text">{_clean(_described(week, speech))}</desc>',
            f"<style>{_STYLE}</style>",
            f'<rect class="paper" width="{WIDTH}" height="{height}"/>',
            _text(_LEFT, 26, title(week, speech), "ink name"),
            *parts,
            "</svg>\n",
        ]
    )


def _described(week: Week, speech: Speech) -> str:
    lines = [assumptions(week, speech), f"{speech(Phrase.LEGEND).removesuffix('.')}."]
    for track in week.tracks:
        said = "; ".join(" ".join(filter(None, row)) for row in rows(track, week.currency, speech))
        lines.append(f"{heading(track, week, speech)}: {said}.")
    return " ".join(filter(None, lines))


def _panel(track: Track, week: Week, at: int, speech: Speech) -> tuple[list[str], int]:
    """Draws one track from a height on; gives where it ends."""
    among = levels(track.prices) if track.prices else []
    parts = [_text(_LEFT, at + 12, heading(track, week, speech), "ink head")]
    at += 20
    legend, at = _legend(track, among, week, at, speech)
    parts += legend
    days = track.days()
    # What is the same all week needs no row for each day.
    told = days[:1] if track.steady else days
    for index, spans in enumerate(told):
        label = f"{speech.short_days[0]}–{speech.short_days[-1]}" if track.steady else speech.short_days[index]
        top = at + index * _ROW
        parts.append(_text(_LEFT - 6, top + 14, label, "ink", anchor="end"))
        parts += [_cell(span, among, week, top, speech, steady=track.steady) for span in spans]
    bottom = at + len(told) * _ROW
    for hour in range(0, 25, _EVERY):
        x = _x(hour * 60)
        parts.append(f'<line class="rule" x1="{x}" y1="{bottom}" x2="{x}" y2="{bottom + 4}"/>')
        parts.append(_text(x, bottom + 15, f"{hour:02}:00", "faint", anchor="middle"))
    return parts, bottom + 20


def _legend(track: Track, among: Sequence[Level], week: Week, at: int, speech: Speech) -> tuple[list[str], int]:
    parts: list[str] = []
    x: float = _LEFT
    for shade, text in _legend_texts(track, among, week, speech):
        wide = _SWATCH + 6 + len(text) * _SIGN + 14
        if x > _LEFT and x + wide > WIDTH - _RIGHT:
            x, at = _LEFT, at + _LINE
        box = f'x="{x:g}" y="{at}" width="{_SWATCH}" height="{_SWATCH - 2}"'
        parts.append(f'<rect class="{shade}" {box}/>')
        parts.append(_text(x + _SWATCH + 6, at + 10, text, "ink"))
        x += round(wide)
    return parts, at + _LINE


def _legend_texts(track: Track, among: Sequence[Level], week: Week, speech: Speech) -> Iterator[tuple[str, str]]:
    if any(span.price is None for span in track.spans):
        yield "none", price_said(None, week.currency, speech)
    for level in among:
        most = price_said(level.most, week.currency, speech)
        if level.least == level.most:
            yield f"s{level.shade} cell", most
        else:
            least = number(level.least, speech, minor(week.currency))
            yield f"s{level.shade} cell", speech(Phrase.RANGE, least=least, most=most)


def _cell(span: Span, among: Sequence[Level], week: Week, top: int, speech: Speech, *, steady: bool) -> str:
    left, right = _x(span.begin), _x(span.end)
    shade = None if span.price is None else shade_of(span.price, among)
    label = _label(span.price, week.currency, speech)
    fits = len(label) * _SIGN + 6 <= right - left
    said = price_said(span.price, week.currency, speech) if steady else spoken(span, week, speech)
    drawn = "none" if shade is None else f"s{shade} cell"
    ink = "gap" if shade is None else f"i{shade}"
    text = _text((left + right) / 2, top + 14, label, ink, anchor="middle") if fits else ""
    box = f'x="{left:g}" y="{top}" width="{right - left:g}" height="{_ROW}"'
    return f'<g><title>{_clean(said)}</title><rect class="{drawn}" {box}/>{text}</g>'


def _label(price: Decimal | None, currency: str, speech: Speech) -> str:
    return "–" if price is None else number(price, speech, minor(currency))


def _x(minute: int) -> float:
    return round(_LEFT + minute * _GRID / DAY, 2)


def _text(x: float, y: float, text: str, kind: str, *, anchor: str = "start") -> str:
    placed = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text class="{kind}" x="{x:g}" y="{y:g}"{placed}>{_clean(text)}</text>'


def _clean(text: str) -> str:
    """Writes a text as XML may have it (XML 1.0, 2.2): a partner's id may hold what it may not."""
    return escape("".join(sign if sign.isprintable() else "\u00a0" for sign in text), quote=False)
