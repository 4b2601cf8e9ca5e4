"""The course of a charge: energy that flows at powers which follow a line from point to point.

Powers go by the energy that has been delivered. Energy e flows at a power p(e) = p0 + k e, so that it takes
ln(p1 / p0) / k hours from one point to the next, and the power over time is exponential. Both are used as they are,
and nothing is summed up step by step.
"""

from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Final, NamedTuple

TINY: Final = Decimal("1e-15")
"""Logarithms leave a last digit or two."""

_TENTH: Final = Decimal("1.1").ln()
"""Within a stretch energy flows evenly; one in which the power changes by a tenth is off by less than a thousandth."""
_MOST_SLICES: Final = 32


class Piece(NamedTuple):
    """A line of a curve: powers at two amounts of energy delivered; the last piece has no end."""

    start: Decimal
    end: Decimal | None
    first: Decimal
    last: Decimal

    def at(self, energy: Decimal) -> Decimal:
        """Gives the power when so much is delivered."""
        if self.end is None or self.first == self.last:
            return self.first
        return self.first + (self.last - self.first) * (energy - self.start) / (self.end - self.start)

    def onwards(self, energy: Decimal) -> "Piece":
        """Gives what follows of it when so much is delivered."""
        return self._replace(start=energy, first=self.at(energy))

    def until(self, energy: Decimal) -> "Piece":
        """Gives it as far as so much energy."""
        return self._replace(end=energy, last=self.at(energy))


class Flow(NamedTuple):
    """A part of a charge in which energy flows at one power, or nearly so."""

    hours: Decimal
    energy: Decimal
    power: Decimal


def below(pieces: Sequence[Piece], limit: Decimal) -> list[Piece]:
    """Gives pieces with their powers cut off at a limit."""
    return [part for piece in pieces for part in _below(piece, limit)]


def _where(piece: Piece, power: Decimal) -> Decimal:
    """Gives the energy at which a piece that rises or falls has a power."""
    if piece.end is None or piece.first == piece.last:
        return piece.start
    return piece.start + (power - piece.first) / (piece.last - piece.first) * (piece.end - piece.start)


def _below(piece: Piece, limit: Decimal) -> list[Piece]:
    """Gives a piece with its powers cut off at a limit."""
    if piece.end is not None and min(piece.first, piece.last) < limit < max(piece.first, piece.last):
        middle = _where(piece, limit)
        parts = [piece._replace(end=middle, last=limit), piece._replace(start=middle, first=limit)]
    else:
        parts = [piece]
    return [part._replace(first=min(part.first, limit), last=min(part.last, limit)) for part in parts]


def up_to(pieces: Sequence[Piece], energy: Decimal) -> list[Piece]:
    """Gives pieces as far as so much energy; what follows is without power."""
    kept = [
        piece if piece.end is not None and piece.end <= energy else piece.until(energy)
        for piece in pieces
        if piece.start < energy
    ]
    return [*kept, Piece(energy, None, Decimal(0), Decimal(0))]


def course(
    pieces: Sequence[Piece], wanted: Decimal | None, hours: Decimal, cuts: Collection[Decimal]
) -> tuple[list[Flow], bool]:
    """Walks along a line until the energy is delivered or the time is over, and tells whether the time was enough.

    Args:
        pieces: One after the other, the last one without end.
        wanted: kWh; None for as much as flows.
        hours: The most there are.
        cuts: kW that no flow lies on both sides of.
    """
    flows: list[Flow] = []
    left = hours
    for each in pieces:
        piece = each
        if wanted is not None and (piece.end is None or piece.end > wanted):
            piece = piece.until(wanted)
        taken = _hours(piece)
        if taken is None or taken > left * (1 + TINY):
            flows += _slices(_in_time(piece, left), left, cuts)
            return _joined(flows), wanted is None
        flows += _slices(piece, taken, cuts)
        left -= taken
        if wanted is not None and piece.end is not None and piece.end >= wanted:
            break
    return _joined(flows), True


def _joined(flows: Sequence[Flow]) -> list[Flow]:
    """Joins those that follow each other at one power, as where the EVSE cuts a curve off."""
    joined: list[Flow] = []
    for flow in flows:
        if joined and joined[-1].power == flow.power:
            last = joined.pop()
            joined.append(Flow(last.hours + flow.hours, last.energy + flow.energy, flow.power))
        else:
            joined.append(flow)
    return joined


def _hours(piece: Piece) -> Decimal | None:
    """Gives the time that a piece takes; None for one that never ends."""
    if piece.end is None or min(piece.first, piece.last) <= 0:
        return None
    if piece.first == piece.last:
        return (piece.end - piece.start) / piece.first
    return (piece.last / piece.first).ln() * (piece.end - piece.start) / (piece.last - piece.first)


def _in_time(piece: Piece, hours: Decimal) -> Piece:
    """Gives as much of a piece as a time allows, which is less than all of it."""
    if piece.first <= 0:  # also where it would rise: nothing flows, so nothing rises
        return piece._replace(end=piece.start, last=piece.first)
    if piece.end is None or piece.first == piece.last:
        return piece._replace(end=piece.start + piece.first * hours, last=piece.first)
    slope = (piece.last - piece.first) / (piece.end - piece.start)
    last = piece.first * (slope * hours).exp()
    return piece._replace(end=piece.start + (last - piece.first) / slope, last=last)


def _slices(piece: Piece, hours: Decimal, cuts: Collection[Decimal]) -> Iterator[Flow]:
    """Cuts a piece where prices change, and so that the power stays about the same in each part."""
    if piece.end is None or piece.end <= piece.start:
        return
    if piece.first == piece.last:
        yield Flow(hours, piece.end - piece.start, piece.first)
        return
    low, high = sorted((piece.first, piece.last))
    edges = sorted({low, high, *(cut for cut in cuts if low < cut < high)}, reverse=piece.first > piece.last)
    for first, last in pairwise(edges):
        part = Piece(_where(piece, first), _where(piece, last), first, last)
        growth = (last / first).ln()
        taken = growth * (_where(piece, last) - _where(piece, first)) / (last - first)
        count = min(int(abs(growth) / _TENTH) + 1, _MOST_SLICES)
        # The power is exponential over time: equal times are equal ratios.
        ratio = (growth / count).exp()
        powers = [first * ratio**n for n in range(count)] + [last]
        for a, b in pairwise(powers):
            energy = _where(part, b) - _where(part, a)
            yield Flow(taken / count, energy, energy * count / taken)
