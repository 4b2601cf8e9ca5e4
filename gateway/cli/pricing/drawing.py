"""A week's prices in a terminal: bars that rise with the price, coloured where there are colours."""

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from gateway.pricing.clock import DAY
from gateway.pricing.currencies import minor
from gateway.pricing.explaining.languages.figures import number
from gateway.pricing.explaining.languages.speech import Phrase, Speech
from gateway.pricing.explaining.shades import SHADES, Level, levels, shade_of
from gateway.pricing.explaining.week import Span, Track, Week
from gateway.pricing.explaining.week_words import assumptions, heading, price_said, rows

_BARS: Final = "▁▂▃▅▆█"
"""One for each shade: the price is seen without colours, too."""
_NONE: Final = "·"
_INKS: Final = ("#8fb8d8", "#83bde5", "#6caedd", "#559fd3", "#3d8ac2", "#2a7ab8")
"""The shades as they can be seen on light and on dark."""
_LABEL: Final = 10
_HOURS: Final = 24
if not len(_BARS) == len(_INKS) == len(SHADES):
    raise TypeError("not a bar and an ink for each shade")


def write_week(week: Week, speech: Speech, console: Console) -> None:
    """Writes a week: drawn where somebody looks on and there is room, else as a table to be read by whatever reads."""
    told = assumptions(week, speech)
    console.print(f"{speech(Phrase.LEGEND).removesuffix('.')}. {told}".rstrip(), style="dim", markup=False)
    signs = _signs(console)
    for track in week.tracks:
        console.print()
        console.print(heading(track, week, speech), style="bold", markup=False)
        for line in _table(track, week, speech) if signs is None else _drawn(track, week, speech, signs):
            console.print(line, soft_wrap=True)


def _signs(console: Console) -> int | None:
    """Gives how many signs stand for an hour; None where nothing is to be drawn."""
    if not console.is_terminal or console.options.ascii_only:
        return None
    return next((count for count in (4, 2, 1) if _LABEL + _HOURS * count + 2 <= console.width), None)


def _table(track: Track, week: Week, speech: Speech) -> Sequence[Text]:
    told = rows(track, week.currency, speech)
    wide = max(len(row.days) for row in told)
    return [Text(f"{row.days:<{wide}}  {row.hours}  {row.price}") for row in told]


def _drawn(track: Track, week: Week, speech: Speech, signs: int) -> Sequence[Text]:
    among = levels(track.prices) if track.prices else []
    days = track.days()
    lines = []
    for index, spans in enumerate(days[:1] if track.steady else days):
        label = speech.short_days[index]
        line = Text(f"{label}–{speech.short_days[-1]} " if track.steady else f"{label} ")
        line.pad_left(_LABEL - len(line.plain))
        for place in range(_HOURS * signs):
            line.append_text(_sign(spans, place * DAY // (_HOURS * signs), among))
        lines.append(line)
    marks = "".join(f"{hour:02}".ljust(3 * signs) for hour in range(0, _HOURS, 3))
    lines.append(Text(" " * _LABEL + f"{marks}24", style="dim"))
    lines.append(_legend(track, among, week, speech))
    return lines


def _sign(spans: Sequence[Span], minute: int, among: Sequence[Level]) -> Text:
    span = next(one for one in spans if one.begin <= minute < one.end)
    return Text(_NONE, style="dim") if span.price is None else _bar(shade_of(span.price, among))


def _bar(shade: int) -> Text:
    return Text(_BARS[shade], style=_INKS[shade])


def _legend(track: Track, among: Sequence[Level], week: Week, speech: Speech) -> Text:
    line = Text(" " * _LABEL)
    if any(span.price is None for span in track.spans):
        line.append(f"{_NONE} {price_said(None, week.currency, speech)}   ")
    for level in among:
        most = price_said(level.most, week.currency, speech)
        if level.least != level.most:
            least = number(level.least, speech, minor(week.currency))
            most = speech(Phrase.RANGE, least=least, most=most)
        line.append_text(_bar(level.shade)).append(f" {most}   ")
    line.rstrip()
    return line
