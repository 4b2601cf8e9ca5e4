"""When the restrictions of a tariff's elements hold in a charge (OCPI 2.2.1, TariffRestrictions).

A place in a charge is the number of a stretch and how far into it, as one number: 2.25 is a quarter into the third
stretch. So a stretch without length has its place as any other, and no boundary is rounded.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from gateway.pricing.charge import RESERVING, Charge, Phase, Reading, Stretch
from gateway.pricing.clock import WEEKDAY_NUMBERS, parts_of_day, zone_of
from gateway.pricing.notes import Note, NoteKind, Unpriceable, Why
from mappings.canonical.tariffs import TariffRestrictions

Place = int | Fraction
Run = tuple[Place, Place]
"""From one place up to another, which is not part of it."""

_MICRO: Final = timedelta(microseconds=1)
_SECOND: Final = 1_000_000
_MINUTE: Final = 60 * _SECOND
_DAY: Final = 86_400 * _SECOND
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST: Final = 92 * _DAY
"""Of a charge: each of its days has a line for every hour that has a price of its own. A stamp that is not known stands
as 1970 in a CDR (OCPI 2.2.1, mod_cdrs, CDR object, last note)."""
_THURSDAY: Final = 3
"""The weekday of day 0, counted from Monday."""
_IDLE: Final = Reading(Decimal(0), Decimal(0))


class _Span(NamedTuple):
    """A part of a stretch in which the local clock runs evenly: where it lies, and its local microseconds."""

    whole: Run
    begin: int
    end: int


class _Load(NamedTuple):
    """A power or a current, and what is asked of it."""

    of: str
    least: Decimal | None
    most: Decimal | None
    reading: Reading | None

    @property
    def met(self) -> bool | None:
        """Whether it is as asked; None where too little is known."""
        if self.reading is None:
            return None
        return _surely(self.least, self.most, self.reading.least, self.reading.most)


class Timeline:
    """A charge on which restrictions are laid.

    Args:
        charge: Whose stretches are in order.

    Attributes:
        notes: What was assumed where restrictions asked for it; each once.
        energy, seconds: Of each stretch, exactly.

    Raises:
        Unpriceable: The stretches are out of order, or a volume is negative.
    """

    def __init__(self, charge: Charge) -> None:
        self.stretches = charge.stretches
        self.notes: dict[Note, None] = {}
        self._zone = charge.zone
        self._begins = [(stretch.start - _EPOCH) // _MICRO for stretch in self.stretches]
        self._ends = [(stretch.end - _EPOCH) // _MICRO for stretch in self.stretches]
        self._check()
        self.energy = [Fraction(stretch.energy) for stretch in self.stretches]
        self.seconds = [Fraction(stretch.seconds) for stretch in self.stretches]
        self._before: list[Fraction] = []
        so_far = Fraction(0)
        for energy in self.energy:
            self._before.append(so_far)
            so_far += energy
        self._origins = self._find_origins()
        self._spans: dict[int, list[_Span]] = {}

    def _check(self) -> None:
        if not self.stretches:
            raise Unpriceable(Why.NOTHING, "", "nothing happened that could be priced")
        for number, stretch in enumerate(self.stretches):
            path = f"periods[{stretch.period}]"
            if stretch.seconds < 0 or stretch.energy < 0:
                raise Unpriceable(Why.NEGATIVE_VOLUME, path, "a negative volume")
            if self._ends[number] < self._begins[number]:
                raise Unpriceable(Why.OUT_OF_ORDER, path, "ends before it begins")
            if number and self._begins[number] < self._ends[number - 1]:
                raise Unpriceable(Why.OUT_OF_ORDER, path, "begins before the one before it ends")
        if self._ends[-1] - self._begins[0] > _LONGEST:
            raise Unpriceable(Why.TOO_LONG, "", f"lasts longer than {_LONGEST // _DAY} days")

    def _find_origins(self) -> dict[bool, int]:
        """Gives from when on durations count, of the charge and of its reservation."""
        origins: dict[bool, int] = {}
        for number, stretch in enumerate(self.stretches):
            origins.setdefault(stretch.phase in RESERVING, self._begins[number])
        return origins

    def moment(self, place: Place) -> datetime:
        """Gives the moment of a place; of the end of a stretch, rather than of the beginning of the next."""
        number, part = divmod(place, 1)
        if not part and number:
            return self.stretches[number - 1].end
        return self._at(number, part)

    def beginning(self, place: Place) -> datetime:
        """Gives the moment of a place; of the beginning of a stretch, rather than of the end of the one before."""
        return self._at(*divmod(place, 1))

    def _at(self, number: int, part: Place) -> datetime:
        begin, end = self._begins[number], self._ends[number]
        return _EPOCH + _MICRO * round(begin + (end - begin) * part)

    def amount(self, of: Sequence[Fraction], run: Run) -> Fraction:
        """Sums the volumes of a run, of which each flows evenly within its stretch."""
        total = Fraction(0)
        first, last = int(run[0]), -int(-run[1] // 1)
        for number in range(first, last):
            begin, end = max(run[0], number), min(run[1], number + 1)
            total += of[number] if end - begin == 1 else of[number] * (end - begin)
        return total

    def holding(self, restrictions: TariffRestrictions | None, among: Iterable[int]) -> list[Run]:
        """Gives the runs in which restrictions hold, but for the one that tells reservations apart.

        Args:
            among: Numbers of the stretches that are looked at, rising.

        Raises:
            Unpriceable: What they ask for is not known.
        """
        runs: list[Run] = []
        for number in among:
            for begin, end in [(number, number + 1)] if restrictions is None else self._within(restrictions, number):
                if runs and runs[-1][1] == begin:
                    runs[-1] = (runs[-1][0], end)
                else:
                    runs.append((begin, end))
        return runs

    def _within(self, asked: TariffRestrictions, number: int) -> list[Run]:
        loads = _loads(asked, self.stretches[number])
        if any(load.met is False for load in loads):
            return []
        runs = self._when(asked, number)
        # What is not known is asked for only where it decides.
        if runs and not all(load.met or self._supposed(load, number) for load in loads):
            return []
        return runs

    def _when(self, asked: TariffRestrictions, number: int) -> list[Run]:
        """Gives the runs of a stretch in which all that changes within it is as restrictions ask."""
        stretch = self.stretches[number]
        begin: Place = number
        end: Place = number + 1
        if asked.min_kwh is not None or asked.max_kwh is not None:
            begin, end = _between(asked.min_kwh, asked.max_kwh, number, self._before[number], self.energy[number])
        if begin < end and (asked.min_duration is not None or asked.max_duration is not None):
            origin = self._origins[stretch.phase in RESERVING]
            gone = Fraction(self._begins[number] - origin, _SECOND)
            lasts = Fraction(self._ends[number] - self._begins[number], _SECOND)
            first, last = _between(asked.min_duration, asked.max_duration, number, gone, lasts)
            begin, end = max(begin, first), min(end, last)
        if begin >= end:
            return []
        if _asks_clock(asked):
            return list(self._on_clock(asked, number, (begin, end)))
        return [(begin, end)]

    def _supposed(self, load: _Load, number: int) -> bool:
        """Tells whether a load is met by its average, where no more is known of it."""
        path = f"periods[{self.stretches[number].period}]"
        average = load.reading.average if load.reading is not None else None
        if average is None:
            raise Unpriceable(Why.NO_POWER, path, f"the tariff asks for the {load.of}, which is not known")
        said = f"the {load.of} is taken as its average, {average:f}, all along"
        self.notes[Note(NoteKind.ASSUMED, path, said)] = None
        return bool(_surely(load.least, load.most, average, average))

    def _on_clock(self, asked: TariffRestrictions, number: int, run: Run) -> Iterator[Run]:
        days = frozenset(WEEKDAY_NUMBERS[day] for day in asked.day_of_week)
        first = _day(asked.start_date) if asked.start_date is not None else None
        past = _day(asked.end_date) if asked.end_date is not None else None
        hours = _hours(asked.start_time, asked.end_time)
        for span in self._local(number):
            lasts = span.end - span.begin
            for day in range(span.begin // _DAY, max(span.end - 1, span.begin) // _DAY + 1):
                if (
                    (days and (day + _THURSDAY) % 7 not in days)
                    or (first is not None and day < first)
                    or (past is not None and day >= past)
                ):
                    continue
                for opens, closes in hours:
                    begin, end = max(span.begin, day * _DAY + opens), min(span.end, day * _DAY + closes)
                    if not lasts:
                        if day * _DAY + opens <= span.begin < day * _DAY + closes:
                            yield run
                    elif begin < end:
                        cut = max(run[0], _along(span, begin)), min(run[1], _along(span, end))
                        if cut[0] < cut[1]:
                            yield cut

    def _local(self, number: int) -> list[_Span]:
        """Cuts a stretch where the local clock is put forward or back."""
        found = self._spans.get(number)
        if found is None:
            zone = zone_of(self._zone)
            if zone is None:
                raise Unpriceable(Why.NO_ZONE, "", "the tariff speaks of local time, and the time zone is not known")
            found = self._spans[number] = self._cut(number, zone)
            if len(found) > 1:
                said = "the local clock was put forward or back; prices by the hour follow the clock"
                self.notes[Note(NoteKind.CLOCK_CHANGED, f"periods[{self.stretches[number].period}]", said)] = None
        return found

    def _cut(self, number: int, zone: ZoneInfo) -> list[_Span]:
        begin, end = self._begins[number], self._ends[number]
        spans = []
        since, offset = begin, _offset(zone, begin)
        while True:
            until = _change(zone, since, end, offset)
            part = (_share(number, begin, end, since), _share(number, begin, end, until) if end > begin else number + 1)
            spans.append(_Span(part, since + offset, until + offset))
            if until >= end:
                return spans
            since, offset = until, _offset(zone, until)


def _loads(asked: TariffRestrictions, stretch: Stretch) -> list[_Load]:
    """Gives what is asked of a stretch's power and current."""
    idle = None if stretch.phase is Phase.CHARGING else _IDLE
    loads = []
    if asked.min_power is not None or asked.max_power is not None:
        loads.append(_Load("power", asked.min_power, asked.max_power, stretch.power or idle))
    if asked.min_current is not None or asked.max_current is not None:
        loads.append(_Load("current", asked.min_current, asked.max_current, stretch.current or idle))
    return loads


def _surely(least: Decimal | None, most: Decimal | None, low: Decimal | None, high: Decimal | None) -> bool | None:
    """Tells whether a value between `low` and `high` is at least `least` and below `most`; None where that is open."""
    if (least is not None and high is not None and high < least) or (
        most is not None and low is not None and low >= most
    ):
        return False
    enough = least is None or (low is not None and low >= least)
    below = most is None or (high is not None and high < most)
    return True if enough and below else None


def _between(
    least: Decimal | int | None, most: Decimal | int | None, number: int, before: Fraction, grows: Fraction
) -> Run:
    """Cuts a stretch to where what grows evenly in it is at least `least` and below `most`; may be empty."""
    begin: Place = number
    end: Place = number + 1
    if not grows:
        held = (least is None or before >= least) and (most is None or before < most)
        return (begin, end) if held else (begin, begin)
    if least is not None and before < least:
        begin = number + (Fraction(least) - before) / grows
    if most is not None and before + grows > most:
        end = number + (Fraction(most) - before) / grows
    return begin, end


def _asks_clock(asked: TariffRestrictions) -> bool:
    return bool(asked.start_time or asked.end_time or asked.start_date or asked.end_date or asked.day_of_week)


def _along(span: _Span, local: int) -> Place:
    """Gives the place of a local moment in a span."""
    begin, end = span.whole
    if local == span.begin:
        return begin
    if local == span.end:
        return end
    return begin + (end - begin) * Fraction(local - span.begin, span.end - span.begin)


def _share(number: int, begin: int, end: int, at: int) -> Place:
    if at == begin:
        return number
    return number + 1 if at == end else number + Fraction(at - begin, end - begin)


@lru_cache(maxsize=4096)
def _day(text: str) -> int:
    return date.fromisoformat(text).toordinal() - _EPOCH.toordinal()


@lru_cache(maxsize=4096)
def _hours(start: str | None, end: str | None) -> tuple[tuple[int, int], ...]:
    return tuple((opens * _MINUTE, closes * _MINUTE) for opens, closes in parts_of_day(start, end))


def _offset(zone: ZoneInfo, at: int) -> int:
    offset = (_EPOCH + _MICRO * at).astimezone(zone).utcoffset()
    return offset // _MICRO if offset is not None else 0


_STRIDE: Final = 7 * _DAY
"""No zone puts its clock forward and back within a week."""


def _change(zone: ZoneInfo, since: int, end: int, offset: int) -> int:
    """Gives the first moment after `since` with another offset, to the second; `end` where there is none before it."""
    while since < end:
        until = min(since + _STRIDE, end)
        if _offset(zone, until - 1) != offset:
            low, high = since // _SECOND, -(-until // _SECOND)
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if _offset(zone, middle * _SECOND) == offset else (low, middle)
            return high * _SECOND
        since = until
    return end
